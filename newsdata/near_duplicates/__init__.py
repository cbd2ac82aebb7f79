"""Near-copies of articles: shingles, boilerplate, signatures, pairs, clusters, leakage."""
