"""Posts to articles, and articles to splits."""
