"""A history as answers show it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from recsys.bundle import ItemRecord
from recsys.core.histories import Histories
from serve.bundles.loaded import LoadedBundle
from serve.times import time_text
from serve.users.answers import HistoryItem


def records_of(loaded: LoadedBundle, history: Histories) -> dict[int, ItemRecord]:
    """What the catalogue says of the items of a history, by row."""
    rows = list(dict.fromkeys(history.items.tolist()))
    return {record.row: record for record in loaded.bundle.catalogue.items(rows)}


def history_items(history: Histories, records: Mapping[int, ItemRecord]) -> list[HistoryItem]:
    """The interactions of one history, oldest first.

    Args:
        history: of one user.
        records: of its items, by row.
    """
    return [
        HistoryItem(
            item_id=records[row].item_id,
            title=records[row].title,
            brand=records[row].brand,
            price=records[row].price,
            rating=None if math.isnan(rating) else rating,
            at=time_text(at),
        )
        for row, rating, at in zip(
            history.items.tolist(), history.ratings.tolist(), history.timestamps.tolist(), strict=True
        )
    ]
