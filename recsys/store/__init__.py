"""Events, users, items, served lists and a shop's rules, in SQLite or PostgreSQL.

    store = Store.open("sqlite:///data/events.db")
    store.upgrade()
    store.append([Event("e1", "u1", "i1", "view", time.time())])

Imports nothing of the product but `recsys.core`.
"""

from recsys.store.errors import (
    InvalidCursor,
    InvalidRecord,
    ItemConflict,
    PersonConflict,
    RuleConflict,
    StoreDamaged,
    StoreError,
    StoreUnavailable,
    TooManyRules,
)
from recsys.store.item_searches import FoundItems, ItemSearch, ItemSort
from recsys.store.live_item_records import (
    MISSING,
    UNCHANGED,
    ItemAction,
    ItemDone,
    ItemWrite,
    LiveItem,
    WrittenItem,
)
from recsys.store.live_user_records import ForgottenUser, MergedUser, UserAttributes
from recsys.store.records import (
    Appended,
    AssignedVariant,
    BlurbKey,
    Event,
    ItemRow,
    ListDetails,
    ListEvent,
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
    "MISSING",
    "UNCHANGED",
    "Appended",
    "AssignedVariant",
    "BlurbKey",
    "Event",
    "ForgottenUser",
    "FoundItems",
    "InvalidCursor",
    "InvalidRecord",
    "ItemAction",
    "ItemConflict",
    "ItemDone",
    "ItemRow",
    "ItemSearch",
    "ItemSort",
    "ItemWrite",
    "ListDetails",
    "ListEvent",
    "LiveItem",
    "MergedUser",
    "Page",
    "PersonConflict",
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
    "UserAttributes",
    "UserRow",
    "UserTotals",
    "WrittenItem",
]
