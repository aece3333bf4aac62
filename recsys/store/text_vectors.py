"""Vectors of texts by encoder, so that each text is encoded once, by one process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from recsys.store.database import Database
from recsys.store.forgetting import in_order_of_arrival
from recsys.store.tables import TEXT_VECTORS

_T = TEXT_VECTORS.c
_KEYS_AT_ONCE = 500
_UNIQUE = [_T.encoder, _T.text_key]


class TextVectors:
    """Vectors of texts, as bytes; whoever encodes names encoder and text. Errors as of `Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, encoder: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Vectors of those texts that have one, by key."""
        found: dict[str, bytes] = {}
        with self._database.read() as connection:
            for part in _parts(keys):
                statement = sa.select(_T.text_key, _T.vector).where(
                    _T.encoder == encoder, _T.text_key.in_(part), _T.vector.is_not(None)
                )
                found.update((key, bytes(vector)) for key, vector in connection.execute(statement))
        return found

    def claim(self, encoder: str, keys: Sequence[str], *, timestamp: float, stale_s: float) -> list[str]:
        """Those of the texts that the caller is to encode: nobody has, and nobody else has begun to lately.

        Args:
            encoder, keys: names of the encoder and of the texts.
            timestamp: now, seconds since 1970.
            stale_s: how long whoever has begun is waited for.
        """
        insert = self._database.backend.insert(TEXT_VECTORS)
        # Who waited for another's transaction asks with an earlier time. One far ahead is of a clock that was ahead
        # and would be waited for without an end.
        gone = sa.or_(_T.timestamp < timestamp - stale_s, _T.timestamp > timestamp + stale_s)
        begun = insert.on_conflict_do_update(
            index_elements=_UNIQUE,
            set_={"timestamp": timestamp},
            where=sa.and_(_T.vector.is_(None), gone),
        ).returning(_T.text_key)
        claimed: list[str] = []
        with self._database.write() as connection:
            for key in sorted(set(keys)):  # in one order, or two that claim could wait for each other
                row = {"encoder": encoder, "text_key": key, "vector": None, "timestamp": timestamp}
                claimed += connection.execute(begun, row).scalars().all()
        return claimed

    def keep(self, encoder: str, vectors: Mapping[str, bytes], *, timestamp: float) -> None:
        """Keep the vectors of texts, by key."""
        insert = self._database.backend.insert(TEXT_VECTORS)
        kept = insert.on_conflict_do_update(
            index_elements=_UNIQUE, set_={name: insert.excluded[name] for name in ("vector", "timestamp")}
        )
        rows = [
            {"encoder": encoder, "text_key": key, "vector": vectors[key], "timestamp": timestamp}
            for key in sorted(vectors)
        ]
        if rows:
            with self._database.write() as connection:
                connection.execute(kept, rows)

    def forget(self, before: float, limit: int, *, until: float | None = None) -> int:
        """Remove up to `limit` vectors of before a time, the first kept first; `until` as of `Store.forget_events`."""
        if until is None:
            oldest = sa.select(_T.seq).where(_T.timestamp < before).order_by(_T.seq).limit(limit)
        else:
            oldest = in_order_of_arrival(TEXT_VECTORS, before, until, limit)
        with self._database.write() as connection:
            return connection.execute(sa.delete(TEXT_VECTORS).where(_T.seq.in_(oldest))).rowcount


def _parts(keys: Iterable[str]) -> Iterable[list[str]]:
    distinct = list(dict.fromkeys(keys))
    for start in range(0, len(distinct), _KEYS_AT_ONCE):
        yield distinct[start : start + _KEYS_AT_ONCE]
