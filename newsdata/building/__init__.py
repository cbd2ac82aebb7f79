"""A build: the stages from an archive to a version."""
