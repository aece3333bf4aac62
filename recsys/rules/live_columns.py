"""The fields of items of a bundle that is seen with live items: columns of the bundle below, changed where it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

import numpy as np

from recsys.bundle import ItemRecord
from recsys.bundle.overlay import LiveBundle
from recsys.bundle.overlay.columns import changed_array, changed_column
from recsys.core.attributes import AttributeType
from recsys.core.types import Float32Array, Float64Array
from recsys.rules.columns import TextColumn, TextsColumn
from recsys.rules.item_columns import Column, ItemColumns

_OF_CATALOGUE: dict[str, tuple[AttributeType, Callable[[ItemRecord], Any]]] = {
    "id": ("text", lambda record: record.item_id),
    "title": ("text", lambda record: record.title or None),
    "brand": ("text", lambda record: record.brand or None),
    "categories": ("texts", lambda record: record.categories),
}


class LiveColumns(ItemColumns):
    """The fields of all N + M items.

    Attributes:
        below: the fields of the N items that the bundle below holds.
    """

    def __init__(self, bundle: LiveBundle, below: ItemColumns) -> None:
        super().__init__(bundle)
        self.below, self._live = below, bundle.live

    @cached_property
    def first_interactions(self) -> Float64Array:
        return changed_array(self.below.first_interactions, {}, self.size)

    def _read(self, field: str) -> Column:
        records = self._live.records
        if field in _OF_CATALOGUE:
            kind, value_of = _OF_CATALOGUE[field]
            before = cast(TextColumn | TextsColumn, self.below.column(field))
            return changed_column(kind, before, {row: value_of(record) for row, record in records.items()}, self.size)
        if field == "price":
            prices = {row: np.nan if record.price is None else record.price for row, record in records.items()}
            return cast(Float32Array, changed_array(self.below.numbers(field), prices, self.size))
        return super()._read(field)
