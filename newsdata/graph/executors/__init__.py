"""Who runs the tasks of a stage."""
