"""Events for tests of the store, stores that wait, and ways past them to what they have stored."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from recsys.store import Event, ListEvent, Store, StoreUnavailable

T = TypeVar("T")

PATIENT_S = 20.0  # for ordinary calls, which a busy machine may slow down
HANG_S = 30.0  # by then, what has a limit of a second or two has failed or hangs


def event(number: int = 0, **changes: Any) -> Event:
    """A view of item `i<number>` by user `u`, `number` seconds after 1000."""
    values = {
        "event_id": f"e{number}",
        "user_id": "u",
        "item_id": f"i{number}",
        "event_type": "view",
        "timestamp": 1000.0 + number,
    }
    return Event(**{**values, **changes})


def seen(number: int = 0, **changes: Any) -> ListEvent:
    """An impression of item `i<number>` by user `u`, at place `number` + 1 of list `r`, `number` seconds after 1000."""
    values = {**event(number)._asdict(), "event_type": "impression", "recommendation_id": "r", "position": number + 1}
    kept = {name: value for name, value in values.items() if name in ListEvent._fields}
    return ListEvent(**{**kept, **changes})


def patient(url: str) -> Store:
    """A store that no busy machine makes fail; for all but the tests of the limit itself."""
    return Store.open(url, timeout_s=PATIENT_S)


def failure_in_time(call: Callable[[], object]) -> StoreUnavailable:
    """The error of a call that must find the database unavailable; fails if it succeeds or hangs."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(HANG_S)
    assert not thread.is_alive(), "it hangs"
    assert raised, "it succeeded"
    if not isinstance(raised[0], StoreUnavailable):
        raise raised[0]
    return raised[0]


def once_back(call: Callable[[], T]) -> T:
    """What a call returns once the database is available again to a store of a short limit."""
    until = time.monotonic() + HANG_S
    while True:
        try:
            return call()
        except StoreUnavailable:
            if time.monotonic() > until:
                raise


def engine_of(url: str) -> sa.Engine:
    """A way past the store, which keeps no connection."""
    return sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Rows of a statement, past the store."""
    with engine_of(url).begin() as connection:
        result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []


def backup(path: Path, to: Path) -> Path:
    """As `sqlite3 PATH ".backup TO"` makes it."""
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    return to


def ids_in(path: Path) -> list[str]:
    """Of the events that somebody finds who opens the file."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [row[0] for row in connection.execute("SELECT event_id FROM events ORDER BY seq")]
