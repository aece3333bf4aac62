"""Item-to-item sources of the items' texts alone. `fit` needs SciPy and scikit-learn, serving does not."""
