"""A history as answers show it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from recsys.bundle import ItemRecord
from recsys.core.histories import Histories
from recsys.explain.actions import NO_EVENTS, Action
from serve.bundles.loaded import LoadedBundle
from serve.times import time_text
from serve.users.answers import HistoryItem


def records_of(loaded: LoadedBundle, history: Histories) -> dict[int, ItemRecord]:
    """What the catalogue says of the items of a history, by row."""
    rows = list(dict.fromkeys(history.items.tolist()))
    return {record.row: record for record in loaded.bundle.catalogue.items(rows)}


def history_items(
    loaded: LoadedBundle, history: Histories, records: Mapping[int, ItemRecord], told: Mapping[int, str] = NO_EVENTS
) -> list[HistoryItem]:
    """The interactions of one history, oldest first.

    Args:
        loaded: whose history it is part of.
        history: of one user.
        records: of its items, by row.
        told: by item row, the type of the user's strongest event in the store.
    """
    columns = history.items.tolist(), history.ratings.tolist(), history.timestamps.tolist()
    actions = loaded.actions.of_history(history, told)
    return [_shown(records[row], rating, at, action) for row, rating, at, action in zip(*columns, actions, strict=True)]


def _shown(record: ItemRecord, rating: float, at: int, action: Action) -> HistoryItem:
    return HistoryItem(
        item_id=record.item_id,
        title=record.title,
        brand=record.brand,
        price=record.price,
        rating=None if math.isnan(rating) else rating,
        at=time_text(at),
        categories=list(record.categories),
        image=record.image,
        action=action,
    )
