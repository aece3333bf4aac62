"""Metrics, the evaluator and the report."""
