"""Item-to-item sources: what goes with the items of the history. The `*_fit` modules need SciPy, serving does not."""
