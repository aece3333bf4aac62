"""Events, users, items and served lists, in SQLite or PostgreSQL.

    store = Store.open("sqlite:///data/events.db")
    store.upgrade()
    store.append([Event("e1", "u1", "i1", "view", time.time())])

Imports nothing of the product but its errors.
"""

from recsys.store.errors import InvalidCursor, InvalidRecord, StoreError, StoreUnavailable
from recsys.store.records import (
    EVENT_TYPES,
    EVENT_WEIGHTS,
    MAX_ID_CHARS,
    Appended,
    Event,
    ItemRow,
    Page,
    Served,
    StoreStats,
    UserRow,
    UserTotals,
)
from recsys.store.store import Store

__all__ = [
    "EVENT_TYPES",
    "EVENT_WEIGHTS",
    "MAX_ID_CHARS",
    "Appended",
    "Event",
    "InvalidCursor",
    "InvalidRecord",
    "ItemRow",
    "Page",
    "Served",
    "Store",
    "StoreError",
    "StoreStats",
    "StoreUnavailable",
    "UserRow",
    "UserTotals",
]
