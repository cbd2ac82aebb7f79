"""The page over a version: search, look at, compare and export its articles in a browser on this machine."""
