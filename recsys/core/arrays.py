"""Arrays in half precision, and such that stay on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.core.types import Float16Array


def half(array: NDArray[np.floating]) -> Float16Array:
    """The array in half precision, contiguous; infinite where a number lies beyond 65,504."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, np.float16)


def mapped(path: Path) -> NDArray[Any]:
    """The array in a .npy file, mapped into memory; what is written to it never reaches the file.

    A plain array, of which small pieces are taken much faster than of a memmap; and not a read-only one, for which
    kernels would be compiled once more.
    """
    return np.asarray(np.load(path, mmap_mode="c"))
