"""What nobody has chosen yet borrows from items of similar text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import BundleError
from recsys.core.queries import NO_ITEM
from recsys.core.stored_arrays import REMEDY, read_array, require_range
from recsys.core.types import BoolArray, Float32Array, Int32Array, Int64Array
from recsys.sources.lending_kernels import most_borrowers, write_lenders, write_lent
from recsys.sources.new_items import NewItems
from recsys.sources.text_lenders import TextLenders

NOT_LISTED = -1
Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class Loans:
    """Which items of a catalogue of N borrow, from which others, and how much from each.

    Attributes:
        n_items: N.
        borrowers: int64 [U], rows of the items with a text that do not occur in training.
        lenders: int32 [U, L], rows of items that do, L at most `text_lenders.LENDERS`; `NO_ITEM` where there are fewer.
        weights: float32 [U, L], by similarity of text, rows adding up to 1.
    """

    n_items: int
    borrowers: Int64Array
    lenders: Int32Array
    weights: Float32Array

    @classmethod
    def of(cls, text: Float32Array, chosen: BoolArray) -> Self:
        """Each item that nobody has chosen borrows from the chosen ones nearest to it by centred cosine of the texts.

        Args:
            text: float32 [N, E], zero where there is no text: such an item neither borrows nor lends.
            chosen: bool [N], items that occur in training.
        """
        lenders = TextLenders.of(text, chosen)
        borrowers = np.flatnonzero(~chosen & text.any(axis=1))
        if not len(lenders) or not len(borrowers):
            return cls.none(len(text))
        return cls(len(text), borrowers, *lenders.nearest(text[borrowers]))

    @classmethod
    def none(cls, n_items: int) -> Self:
        """Nobody borrows."""
        return cls(n_items, np.zeros(0, np.int64), np.zeros((0, 0), np.int32), np.zeros((0, 0), np.float32))

    def with_new_items(self, new: NewItems) -> Self:
        """These, and new items in the rows behind the N, as far as anybody lends them anything."""
        lent = np.flatnonzero(new.weights.any(axis=1)) if new.weights.size else np.zeros(0, np.int64)
        width = max(self.lenders.shape[1], new.lenders.shape[1])
        return type(self)(
            self.n_items + len(new),
            np.concatenate([self.borrowers, self.n_items + lent]),
            np.concatenate([_wide(self.lenders, width, NO_ITEM), _wide(new.lenders[lent], width, NO_ITEM)]),
            np.concatenate([_wide(self.weights, width, 0), _wide(new.weights[lent], width, 0)]),
        )

    @cached_property
    def borrower_index(self) -> Int32Array:
        """int32 [N + 1], index of each item among the borrowers; `NOT_LISTED` for the others and for `NO_ITEM`."""
        index = np.full(self.n_items + 1, NOT_LISTED, np.int32)
        index[self.borrowers] = np.arange(len(self.borrowers))
        return index

    def lend(self, values: Float32Array) -> Float32Array:
        """`values` [N] in which borrowers have the weighted mean of their lenders."""
        lent = values.copy()
        lent[self.borrowers] = (values[self.lenders] * self.weights).sum(axis=1)
        return lent

    def with_lenders(self, items: Int32Array) -> Int32Array:
        """Those items [B, C] whose scores `fill` reads: the candidates, then the lenders of borrowers among them.

        The candidates themselves, the same array, where none borrows: there is nothing to fill in.
        """
        most = most_borrowers(items, self.borrower_index) if len(self.borrowers) else 0
        if most == 0:
            return items
        wide = np.empty((len(items), items.shape[1] + most * self.lenders.shape[1]), np.int32)
        write_lenders(items, self.borrower_index, self.lenders, wide)
        return wide

    def fill(self, scores: Float32Array, items: Int32Array, rows: Int64Array, filled: Float32Array) -> None:
        """Write the scores of candidates; borrowers of score 0 have the weighted mean of their lenders' scores.

        Args:
            scores: float32 [R, B, ...], of R sources, for what `with_lenders` gives for the candidates.
            items: int32 [B, C], the candidates, padded with `NO_ITEM`.
            rows: int64 [R], the row of `filled` for each of the sources.
            filled: float32 [S, B, C].
        """
        write_lent(scores, items, self.borrower_index, self.weights, rows, filled)

    def of_items(self, items: Int32Array, unscored: BoolArray) -> tuple[Int32Array, Float32Array]:
        """From which items the borrowers among those without a score borrow, and how much.

        Args:
            items: int32 [B, C], padded with `NO_ITEM`.
            unscored: bool [B, C], which of them have no score of their own.

        Returns:
            Lenders int32 [B, C, L], `NO_ITEM` where nothing is borrowed; their weights float32 [B, C, L], 0 there.
        """
        number = self.borrower_index[items]
        borrows = (unscored & (number != NOT_LISTED))[..., None]
        shape = *items.shape, self.lenders.shape[1]
        if not borrows.any():
            return np.full(shape, NO_ITEM, np.int32), np.zeros(shape, np.float32)
        lenders, weights = self.lenders[number], self.weights[number]
        return np.where(borrows, lenders, np.int32(NO_ITEM)), np.where(borrows, weights, np.float32(0))

    def save(self, folder: Path) -> None:
        """Write into `folder`, which exists."""
        for name in ("borrowers", "lenders", "weights"):
            np.save(folder / f"loan_{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path, n_items: int) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: a file is missing, or not what `save` writes.
        """
        of_borrowers, of_lenders = folder / "loan_borrowers.npy", folder / "loan_lenders.npy"
        borrowers = read_array(of_borrowers, np.int64, None)
        require_range(borrowers, of_borrowers, 0, n_items - 1)
        if (borrowers[1:] <= borrowers[:-1]).any():
            raise BundleError(f"each borrower once, in order, in {of_borrowers}", "another order", REMEDY)
        lenders = read_array(of_lenders, np.int32, len(borrowers), None)
        require_range(lenders, of_lenders, 0, n_items - 1)
        return cls(n_items, borrowers, lenders, read_array(folder / "loan_weights.npy", np.float32, *lenders.shape))


def _wide(rows: NDArray[Number], width: int, padding: int) -> NDArray[Number]:
    """The rows with padding on their right, up to a width."""
    return np.pad(rows, ((0, 0), (0, width - rows.shape[1])), constant_values=padding)
