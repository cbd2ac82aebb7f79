"""Where the bytes of posts come from."""
