"""The conditions of a search for items, each said in two ways: as a way to the items, and as a question about one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from recsys.core.words import words_of
from recsys.store.backends import Backend
from recsys.store.item_keys import Kind, price_key
from recsys.store.item_searches import ItemSearch
from recsys.store.records import storable
from recsys.store.tables import CATALOGUES, ITEM_KEYS, ITEMS

MAX_QUERY_WORDS = 16

_C, _I, _K = CATALOGUES.c, ITEMS.c, ITEM_KEYS.c
CURRENT = sa.select(sa.func.max(_C.catalogue)).where(_C.complete == 1).scalar_subquery()

Clause = sa.ColumnElement[bool]


class Condition(NamedTuple):
    """What a search asks of items.

    Attributes:
        column: of `items`, by which the way names them.
        way: all items that fulfil it, along an index.
        test: whether an item fulfils it.
        kind, keys: of the keys that the way goes along, if it does, and which of them.
    """

    column: sa.ColumnElement[Any]
    way: sa.Select[Any]
    test: Clause
    kind: Kind | None = None
    keys: tuple[Clause, ...] = ()


def conditions_of(search: ItemSearch, backend: Backend, *, alone: bool) -> list[Condition] | None:
    """The conditions of a search, none for all items; None: no item can match. `alone`: see `are_alone`."""
    conditions = []
    words = words_of(search.query or "")[:MAX_QUERY_WORDS]
    if words:
        conditions.append(_of_words(words, backend, alone=alone))
    elif search.query is not None and search.query.strip():
        return None
    if search.category is not None:
        conditions.append(_of_category(storable(search.category)))
    if search.brand is not None:
        brand = storable(search.brand)
        conditions.append(_along_keys("brand", _I.brand == brand, _K.key == brand))
    if search.min_price is not None or search.max_price is not None:
        conditions.append(_of_price(search.min_price, search.max_price))
    return conditions


def are_alone(connection: sa.Connection) -> bool:
    """Whether the store holds no other items than those that search finds, which are being put or removed."""
    first, last = sa.select(sa.func.min(_I.catalogue)), sa.select(sa.func.max(_I.catalogue))
    alone = sa.and_(first.scalar_subquery() == CURRENT, last.scalar_subquery() == CURRENT)
    return bool(connection.execute(sa.select(alone)).scalar())


def of_kind(kind: Kind) -> Clause:
    """The keys of a kind, of the items that search finds."""
    return sa.and_(_K.catalogue == CURRENT, _K.kind == kind)


def _along_keys(kind: Kind, test: Clause, *keys: Clause) -> Condition:
    return Condition(_I.position, sa.select(_K.position).where(of_kind(kind), *keys), test, kind, keys)


def _of_words(words: Sequence[str], backend: Backend, *, alone: bool) -> Condition:
    way = backend.with_words(sa.select(_I.seq).where(_I.catalogue == CURRENT), words, alone=alone)
    # Words hold letters and digits alone, so none is a pattern.
    text = sa.literal(" ").concat(_I.words)
    return Condition(_I.seq, way, sa.and_(*(text.like(f"% {word}%") for word in words)))


def _of_category(name: str) -> Condition:
    # The categories of an item are a JSON list: in it nothing but a name of its own begins behind a comma and a blank.
    names = sa.literal(", ").concat(sa.func.substr(_I.categories, 2))
    without = sa.func.replace(names, f", {json.dumps(name)}", "")
    return _along_keys("category", without != names, _K.key == name)


def _of_price(least: float | None, most: float | None) -> Condition:
    tests: list[Clause] = []
    keys: list[Clause] = []
    if least is not None:
        tests.append(_I.price >= least)
        keys.append(_K.key >= price_key(least))
    if most is not None:
        tests.append(_I.price <= most)
        keys.append(_K.key <= price_key(most))
    return _along_keys("price", sa.and_(*tests), *keys)
