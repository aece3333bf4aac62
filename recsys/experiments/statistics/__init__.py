"""The statistics that verdicts of experiments are made of. NumPy and the standard library, nothing else."""
