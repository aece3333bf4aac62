"""Which rows the items of changes have, and what the catalogue says of them now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

from recsys.bundle.catalogue import Catalogue, ItemRecord
from recsys.core.attributes import STOCK
from recsys.core.item_changes import AVAILABLE, CATALOGUE_FIELDS, CATEGORIES, ItemChange


@dataclass(frozen=True)
class LiveItems:
    """The changes of N items that a bundle holds and of M that it does not, by row.

    Attributes:
        n_known: N.
        changes: the last change of each changed item, by its row; the new items have the rows N..N+M-1.
        rows: of the changed items, by id.
        records: what the catalogue says now of those whose catalogue fields a change names, and of the new ones.
        originals: what the bundle says of these, where it holds them.
    """

    n_known: int
    changes: Mapping[int, ItemChange]
    rows: Mapping[str, int]
    records: Mapping[int, ItemRecord]
    originals: Mapping[int, ItemRecord]

    @classmethod
    def of(cls, catalogue: Catalogue, changes: Sequence[ItemChange], before: Self | None = None) -> Self:
        """Of the changes of items, each item once.

        Args:
            catalogue: of the bundle.
            changes: those of new items in the order of their rows: of their first changes.
            before: of earlier changes over the same bundle; what did not change since is taken from there.

        Raises:
            ValueError: an item is there twice, or a new item would have another row than before.
        """
        rows = _rows(catalogue, changes, before)
        if len(rows) < len(changes):
            raise ValueError("changes of different items, got some of one item")
        if before is not None and any(rows.get(item_id) != row for item_id, row in before.new_rows()):
            raise ValueError("new items in the order of before, got another")
        of_rows = {rows[change.item_id]: change for change in changes}
        originals = _originals(catalogue, of_rows, before)
        return cls(catalogue.n_items, of_rows, rows, _records(of_rows, catalogue.n_items, originals, before), originals)

    @cached_property
    def n_new(self) -> int:
        """M."""
        return sum(row >= self.n_known for row in self.changes)

    @property
    def n_items(self) -> int:
        """N + M."""
        return self.n_known + self.n_new

    def new_rows(self) -> list[tuple[str, int]]:
        """Ids and rows of the new items, in the order of the rows."""
        return [(change.item_id, row) for row, change in self.changes.items() if row >= self.n_known]

    def naming(self, field: str) -> dict[int, Any]:
        """What the changes that name a field say, by row; of a new item that has not said anything, nothing."""
        return {row: change.fields[field] for row, change in self.changes.items() if field in change.fields}


def new_among(catalogue: Catalogue, changes: Iterable[ItemChange]) -> list[ItemChange]:
    """The changes of items that a bundle does not hold, in their order: those for which `NewItems` are made."""
    changes = list(changes)
    known = catalogue.item_rows(change.item_id for change in changes)
    return [change for change in changes if change.item_id not in known]


def in_no_list(change: ItemChange) -> bool:
    """Whether a change says that an item is deleted, unavailable or sold out."""
    stock = change.fields.get(STOCK)
    return change.deleted or change.fields.get(AVAILABLE) is False or (isinstance(stock, int | float) and stock <= 0)


def _rows(catalogue: Catalogue, changes: Sequence[ItemChange], before: LiveItems | None) -> dict[str, int]:
    told = {} if before is None else before.rows
    known = {item_id: told[item_id] for change in changes if (item_id := change.item_id) in told}
    known.update(catalogue.item_rows(change.item_id for change in changes if change.item_id not in told))
    rows: dict[str, int] = {}
    end = catalogue.n_items
    for change in changes:
        row = known.get(change.item_id, end)
        rows[change.item_id] = row if row < catalogue.n_items else end
        end += row >= catalogue.n_items
    return rows


def _originals(
    catalogue: Catalogue, changes: Mapping[int, ItemChange], before: LiveItems | None
) -> dict[int, ItemRecord]:
    told = {} if before is None else before.originals
    wanted = [
        row
        for row, change in changes.items()
        if row < catalogue.n_items and not change.fields.keys().isdisjoint(CATALOGUE_FIELDS)
    ]
    originals = {row: told[row] for row in wanted if row in told}
    originals.update((record.row, record) for record in catalogue.items([row for row in wanted if row not in told]))
    return originals


def _records(
    changes: Mapping[int, ItemChange], n_known: int, originals: Mapping[int, ItemRecord], before: LiveItems | None
) -> dict[int, ItemRecord]:
    told, said = ({}, {}) if before is None else (before.records, before.changes)
    records: dict[int, ItemRecord] = {}
    for row, change in changes.items():
        if row in told and said[row].fields == change.fields:
            records[row] = told[row]
        elif row in originals or row >= n_known:
            records[row] = _changed(originals.get(row, ItemRecord(row, change.item_id)), change)
    return records


def _changed(record: ItemRecord, change: ItemChange) -> ItemRecord:
    """A record with the fields that a change names."""
    fields: dict[str, Any] = {name: change.fields[name] for name in CATALOGUE_FIELDS if name in change.fields}
    if CATEGORIES in fields:
        fields[CATEGORIES] = tuple(fields[CATEGORIES] or ())
    return replace(record, **fields)
