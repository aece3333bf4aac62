"""Vectors as whole numbers of 8 bits: a quarter of the memory to read, and how far off their products may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from recsys.core.types import Float32Array, Int8Array

LARGEST = 127


@dataclass(frozen=True)
class CodedRows:
    """Rows [M, D], each as a scale times whole numbers.

    Attributes:
        codes: int8 [M, D].
        scales: float32 [M].
        sizes: float32 [M], lengths of the rows, rounded up.
        errors: float32 [M], lengths of what the codes leave of the rows, rounded up.
    """

    codes: Int8Array
    scales: Float32Array
    sizes: Float32Array
    errors: Float32Array

    @classmethod
    def of(cls, rows: Float32Array) -> Self:
        """Of finite rows."""
        scales = np.abs(rows).max(axis=1, initial=0) / np.float32(LARGEST)
        codes = np.rint(rows / np.maximum(scales, np.float32(1e-30))[:, None]).astype(np.int8)
        left = rows - scales[:, None] * codes
        return cls(codes, scales, _lengths(rows), _lengths(left))


def _lengths(rows: Float32Array) -> Float32Array:
    lengths: Float32Array = np.linalg.norm(rows, axis=1).astype(np.float32)
    return lengths * np.float32(1.001)
