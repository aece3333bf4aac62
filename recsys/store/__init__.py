"""Events, users, items, served lists, a shop's rules and experiments, in SQLite or PostgreSQL.

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
    StoreDamaged,
    StoreError,
    StoreUnavailable,
    TextConflict,
    TooManyTexts,
)
from recsys.store.experiments import StoredExperiments
from recsys.store.item_searches import FoundItems, ItemSearch, ItemSort
from recsys.store.kept_text_records import StoredText, StoredTexts, TextAction, TextChange
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
    Served,
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
    "Served",
    "Store",
    "StoreDamaged",
    "StoreError",
    "StoreStats",
    "StoreUnavailable",
    "StoredExperiments",
    "StoredText",
    "StoredTexts",
    "TextAction",
    "TextChange",
    "TextConflict",
    "TooManyTexts",
    "UserAttributes",
    "UserRow",
    "UserTotals",
    "WrittenItem",
]
