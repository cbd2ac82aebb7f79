"""Where the bytes of posts come from: a folder, a git repository, a tar or zip file, or an fsspec address."""
