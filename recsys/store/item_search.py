"""Items of the served bundle by words, names and price, in one of several orders, a page at a time.

A search of a large catalogue takes one of two ways, whichever ends soon. Where many items match, it goes along the
index of the order that is wanted and takes what fits. Where few do, it takes all of them and sorts these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from recsys.store import paging
from recsys.store.database import Database
from recsys.store.item_conditions import CURRENT, Condition, are_alone, conditions_of
from recsys.store.item_orders import Run, rest_of
from recsys.store.item_searches import FoundItems, ItemSearch
from recsys.store.searched_items import item_of
from recsys.store.tables import CATALOGUES, ITEMS

FEW: Final = 2_000  # items that are all taken and sorted
WALKS: Final = (400, 4_000)  # items that are looked at along an order before another way is tried
COUNTED: Final = 10_000  # items of one condition that are counted before a total is left at that
EXAMINED: Final = 5_000  # of those, items of which it is found out whether they fulfil the other conditions

_C, _I = CATALOGUES.c, ITEMS.c
_ITEM = (_I.item_id, _I.title, _I.brand, _I.categories, _I.price, _I.image, _I.position, _I.title_key)


def search_items(database: Database, search: ItemSearch, cursor: str | None, limit: int) -> FoundItems:
    """See `Store.search_items`."""
    runs = rest_of(search.sort, cursor)
    with database.read() as connection:
        alone = search.query is not None and are_alone(connection)
        conditions = conditions_of(search, database.backend, alone=alone)
        if conditions is None:
            return FoundItems([])
        found = _Search(connection, conditions)
        rows = found.rows(runs, limit + 1)
        total, exact = found.total()
    shown = rows[:limit]
    next_cursor = None
    if shown and len(rows) > limit:
        run, last = shown[-1]
        next_cursor = paging.encode(run.name, run.shown(last))
    return FoundItems([item_of(row) for _, row in shown], next_cursor, total, exact)


class _Search:
    """The items that fulfil all conditions, by way of the one that the fewest fulfil."""

    def __init__(self, connection: sa.Connection, conditions: Sequence[Condition]) -> None:
        self._connection = connection
        sizes = [self._count(_first(condition.way, COUNTED + 1)) for condition in conditions]
        order = sorted(range(len(sizes)), key=sizes.__getitem__)
        self._conditions = [conditions[number] for number in order]
        self._size = sizes[order[0]] if order else None

    def total(self) -> tuple[int, bool]:
        """How many items there are, and whether that is all of them or only those that were counted."""
        if self._size is None:
            whole = sa.select(_C.item_count).where(_C.catalogue == CURRENT)
            return self._connection.execute(whole).scalar() or 0, True
        first, *others = self._conditions
        if not others:
            return min(self._size, COUNTED), self._size <= COUNTED
        way = _first(first.way, EXAMINED)
        of_item = sa.and_(_I.catalogue == CURRENT, first.column == next(iter(way.c)))
        fitting = sa.select(_I.seq).select_from(way).join(ITEMS, of_item).where(*(other.test for other in others))
        return self._count(fitting.subquery()), self._size <= EXAMINED

    def rows(self, runs: Sequence[tuple[Run, list[Any] | None]], wanted: int) -> list[tuple[Run, Any]]:
        """The first of the items, each with its run."""
        rows: list[tuple[Run, Any]] = []
        for run, shown in runs:
            rows += [(run, row) for row in self._rows_of(run, shown, wanted - len(rows))]
            if len(rows) == wanted:
                break
        return rows

    def _rows_of(self, run: Run, shown: list[Any] | None, wanted: int) -> Sequence[Any]:
        """The first items of a run behind the one that was shown last."""
        if self._size is None:
            return self._connection.execute(run.along(_ITEM, shown, wanted)).all()
        if self._size > FEW:
            rows, all_of_them = self._walk(run, shown, wanted)
            if all_of_them:
                return rows
        first, *others = self._conditions
        way = first.way.cte("way").prefix_with("MATERIALIZED")
        few = run.sorted(_ITEM, shown).join(way, first.column == next(iter(way.c)))
        return self._connection.execute(few.where(*(other.test for other in others)).limit(wanted)).all()

    def _walk(self, run: Run, shown: list[Any] | None, wanted: int) -> tuple[Sequence[Any], bool]:
        """Items found along the index, and whether these are all that are wanted, or all there are."""
        keys = [key for condition in self._conditions if condition.kind == run.kind for key in condition.keys]
        tests = [condition.test for condition in self._conditions]
        for count in WALKS:
            walk = run.along(_ITEM, shown, count, keys).where(*tests).limit(wanted)
            rows = self._connection.execute(walk).all()
            if len(rows) == wanted:
                return rows, True
            if self._connection.execute(run.is_longer(shown, count, keys)).first() is None:
                return rows, True
        return [], False

    def _count(self, rows: sa.Subquery) -> int:
        return int(self._connection.execute(sa.select(sa.func.count()).select_from(rows)).scalar_one())


def _first(way: sa.Select[Any], count: int) -> sa.Subquery:
    return way.limit(count).subquery()
