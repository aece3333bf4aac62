"""Events for tests of the store, and ways past it to what it has stored."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from recsys.store import Event


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


def engine_of(url: str) -> sa.Engine:
    """A way past the store, which keeps no connection."""
    return sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Rows of a statement, past the store."""
    with engine_of(url).begin() as connection:
        result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []
