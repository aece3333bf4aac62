"""The items that lend to others of similar text, with the directions of their texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.core.arrays import half
from recsys.core.stored_arrays import read_array, require_range
from recsys.core.types import BoolArray, Float32Array, Int32Array
from recsys.sources.exact import search

LENDERS = 10  # items of similar text from which one without interactions borrows; 3 to 20 do alike
# A text of length 1 that lies closer to the mean of all is the usual one: what is left of it is mostly rounding errors.
LEAST_SPREAD = 1e-2
_ROWS_FILE, _DIRECTIONS_FILE, _MEAN_FILE = "lender_rows.npy", "lender_directions.npy", "text_mean.npy"


@dataclass(frozen=True)
class TextLenders:
    """Items of a catalogue that occur in training and have a text.

    Attributes:
        rows: int32 [T], of the items, rising.
        directions: float32 or float16 [T, E], their texts at length 1 without what all have in common, again at
            length 1; shorter where hardly anything is left.
        mean: float32 [E], of the catalogue's texts at length 1.
    """

    rows: Int32Array
    directions: NDArray[np.floating]
    mean: Float32Array

    @classmethod
    def of(cls, text: Float32Array, chosen: BoolArray) -> Self:
        """The lenders of a catalogue of N items.

        Args:
            text: float32 [N, E], vectors of their texts; zero where there is no text.
            chosen: bool [N], items that occur in training.
        """
        described = np.asarray(text.any(axis=1))
        rows = np.flatnonzero(chosen & described)
        unit = _unit(text[described])
        mean = unit.mean(axis=0) if len(unit) else np.zeros(text.shape[1], np.float32)
        return cls(rows.astype(np.int32), _directions(text[rows], mean), mean)

    def __len__(self) -> int:
        return len(self.rows)

    def nearest(self, text: Float32Array) -> tuple[Int32Array, Float32Array]:
        """Who lends to items of these texts, by centred cosine.

        Args:
            text: float32 [M, E], none of them zero.

        Returns:
            Rows int32 [M, L] and weights float32 [M, L] that add up to 1; L is at most `LENDERS`, 0 without lenders.
        """
        count = min(LENDERS, len(self))
        if not count or not len(text):
            return np.zeros((len(text), count), np.int32), np.zeros((len(text), count), np.float32)
        best = search(_directions(text, self.mean), self.directions, count)
        weights = np.maximum(best.scores, 1e-6)
        weights /= weights.sum(axis=1, keepdims=True)
        return self.rows[best.items], weights

    def rounded(self) -> Self:
        """The same with directions in half precision, as they are read back."""
        return type(self)(self.rows, half(self.directions), self.mean)

    def save(self, folder: Path) -> None:
        """Write into `folder`, which exists; directions in half precision."""
        np.save(folder / _ROWS_FILE, self.rows)
        np.save(folder / _DIRECTIONS_FILE, half(self.directions))
        np.save(folder / _MEAN_FILE, self.mean)

    @classmethod
    def load(cls, folder: Path, n_items: int, dim: int) -> Self:
        """Read what `save` wrote; large arrays are memory-mapped.

        Args:
            folder: see above.
            n_items: N, of the catalogue.
            dim: E.

        Raises:
            BundleError: a file is missing, or not what `save` writes.
        """
        rows = read_array(folder / _ROWS_FILE, np.int32, None)
        require_range(rows, folder / _ROWS_FILE, 0, n_items - 1)
        directions = read_array(folder / _DIRECTIONS_FILE, np.float16, len(rows), dim)
        return cls(rows, directions, read_array(folder / _MEAN_FILE, np.float32, dim))


def _directions(text: Float32Array, mean: Float32Array) -> Float32Array:
    centred = _unit(text) - mean
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), LEAST_SPREAD)
    return centred


def _unit(text: Float32Array) -> Float32Array:
    """Texts at length 1; zero stays zero."""
    unit: Float32Array = text / np.maximum(np.linalg.norm(text, axis=1, keepdims=True), 1e-12)
    return unit
