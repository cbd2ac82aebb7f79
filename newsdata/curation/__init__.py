"""Posts to a dataset: what earlier versions decided, merging, near-duplicates and splits."""
