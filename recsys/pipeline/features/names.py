"""Names of brands and categories as rows, which features compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from recsys.core.stored_arrays import require_range
from recsys.core.types import Int32Array

NO_NAME = 0  # row of a brand or category where an item has none
HABIT_DECAY = 0.8  # weight of a step back in the history, in the user's habits of price, brand and category


def name_rows(names: Sequence[Sequence[str]]) -> Int32Array:
    """int32 [N, max(1, longest)], a row number from 1 for each distinct name, padded with `NO_NAME`."""
    number: dict[str, int] = {}
    width = max((len(row) for row in names), default=0)
    matrix = np.full((len(names), max(width, 1)), NO_NAME, np.int32)
    for item, row in enumerate(names):
        distinct = [number.setdefault(name, len(number) + 1) for name in dict.fromkeys(row)]
        matrix[item, : len(distinct)] = distinct
    return matrix


class Numbers:
    """Numbers of names, where some have theirs already."""

    def __init__(self, first: int, known: Mapping[str, int]) -> None:
        """`known`: those that are given; others are numbered from `first`, a number that none of these has, in turn."""
        self._next, self._known = first, known
        self._others: dict[str, int] = {}

    def of(self, name: str) -> int:
        """The number of a name, the same at every call."""
        known = self._known.get(name)
        return self._others.setdefault(name, self._next + len(self._others)) if known is None else known


def count_names(rows: Int32Array) -> int:
    """Number of distinct rows, `NO_NAME` included."""
    return int(rows.max(initial=NO_NAME)) + 1


def require_name_rows(rows: Int32Array, path: Path) -> None:
    """Refuse rows read from `path` that `name_rows` cannot have given: there are no more names than entries.

    Raises:
        BundleError: one is negative or beyond.
    """
    require_range(rows, path, NO_NAME, rows.size)
