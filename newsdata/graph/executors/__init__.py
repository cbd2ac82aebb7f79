"""Executors: they run the tasks of a stage."""
