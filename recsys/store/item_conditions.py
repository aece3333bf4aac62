"""The conditions of a search for items, each said in two ways: as a way to the items, and as a question about one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from recsys.core.events import MAX_ID_CHARS
from recsys.core.words import words_of
from recsys.store.backends import Backend
from recsys.store.item_searches import ItemSearch
from recsys.store.records import storable
from recsys.store.tables import CATALOGUES, ITEM_CATEGORIES, ITEMS

MAX_QUERY_WORDS = 16

_C, _I, _K = CATALOGUES.c, ITEMS.c, ITEM_CATEGORIES.c
CURRENT = sa.select(sa.func.max(_C.catalogue)).where(_C.complete == 1).scalar_subquery()
_SEQ = sa.select(_I.seq).where(_I.catalogue == CURRENT)

Clause = sa.ColumnElement[bool]


class Condition(NamedTuple):
    """What a search asks of items.

    Attributes:
        way: the `seq` of all items that fulfil it, along an index of its own.
        test: whether an item fulfils it, said so that no database takes it for a way.
    """

    way: sa.Select[Any]
    test: Clause


def conditions_of(search: ItemSearch, backend: Backend) -> list[Condition] | None:
    """The conditions of a search, none for all items; None: no item can match."""
    conditions = []
    words = words_of(search.query or "")[:MAX_QUERY_WORDS]
    if words:
        conditions.append(Condition(backend.matching(_SEQ, words), _begin(words)))
    elif search.query is not None and search.query.strip():
        return None
    if search.category is not None:
        conditions.append(_of_category(storable(search.category)))
    if search.brand is not None:
        conditions.append(_of_brand(storable(search.brand)))
    if search.min_price is not None or search.max_price is not None:
        conditions.append(_of_price(search.min_price, search.max_price))
    return conditions


def _begin(words: Sequence[str]) -> Clause:
    # Words hold letters and digits alone, so none is a pattern.
    text = sa.literal(" ").concat(_I.words)
    return sa.and_(*(text.like(f"% {word}%") for word in words))


def _of_category(name: str) -> Condition:
    of_item = sa.and_(_K.catalogue == _I.catalogue, _K.position == _I.position, _K.category == name)
    return Condition(_SEQ.join(ITEM_CATEGORIES, of_item), sa.exists().where(of_item))


def _of_brand(name: str) -> Condition:
    # The index leaves out what is too long for it, and is used where a statement does so, too.
    indexed = sa.func.length(_I.brand) <= MAX_ID_CHARS
    return Condition(_SEQ.where(_I.brand == name, indexed), _I.brand.concat("") == name)


def _of_price(least: float | None, most: float | None) -> Condition:
    def between(price: sa.ColumnElement[float]) -> list[Clause]:
        bounds = [] if least is None else [price >= least]
        return bounds if most is None else [*bounds, price <= most]

    return Condition(_SEQ.where(*between(_I.price)), sa.and_(*between(_I.price + 0.0)))
