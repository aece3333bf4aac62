"""What scores are made of: the exact share of each interaction of the history, and a rest that is nobody's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from recsys.core.types import Float32Array, Float64Array, Int32Array


@dataclass(frozen=True)
class Shares:
    """Of a source's scores of C items for each of B queries. All shares of an item and its rest add up to its score.

    An item without a score has shares and a rest of 0.

    Attributes:
        by_position: float64 [B, C, L], what each interaction of the history gives, in the history's order (oldest
            first); 0 beyond its end. L is the longest history's length.
        rest: float64 [B, C], what is no interaction's share, such as popularity or an item's bias.
        lenders: int32 [B, C, M], items of similar text whose scores an item borrows that nobody has chosen yet, padded
            with `NO_ITEM`.
        lent: float64 [B, C, M], what each lender gives. It is the same score told in another way: a borrowed score's
            shares by position are those of its lenders.
    """

    by_position: Float64Array
    rest: Float64Array
    lenders: Int32Array
    lent: Float64Array

    @property
    def total(self) -> Float64Array:
        """float64 [B, C], the scores."""
        return np.asarray(self.by_position.sum(axis=2) + self.rest)

    @classmethod
    def of_history(cls, by_position: Float64Array, rest: Float64Array | None = None) -> Self:
        """Of scores that are not borrowed; None: there is no rest."""
        shape = by_position.shape[:2]
        rest = np.zeros(shape) if rest is None else rest
        return cls(by_position, rest, np.zeros((*shape, 0), np.int32), np.zeros((*shape, 0)))

    @classmethod
    def nobodys(cls, scores: Float32Array, longest: int) -> Self:
        """Of scores [B, C] that are no interaction's share; -inf where there is none."""
        rest = np.where(np.isfinite(scores), scores, 0).astype(np.float64)
        return cls.of_history(np.zeros((*scores.shape, longest)), rest)
