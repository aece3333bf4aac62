"""Items of the served bundle by words, names and price, in one of several orders, a page at a time.

A search of a large catalogue takes one of two ways, whichever ends soon. Where many items match, it goes along the
index of the order that is wanted and takes what fits. Where few do, it takes all of them and sorts these.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from recsys.store import paging
from recsys.store.database import Database
from recsys.store.item_conditions import CURRENT, Condition, conditions_of
from recsys.store.item_orders import Run, rest_of
from recsys.store.item_searches import FoundItems, ItemSearch
from recsys.store.records import ItemRow
from recsys.store.tables import CATALOGUES, ITEMS

FEW: Final = 2_000  # items that are all taken and sorted
WALK: Final = 4_000  # items that are looked at along an order before another way is tried
COUNTED: Final = 5_000  # items that are counted before a total is left at that

_C, _I = CATALOGUES.c, ITEMS.c
_ITEM = sa.select(_I.item_id, _I.title, _I.brand, _I.categories, _I.price, _I.image, _I.position, _I.title_key).where(
    _I.catalogue == CURRENT
)


def search_items(database: Database, search: ItemSearch, cursor: str | None, limit: int) -> FoundItems:
    """See `Store.search_items`."""
    runs = rest_of(search.sort, cursor)
    conditions = conditions_of(search, database.backend)
    if conditions is None:
        return FoundItems([])
    with database.read() as connection:
        found = _Search(connection, conditions)
        rows = found.rows(runs, limit + 1)
        total, exact = found.total()
    shown = rows[:limit]
    next_cursor = None
    if shown and len(rows) > limit:
        run, last = shown[-1]
        next_cursor = paging.encode(run.name, run.key_of(last))
    return FoundItems([_item(row) for _, row in shown], next_cursor, total, exact)


def _item(row: Any) -> ItemRow:
    return ItemRow(row.item_id, row.title, row.brand, tuple(json.loads(row.categories)), row.price, row.image)


class _Search:
    """The items that fulfil all conditions, by way of the one that the fewest fulfil."""

    def __init__(self, connection: sa.Connection, conditions: Sequence[Condition]) -> None:
        self._connection = connection
        sizes = [self._count(sa.select(sa.func.count()), _up_to(condition.way)) for condition in conditions]
        order = sorted(range(len(sizes)), key=sizes.__getitem__)
        self._conditions = [conditions[number] for number in order]
        self._size = sizes[order[0]] if order else None

    def total(self) -> tuple[int, bool]:
        """How many items there are, and whether that is all of them or only those that were counted."""
        if self._size is None:
            whole = sa.select(_C.item_count).where(_C.catalogue == CURRENT)
            return self._connection.execute(whole).scalar() or 0, True
        exact = self._size <= COUNTED
        if len(self._conditions) == 1:
            return min(self._size, COUNTED), exact
        first, *others = self._conditions
        way = _up_to(first.way)
        fitting = sa.select(sa.func.count()).select_from(ITEMS).where(*(other.test for other in others))
        return self._count(fitting.join(way, way.c.seq == _I.seq)), exact

    def rows(self, runs: Sequence[tuple[Run, list[Any] | None]], wanted: int) -> list[tuple[Run, Any]]:
        """The first of the items, each with its run."""
        rows: list[tuple[Run, Any]] = []
        for run, key in runs:
            rows += [(run, row) for row in self._rows_of(run, key, wanted - len(rows))]
            if len(rows) == wanted:
                break
        return rows

    def _rows_of(self, run: Run, key: list[Any] | None, wanted: int) -> Sequence[Any]:
        statement = _ITEM.limit(wanted)
        if run.within is not None:
            statement = statement.where(run.within)
        if key is not None:
            statement = statement.where(run.beyond(key))
        if self._size is None:
            return self._connection.execute(statement.order_by(*run.order())).all()
        if self._size > FEW:
            end = self._end_of_walk(statement, run)
            walk = statement if end is None else statement.where(run.up_to(end))
            tests = (condition.test for condition in self._conditions)
            rows = self._connection.execute(walk.where(*tests).order_by(*run.order())).all()
            if end is None or len(rows) == wanted:
                return rows
        first, *others = self._conditions
        statement = statement.where(_I.seq.in_(first.way), *(other.test for other in others))
        return self._connection.execute(statement.order_by(*run.order(unindexed=True))).all()

    def _end_of_walk(self, statement: sa.Select[Any], run: Run) -> Any:
        """Where in the order a walk ends; None: it goes through to the end."""
        place = statement.with_only_columns(*run.columns).order_by(*run.order()).limit(1).offset(WALK)
        return self._connection.execute(place).one_or_none()

    def _count(self, counted: sa.Select[Any], of: sa.Subquery | None = None) -> int:
        return int(self._connection.execute(counted if of is None else counted.select_from(of)).scalar_one())


def _up_to(way: sa.Select[Any]) -> sa.Subquery:
    """The first items of a way, one more than are counted."""
    return way.limit(COUNTED + 1).subquery()
