"""A manifest to README.md and Croissant."""
