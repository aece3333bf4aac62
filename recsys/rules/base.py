"""What rules read of a bundle, the same for every rule set: loaded when first asked for, then kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from recsys.bundle import Bundle
from recsys.bundle.overlay import LiveBundle
from recsys.core.events import SECONDS_PER_DAY
from recsys.core.queries import Queries
from recsys.core.types import BoolArray, Float16Array, Float32Array, Float64Array
from recsys.rules.columns import FieldType, TextColumn
from recsys.rules.expressions import Condition, evaluate
from recsys.rules.item_columns import ItemColumns
from recsys.rules.kept import Kept
from recsys.rules.live_columns import LiveColumns
from recsys.rules.spending import Spending
from recsys.rules.user_columns import USER_TYPES, UserColumns

_BYTES_OF_MASKS = 64 << 20
_NO_GROUPS = frozenset({"id", "title"})  # texts that are different for every item


def most_masks(n_items: int) -> int:
    """How many masks of a catalogue are kept."""
    return max(32, min(512, _BYTES_OF_MASKS // max(n_items, 1)))


@dataclass(frozen=True, eq=False)
class RuleBase:
    """A bundle, as rules see it. Made once for each loaded bundle; any number of rule sets share it.

    Attributes:
        bundle: open.
        below: of the bundle below, where this one is seen with live items: what does not change is shared with it.
    """

    bundle: Bundle
    below: RuleBase | None = None

    @classmethod
    def of(cls, bundle: Bundle, below: RuleBase | None = None) -> Self:
        """Of an open bundle. Nothing is read yet."""
        return cls(bundle, below)

    @property
    def n_items(self) -> int:
        """N, items of the catalogue."""
        return self.bundle.n_items

    @cached_property
    def items(self) -> ItemColumns:
        """The fields of the items that expressions name."""
        if self.below is not None and isinstance(self.bundle, LiveBundle):
            return LiveColumns(self.bundle, self.below.items)
        return ItemColumns(self.bundle)

    @cached_property
    def spending(self) -> Spending:
        """What the bundle's users pay on average."""
        return Spending.of(self.bundle.histories, np.asarray(self.items.numbers("price"), np.float32))

    @property
    def item_types(self) -> Mapping[str, FieldType]:
        """Type of every field of items."""
        return self.items.types

    @property
    def user_types(self) -> Mapping[str, FieldType]:
        """Type of every field of users."""
        return USER_TYPES

    def mask(self, condition: Condition, day: int) -> BoolArray:
        """Bool [N], the items for which a condition is true.

        Args:
            condition: of items.
            day: since 1970, whose first moment counts where the condition reads the time or the age of items.
        """

        def make() -> BoolArray:
            now = float(day * SECONDS_PER_DAY)
            return np.ascontiguousarray(evaluate(condition, self.items.on(day), now).true)

        return self._masks.get((condition.text, day), make)

    @cached_property
    def _masks(self) -> Kept[tuple[str, int], BoolArray]:
        return Kept(most_masks(self.n_items))

    @property
    def vectors(self) -> Float16Array:
        """float16 [N, D], the vectors of the items by the primary source."""
        return self.bundle.item_embeddings

    def user_vectors(self, queries: Queries) -> Float32Array:
        """float32 [B, D], whose inner products with the vectors of items are the primary source's scores."""
        return self.bundle.two_tower().encode(queries)

    @cached_property
    def popularity_ranks(self) -> Float64Array:
        """float64 [N], rank of each item by popularity, from 1."""
        return np.asarray(self.items.numbers("popularity_rank"), np.float64)

    def users(self, queries: Queries) -> UserColumns:
        """The fields of the users of a batch."""
        return UserColumns(queries, self.spending)

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
