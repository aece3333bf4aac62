"""The orders in which a search lists items, and how far a listing has come in one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from recsys.store import paging
from recsys.store.errors import InvalidCursor
from recsys.store.item_conditions import CURRENT, Clause, of_kind
from recsys.store.item_keys import Kind, price_key
from recsys.store.item_searches import ItemSort
from recsys.store.records import storable
from recsys.store.tables import ITEM_KEYS, ITEMS

_I, _K = ITEMS.c, ITEM_KEYS.c


@dataclass(frozen=True)
class Run:
    """Items that follow each other in the order of a listing: those with a price, for example, by their prices.

    Attributes:
        name: of the run, for cursors: a cursor is one of its run and of no other.
        kind: of the keys by which an index has the items in their order; None: they have the order of their positions.
        value: of an item, what it is sorted by; None: all items of the run have the same. Items of the same value are
            sorted by position.
        key: the key of a value.
        type: of values.
        descending: whether the greatest value comes first, and of the same value the last position.
        within: which items are in the run; None: all.
    """

    name: str
    kind: Kind | None = None
    value: sa.ColumnElement[Any] | None = None
    key: Callable[[Any], str] = str
    type: type = str
    descending: bool = False
    within: Clause | None = None

    def along(
        self, columns: Sequence[Any], shown: Sequence[Any] | None, count: int, keys: Sequence[Clause] = ()
    ) -> sa.Select[Any]:
        """The next items along the index, in their order: a stretch that every database finds before it looks at items.

        Args:
            columns: of `items`.
            shown: the item behind which it begins, as `shown` has it; None: it begins at the first one.
            count: length of the stretch.
            keys: of the kind of the run, which of them.
        """
        stretch = self._next(shown, keys).limit(count).subquery("stretch")
        of_item = sa.and_(_I.catalogue == CURRENT, _I.position == stretch.c.position)
        return sa.select(*columns).select_from(stretch).join(ITEMS, of_item).order_by(*self._directed(list(stretch.c)))

    def is_longer(self, shown: Sequence[Any] | None, count: int, keys: Sequence[Clause] = ()) -> sa.Select[Any]:
        """A row if there are more items than those of such a stretch."""
        return self._next(shown, keys).limit(1).offset(count)

    def sorted(self, columns: Sequence[Any], shown: Sequence[Any] | None) -> sa.Select[Any]:
        """All items behind one, said so that no database goes along the index, which may take it far."""
        own = [_I.position] if self.value is None else [self.value, _I.position]
        statement = sa.select(*columns).where(_I.catalogue == CURRENT)
        if self.within is not None:
            statement = statement.where(self.within)
        if shown is not None:
            *values, position, item_id = shown
            place = [*values, sa.func.coalesce(_position_now(item_id), position)]
            statement = statement.where(self._behind(own, place))
        return statement.order_by(*self._directed([sa.func.coalesce(column, column) for column in own]))

    def shown(self, row: Any) -> list[Any]:
        """What a cursor holds of the last item of a page: its value if it has one, its position, its id."""
        return [*([] if self.value is None else [getattr(row, self.value.key or "")]), row.position, row.item_id]

    def read(self, cursor: str) -> list[Any]:
        """What `shown` gave; raises InvalidCursor."""
        parts = paging.decode(self.name, cursor, *([] if self.value is None else [self.type]), int, str)
        return [storable(part) if isinstance(part, str) else part for part in parts]

    def _next(self, shown: Sequence[Any] | None, keys: Sequence[Clause]) -> sa.Select[Any]:
        """Where the items stand behind one, as the index has them."""
        place = [_I.position] if self.kind is None else [_K.key, _K.position]
        ours = _I.catalogue == CURRENT if self.kind is None else of_kind(self.kind)
        statement = sa.select(*place).where(ours, *keys).order_by(*self._directed(place))
        if shown is None:
            return statement
        *values, position, item_id = shown
        key = [] if self.kind is None else [self.key(values[0]) if values else ""]
        return statement.where(self._behind(place, [*key, sa.func.coalesce(_position_now(item_id), position)]))

    def _directed(self, columns: Sequence[sa.ColumnElement[Any]]) -> list[sa.ColumnElement[Any]]:
        return [column.desc() if self.descending else column.asc() for column in columns]

    def _behind(self, columns: Sequence[sa.ColumnElement[Any]], place: Sequence[Any]) -> Clause:
        own, given = sa.tuple_(*columns), sa.tuple_(*place)
        return own < given if self.descending else own > given


def _position_now(item_id: str) -> sa.ScalarSelect[Any]:
    """Where other items have been put since, the last one shown may stand elsewhere."""
    there = ITEMS.alias("last_shown").c
    now = sa.select(there.position).where(there.catalogue == CURRENT, there.item_id == item_id)
    return now.scalar_subquery()


def _by_price(sort: ItemSort, *, descending: bool = False) -> tuple[Run, ...]:
    priced = Run(f"items by {sort}", "price", _I.price, price_key, float, descending, _I.price.is_not(None))
    return priced, Run(f"items by {sort}, no price", "no price", within=_I.price.is_(None))


def _by_title(sort: ItemSort, *, descending: bool = False) -> tuple[Run, ...]:
    titled = Run(f"items by {sort}", "title", _I.title_key, str, str, descending, _I.title_key.is_not(None))
    return titled, Run(f"items by {sort}, no title", "no title", within=_I.title_key.is_(None))


ORDERS: Final[dict[ItemSort, tuple[Run, ...]]] = {
    "popularity": (Run("items"),),
    "price": _by_price("price"),
    "-price": _by_price("-price", descending=True),
    "title": _by_title("title"),
    "-title": _by_title("-title", descending=True),
}


def rest_of(sort: ItemSort, cursor: str | None) -> list[tuple[Run, list[Any] | None]]:
    """The runs that a listing has yet to go through, the first from behind the item that was shown last.

    Raises:
        InvalidCursor: it is none of a listing in this order.
    """
    runs = ORDERS[sort]
    if cursor is None:
        return [(run, None) for run in runs]
    for number, run in enumerate(runs):
        try:
            shown = run.read(cursor)
        except InvalidCursor:
            if run is runs[-1]:
                raise
        else:
            return [(run, shown), *((later, None) for later in runs[number + 1 :])]
    return []
