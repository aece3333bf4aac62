"""Experiments: defined, started, stopped, and what came of them."""
