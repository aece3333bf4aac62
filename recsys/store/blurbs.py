"""Blurbs that a language model wrote: kept for a time, since they cost something."""

from __future__ import annotations

import sqlalchemy as sa

from recsys.store.database import Database
from recsys.store.forgetting import in_order_of_arrival
from recsys.store.records import BlurbKey, is_storable, storable
from recsys.store.tables import BLURBS

_B = BLURBS.c
_KEY = (_B.item_id, _B.bundle_version, _B.prompt_version, _B.language)


def blurb(database: Database, key: BlurbKey) -> str | None:
    """See `Store.blurb`."""
    if not all(map(is_storable, key)):
        return None
    statement = sa.select(_B.text).where(*(column == value for column, value in zip(_KEY, key, strict=True)))
    with database.read() as connection:
        text: str | None = connection.execute(statement).scalar()
    return text


def keep_blurb(database: Database, key: BlurbKey, text: str, timestamp: float) -> None:
    """See `Store.keep_blurb`."""
    if not all(map(is_storable, key)):
        return
    insert = database.backend.insert(BLURBS).on_conflict_do_nothing(index_elements=_KEY)
    with database.write() as connection:
        connection.execute(insert, {**key._asdict(), "text": storable(text), "timestamp": timestamp})


def forget_blurbs(database: Database, before: float, limit: int, until: float | None) -> int:
    """See `Store.forget_blurbs`."""
    if until is None:
        oldest = sa.select(_B.seq).where(_B.timestamp < before).order_by(_B.seq).limit(limit)
    else:
        oldest = in_order_of_arrival(BLURBS, before, until, limit)
    with database.write() as connection:
        return connection.execute(sa.delete(BLURBS).where(_B.seq.in_(oldest))).rowcount
