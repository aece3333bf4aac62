"""The statistics of experiments, of which `recsys.experiments.verdict` makes verdicts. NumPy and the standard library."""
