"""Events, users, items, served lists and a shop's rules, in SQLite or PostgreSQL.

    store = Store.open("sqlite:///data/events.db")
    store.upgrade()
    store.append([Event("e1", "u1", "i1", "view", time.time())])

Imports nothing of the product but `recsys.core`.
"""

from recsys.store.errors import (
    InvalidCursor,
    InvalidRecord,
    RuleConflict,
    StoreDamaged,
    StoreError,
    StoreUnavailable,
    TooManyRules,
)
from recsys.store.records import (
    Appended,
    BlurbKey,
    Event,
    ItemRow,
    Page,
    RuleAction,
    RuleChange,
    Served,
    StoredRule,
    StoredRules,
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
    "RuleAction",
    "RuleChange",
    "RuleConflict",
    "Served",
    "Store",
    "StoreDamaged",
    "StoreError",
    "StoreStats",
    "StoreUnavailable",
    "StoredRule",
    "StoredRules",
    "TooManyRules",
    "UserRow",
    "UserTotals",
]
