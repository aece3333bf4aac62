"""What all workers of a server read and none changes: imported by the process that they are forked from.

Pages of memory are shared until somebody writes to them. Python counts who uses an object within the object, so pages
of objects that are used are written to after all; machine code, its descriptions and most of what modules hold are not.
Nothing here may start a thread or open a file: neither survives a fork whole. OpenBLAS, which has threads from NumPy's
import on, ends and begins them around a fork by itself.
"""

from __future__ import annotations

import gc

import recsys.store.migrate  # noqa: F401
import serve.app  # noqa: F401  # both for what they import
from recsys.core.compiled import read_compiled
from recsys.sources.two_tower.scann_loader import scann_pybind

scann_pybind()
read_compiled()
gc.collect()
gc.freeze()  # a collection in a worker would write to every object
