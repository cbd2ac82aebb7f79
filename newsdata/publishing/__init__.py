"""A version to a hub, a folder or a bucket."""
