"""A version to the Hub, a folder or a bucket."""
