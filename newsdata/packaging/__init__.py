"""A dataset to files: Parquet shards, the manifest, the card."""
