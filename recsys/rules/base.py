"""What rules read of a bundle, the same for every rule set: loaded when first asked for, then kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from recsys.bundle import Bundle
from recsys.core.queries import Queries
from recsys.core.types import Float16Array, Float32Array, Int32Array
from recsys.rules.columns import TextColumn
from recsys.rules.item_columns import ItemColumns
from recsys.rules.spending import Spending
from recsys.sources.registry import FALLBACK

_NO_GROUPS = frozenset({"id", "title"})  # texts that are different for every item


@dataclass(frozen=True, eq=False)
class RuleBase:
    """A bundle, as rules see it. Made once for each loaded bundle; any number of rule sets share it.

    Attributes:
        bundle: open.
    """

    bundle: Bundle

    @classmethod
    def of(cls, bundle: Bundle) -> Self:
        """Of an open bundle. Nothing is read yet."""
        return cls(bundle)

    @property
    def n_items(self) -> int:
        """N, items of the catalogue."""
        return self.bundle.n_items

    @cached_property
    def items(self) -> ItemColumns:
        """The fields of the items that expressions name."""
        return ItemColumns(self.bundle)

    @cached_property
    def spending(self) -> Spending:
        """What the bundle's users pay on average."""
        return Spending.of(self.bundle.histories, np.asarray(self.items.numbers("price"), np.float32))

    @property
    def vectors(self) -> Float16Array:
        """float16 [N, D], the vectors of the items by the primary source."""
        return self.bundle.item_embeddings

    def user_vectors(self, queries: Queries) -> Float32Array:
        """float32 [B, D], whose inner products with the vectors of items are the primary source's scores."""
        return self.bundle.two_tower().encode(queries)

    @cached_property
    def popular(self) -> Int32Array:
        """int32 [N], item rows from the most popular one."""
        ranking = self.bundle.source(FALLBACK).propose(Queries.nobody(), self.n_items)
        return np.asarray(ranking.items[0], np.int32)

    @cached_property
    def places(self) -> Int32Array:
        """int32 [N], place of each item in `popular`."""
        places = np.empty(self.n_items, np.int32)
        places[self.popular] = np.arange(self.n_items, dtype=np.int32)
        return places

    @cached_property
    def prices(self) -> Float32Array:
        """float32 [N], NaN where unknown or not positive."""
        prices = self.items.numbers("price")
        return np.where(prices > 0, prices, np.nan).astype(np.float32)

    @property
    def cycles(self) -> Float32Array:
        """float32 [N], days after which people buy each item again; NaN where the data do not tell."""
        return self.bundle.cycles

    @cached_property
    def group_fields(self) -> tuple[str, ...]:
        """Names by which items can be grouped: fields of one text each that several items share."""
        fields = self.items.types
        return tuple(sorted(name for name, kind in fields.items() if kind == "text" and name not in _NO_GROUPS))

    def groups(self, field: str) -> TextColumn:
        """The group of each item by one of `group_fields`; `NO_NAME` where it has none."""
        return self.items.texts(field)
