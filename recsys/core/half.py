"""Half precision in compiled loops, which have no such type: numbers are passed as their bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.core.compiled import compiled, compiled_as_written
from recsys.core.types import Float32Array, UInt16Array

_SIGN, _SIZE = np.uint32(0x8000), np.uint32(0x7FFF)
_TO_SIGN, _TO_SIZE = np.uint32(16), np.uint32(13)
_EXPONENT = np.float32(2.0**112)  # single precision counts exponents from -127, half precision from -15


def halves(array: NDArray[np.floating]) -> UInt16Array:
    """Numbers of half precision as kernels take them: their bits. A contiguous float16 array is not copied."""
    return np.ascontiguousarray(array, np.float16).view(np.uint16)


@compiled_as_written  # the product is formed first: its first factor alone is too small to calculate with
def number(bits: np.uint16) -> np.float32:
    """In a kernel: the finite number of half precision that has these bits."""
    wide = np.uint32(bits)
    moved = np.uint32((wide & _SIGN) << _TO_SIGN | (wide & _SIZE) << _TO_SIZE)
    return moved.view(np.float32) * _EXPONENT


@compiled
def widen(matrix: UInt16Array, numbers: Float32Array) -> None:
    """Write the matrix of half precision [N, D] in single precision, several times as fast as NumPy does."""
    for row in range(matrix.shape[0]):
        for column in range(matrix.shape[1]):
            numbers[row, column] = number(matrix[row, column])
