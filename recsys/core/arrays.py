"""Arrays in half precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.core.types import Float16Array


def half(array: NDArray[np.floating]) -> Float16Array:
    """The array in half precision, contiguous; numbers beyond 65,504 become infinite."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, np.float16)
