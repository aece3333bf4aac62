"""Retrievers: from a user's history to the items most worth looking at. NumPy and ScaNN only."""
