"""From posts to articles, and from articles to splits: pure functions over key columns."""
