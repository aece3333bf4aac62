"""Towers, losses and the two-tower model in TensorFlow. Knows arrays, no files."""
