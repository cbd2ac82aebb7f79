"""Content-addressed tasks, the store of their results, and the engine that runs what the store does not have.

This room knows nothing of posts; it could run any other build.
"""
