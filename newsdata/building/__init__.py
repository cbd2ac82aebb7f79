"""The build: the stages that make a version from an archive."""
