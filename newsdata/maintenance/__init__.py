"""What becomes of versions after they are built."""
