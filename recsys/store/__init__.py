"""Events, users, items and served lists, in SQLite or PostgreSQL.

    store = Store.open("sqlite:///data/events.db")
    store.upgrade()
    store.append([Event("e1", "u1", "i1", "view", time.time())])

Imports nothing of the product but `recsys.core`.
"""

from recsys.store.errors import InvalidCursor, InvalidRecord, StoreDamaged, StoreError, StoreUnavailable
from recsys.store.records import (
    Appended,
    BlurbKey,
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
    "Appended",
    "BlurbKey",
    "Event",
    "InvalidCursor",
    "InvalidRecord",
    "ItemRow",
    "Page",
    "Served",
    "Store",
    "StoreDamaged",
    "StoreError",
    "StoreStats",
    "StoreUnavailable",
    "UserRow",
    "UserTotals",
]
