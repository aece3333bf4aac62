"""What every other part speaks: arrays, histories, queries, candidates, errors, and how loops are compiled."""
