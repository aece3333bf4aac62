"""Matrix factorisation. `fit` needs SciPy and implicit, serving does not."""
