"""The orders in which a search lists items, and how far a listing has come in one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from recsys.store import paging
from recsys.store.errors import InvalidCursor
from recsys.store.item_conditions import CURRENT, Clause
from recsys.store.item_searches import ItemSort
from recsys.store.records import storable
from recsys.store.tables import ITEMS

_I = ITEMS.c


@dataclass(frozen=True)
class Run:
    """Items that one index has in the order of a listing: those with a price, for example, by their prices.

    Attributes:
        name: of the run, for cursors: a cursor is one of its run and of no other.
        key: what they are sorted by, items of the same key by position; None: by position alone.
        kind: type of the keys.
        descending: whether the greatest key comes first, and of the same key the last position.
        within: which items are in the run.
    """

    name: str
    key: sa.ColumnElement[Any] | None = None
    kind: type = str
    descending: bool = False
    within: Clause | None = None

    @property
    def columns(self) -> list[sa.ColumnElement[Any]]:
        """What the items are sorted by; an index has them in this order."""
        return [_I.position] if self.key is None else [self.key, _I.position]

    def order(self, *, unindexed: bool = False) -> list[sa.ColumnElement[Any]]:
        """For ORDER BY; `unindexed`: said so that no database goes along the index, which may take it far."""
        columns = [sa.func.coalesce(column, column) for column in self.columns] if unindexed else self.columns
        return [column.desc() if self.descending else column.asc() for column in columns]

    def beyond(self, key: Sequence[Any]) -> Clause:
        """The items behind those of a key, which is one of `key_of`."""
        *values, position, item_id = key
        # Where other items have been put since, the last one shown may stand elsewhere.
        now = sa.select(_I.position).where(_I.catalogue == CURRENT, _I.item_id == storable(item_id)).scalar_subquery()
        return self._compared([*values, sa.func.coalesce(now, position)], behind=True)

    def up_to(self, row: Any) -> Clause:
        """The items that come no later than a row of `columns`."""
        return self._compared(list(row), behind=False)

    def _compared(self, values: Sequence[Any], *, behind: bool) -> Clause:
        own, given = sa.tuple_(*self.columns), sa.tuple_(*values)
        if behind:
            return own < given if self.descending else own > given
        return own >= given if self.descending else own <= given

    def key_of(self, row: Any) -> list[Any]:
        """Where an item stands: its key if the run has keys, its position, its id."""
        keys = [] if self.key is None else [getattr(row, self.key.key or "")]
        return [*keys, row.position, row.item_id]

    def read(self, cursor: str) -> list[Any]:
        """The key in a cursor; raises InvalidCursor."""
        return paging.decode(self.name, cursor, *([] if self.key is None else [self.kind]), int, str)


def _runs(name: str, key: sa.ColumnElement[Any], kind: type, *, descending: bool) -> tuple[Run, ...]:
    with_key = Run(f"items by {name}", key, kind, descending, key.is_not(None))
    return with_key, Run(f"items without what is sorted by {name}", within=key.is_(None))


ORDERS: Final[dict[ItemSort, tuple[Run, ...]]] = {
    "popularity": (Run("items"),),
    "price": _runs("price", _I.price, float, descending=False),
    "-price": _runs("-price", _I.price, float, descending=True),
    "title": _runs("title", _I.title_key, str, descending=False),
    "-title": _runs("-title", _I.title_key, str, descending=True),
}


def rest_of(sort: ItemSort, cursor: str | None) -> list[tuple[Run, list[Any] | None]]:
    """The runs that a listing has yet to go through, the first from behind a key on.

    Raises:
        InvalidCursor: it is none of a listing in this order.
    """
    runs = ORDERS[sort]
    if cursor is None:
        return [(run, None) for run in runs]
    for number, run in enumerate(runs):
        try:
            key = run.read(cursor)
        except InvalidCursor:
            if run is runs[-1]:
                raise
        else:
            return [(run, key), *((later, None) for later in runs[number + 1 :])]
    return []
