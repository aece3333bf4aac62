"""Why an item is in a list, or is not: computed from the numbers that made the list, and nothing else."""
