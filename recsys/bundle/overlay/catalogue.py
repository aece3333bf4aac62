"""A catalogue in which some items differ from what the bundle's file says, and to which others have come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recsys.bundle.catalogue import Catalogue, ItemCard, ItemRecord
from recsys.bundle.overlay.live_items import LiveItems

Rows = Sequence[int] | NDArray[np.integer]


class LiveCatalogue(Catalogue):
    """Reads the bundle's catalogue, and what changes say instead. Deleted items are found as before: they have rows."""

    def __init__(self, base: Catalogue, live: LiveItems) -> None:
        """Over the catalogue of a bundle; users are its own."""
        self._file, self.n_users = base._file, base.n_users
        self.n_items = live.n_items
        self._base, self._live = base, live

    def item_rows(self, item_ids: Iterable[str]) -> dict[str, int]:
        asked = list(item_ids)
        found = {item_id: self._live.rows[item_id] for item_id in asked if item_id in self._live.rows}
        found.update(self._base.item_rows(item_id for item_id in asked if item_id not in found))
        return found

    def items(self, rows: Rows) -> list[ItemRecord]:
        records = self._live.records
        asked = [int(row) for row in rows]
        others = [row for row in asked if row not in records]
        of_bundle = dict(zip(others, self._base.items(others), strict=True))
        return [records[row] if row in records else of_bundle[row] for row in asked]

    def cards(self, rows: Sequence[int]) -> dict[int, ItemCard]:
        records = self._live.records
        cards = self._base.cards([row for row in rows if row not in records])
        cards.update((row, _card(records[row])) for row in rows if row in records)
        return cards

    def item_ids(self, rows: Rows) -> list[str]:
        known = self._live.n_known
        asked = [int(row) for row in rows]
        of_bundle = iter(self._base.item_ids([row for row in asked if row < known]))
        try:
            return [self._live.records[row].item_id if row >= known else next(of_bundle) for row in asked]
        except KeyError as error:
            raise KeyError(f"some of {len(asked)} rows are not in the catalogue's items") from error

    def texts(self, column: Literal["item_id", "title", "brand"]) -> Iterator[str | None]:
        records = self._live.records
        for row, text in enumerate(self._base.texts(column)):
            yield getattr(records[row], column) if row in records else text
        for row in range(self._live.n_known, self.n_items):
            yield getattr(records[row], column)

    def facets(self) -> Iterator[tuple[str | None, tuple[str, ...], float | None]]:
        records = self._live.records
        for row, facets in enumerate(self._base.facets()):
            yield _facets(records[row]) if row in records else facets
        for row in range(self._live.n_known, self.n_items):
            yield _facets(records[row])


def _card(record: ItemRecord) -> ItemCard:
    return ItemCard(record.item_id, record.title, record.brand, record.price)


def _facets(record: ItemRecord) -> tuple[str | None, tuple[str, ...], float | None]:
    return record.brand, record.categories, record.price
