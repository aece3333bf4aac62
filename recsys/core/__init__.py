"""What all other packages share: array types, histories, queries, candidates, errors and compiled loops."""
