"""Arrays in half precision, and arrays mapped from disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.core.types import Float16Array


def half(array: NDArray[np.floating]) -> Float16Array:
    """The array in half precision, contiguous; numbers beyond 65,504 become infinite."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, np.float16)


def mapped(path: Path) -> NDArray[Any]:
    """The array in a .npy file, mapped into memory; what is written to it never reaches the file.

    It is a plain array, because small slices of one are taken much faster than slices of a `numpy.memmap`, and it is
    writable, because kernels would be compiled once more for read-only arrays.
    """
    return np.asarray(np.load(path, mmap_mode="c"))
