"""Versions of schema 1, made once by newsdata 0.1 with that schema (`make.py`), and their archive: `versions.tar.gz`."""
