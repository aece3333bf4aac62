"""Batches, the fit loop, checkpoints, run folders and export to a bundle."""
