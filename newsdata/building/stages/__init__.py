"""The stages of a build: one module each, and `boilerplate`, `words` and `versions`, which several of them need."""
