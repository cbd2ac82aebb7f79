"""The bytes of a post to a typed record."""
