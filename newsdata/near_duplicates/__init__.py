"""Near-copies: shingles, signatures, pairs, clusters, leakage."""
