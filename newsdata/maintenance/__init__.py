"""What is done with versions after they are built: verify, yank, redact, prune, rehydrate."""
