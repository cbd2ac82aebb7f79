"""A version, opened: rows for modelling, and what is known about them."""
