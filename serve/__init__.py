"""HTTP server over a bundle. Imports no TensorFlow and none of the training side."""

import os

# Read when NumPy is first imported. What a request multiplies is small, and OpenBLAS' other threads would take a core
# each just to wait for the next product: one thread, unless the environment says otherwise.
os.environ.setdefault("OMP_NUM_THREADS", "1")
