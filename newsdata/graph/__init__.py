"""Tasks, and where they run."""
