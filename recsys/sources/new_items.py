"""Items that no training has seen: their vectors, and from which items they borrow the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from recsys.core.types import Float16Array, Float32Array, Int32Array


@dataclass(frozen=True)
class NewItems:
    """What sources need of M items beyond the N of a bundle; they take the rows N..N+M-1, in this order.

    Attributes:
        vectors: float16 [M, D], by the primary source, as a training run would export them for items without
            interactions.
        lenders: int32 [M, L], rows of trained items of similar text, below N; `NO_ITEM` where there are fewer, and
            everywhere for an item without a text. See `recsys.sources.lending.Loans`.
        weights: float32 [M, L], by similarity of text, those of a row adding up to 1; 0 beside `NO_ITEM`.
    """

    vectors: Float16Array
    lenders: Int32Array
    weights: Float32Array

    def __len__(self) -> int:
        return len(self.vectors)

    @classmethod
    def none(cls, dim: int) -> Self:
        """No items, of vectors of D numbers."""
        return cls(np.zeros((0, dim), np.float16), np.zeros((0, 0), np.int32), np.zeros((0, 0), np.float32))

    def equals(self, other: NewItems) -> bool:
        """Whether the other are the same numbers."""
        names = "vectors", "lenders", "weights"
        return self is other or all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)

    def lent(self, values: Float32Array) -> Float32Array:
        """Of values [N, ...] of the bundle's items the weighted means by lenders, [M, ...]; 0 where nobody lends."""
        lent = np.zeros((len(self), *values.shape[1:]), np.float32)
        for lenders, weights in zip(self.lenders.T, self.weights.T, strict=True):
            rows = np.flatnonzero(lenders >= 0)  # one lender of each item at a time: values may be wide
            lent[rows] += (values[lenders[rows]].T * weights[rows]).T
        return lent
