"""Read posts: from bytes to `Post` or `Reject`. Pure functions; only `parse_post` reads files."""
