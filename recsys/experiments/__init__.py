"""Experiments: what a variant of a list changes, who gets which, and what came of it.

Imports nothing of the product but `recsys.core`, and no SciPy: the server gives verdicts, too.
"""
