"""Two-tower recommendations for shops: prepare, train, index, evaluate, serve."""

import os
import sqlite3  # noqa: F401 - before TensorFlow, whose own SQLite, without full-text search, would take its place

# TensorFlow Recommenders and the TensorFlow classes of Transformers need Keras 2 (the tf-keras
# package). TensorFlow reads the variable once, when it is imported, so it is set before any
# module of this package can import it.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__version__ = "0.1.0"
