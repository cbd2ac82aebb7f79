"""The card of a version, made from its manifest: README.md and croissant.json."""
