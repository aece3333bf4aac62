"""ScaNN's search library without TensorFlow.

`import scann` imports TensorFlow wherever it is installed, for ops that only TensorFlow graphs need; that
costs a server seconds and a gigabyte. The NumPy binding is a submodule that needs none of it, but importing
a submodule runs its package's `__init__` first. So the package stands in as an empty module with the same
search path while the submodule is imported. A later (or earlier) plain `import scann` works as ever.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from types import ModuleType

_PYBIND = "scann.scann_ops.py.scann_ops_pybind"
_lock = threading.Lock()


def scann_pybind() -> ModuleType:
    """ScaNN's module with `builder` and `load_searcher`, imported without TensorFlow.

    Raises:
        ModuleNotFoundError: the package scann is not installed.
    """
    with _lock:
        if _PYBIND in sys.modules or "scann" in sys.modules:
            return importlib.import_module(_PYBIND)
        spec = importlib.util.find_spec("scann")
        if spec is None or spec.submodule_search_locations is None:
            raise ModuleNotFoundError("No module named 'scann'", name="scann")
        package = ModuleType("scann")
        package.__path__ = list(spec.submodule_search_locations)
        sys.modules["scann"] = package
        try:
            return importlib.import_module(_PYBIND)
        finally:
            del sys.modules["scann"]
