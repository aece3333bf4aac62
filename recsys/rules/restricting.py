"""Restricting: the items that hide and require leave, as one mask for each set of such rules that acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.core.queries import Queries
from recsys.core.types import BoolArray, Int32Array, Int64Array
from recsys.pipeline.allow import Restriction


@dataclass(frozen=True)
class Masked(Restriction):
    """The items of a mask of each query.

    Attributes:
        masks: S masks, bool [N] each.
        of_query: int64 [B], the number of the mask of each query.
    """

    selective: ClassVar[bool] = False

    masks: tuple[BoolArray, ...]
    of_query: Int64Array

    def allows(self, queries: Queries, items: Int32Array) -> BoolArray:  # noqa: ARG002
        """Look the items up."""
        if len(self.masks) == 1:
            return self.masks[0][items]
        allowed = np.empty(items.shape, np.bool_)
        for number, mask in enumerate(self.masks):
            rows = np.flatnonzero(self.of_query == number)
            allowed[rows] = mask[items[rows]]
        return allowed

    def select(self, rows: Sequence[int]) -> Restriction:
        """Of some of the queries."""
        return Masked(self.masks, self.of_query[rows])
