"""Cold items: items held out of training, on which recommending items without interactions is measured."""

from __future__ import annotations

import math
from typing import Any

from recsys.core.errors import DataError
from recsys.prepare.engine.staging import Database, one_value
from recsys.prepare.engine.staging import count as count_rows


def hold_out_items(db: Database, share: float, seed: int) -> dict[str, Any]:
    """Remove a share of the items from the train and validation parts of table `interactions`.

    The items are drawn uniformly among those with a test interaction, because nothing could be measured on the others.
    They are drawn by the hash of seed and id, so that the draw depends on neither row numbers nor the other items. They
    stay in the catalogue, and their test interactions stay. Users keep their rows, even if they have no history left.

    Args:
        db: with tables `interactions` (split) and `items`.
        share: of all items with interactions, above 0; at least one item is held out.
        seed: of the draw.

    Leaves table `cold` (item) of those held out.

    Returns:
        For the manifest: share, seed, count (items), interactions_removed, test_interactions.

    Raises:
        DataError: fewer items have test interactions; nothing would be left to train on.
    """
    interacted = int(one_value(db, "SELECT count(DISTINCT item) FROM interactions"))
    count = max(1, math.floor(share * interacted + 0.5))
    db.execute(
        """
        CREATE TABLE cold AS
        SELECT item FROM items SEMI JOIN (SELECT item FROM interactions WHERE split = 'test') USING (item)
        ORDER BY md5($seed || ':' || item_id), item_id LIMIT $count
        """,
        {"seed": str(seed), "count": count},
    )
    if (available := count_rows(db, "cold")) < count:
        raise DataError(
            f"{count:,} items with test interactions to hold out of training",
            f"{available:,}",
            "lower data.split.cold_items_share",
        )
    before = count_rows(db, "interactions")
    db.execute("DELETE FROM interactions WHERE split <> 'test' AND item IN (SELECT item FROM cold)")
    if not count_rows(db, "interactions WHERE split = 'train'"):
        raise DataError(
            "training interactions beside those of the items held out", "none", "lower data.split.cold_items_share"
        )
    return {
        "share": share,
        "seed": seed,
        "count": count,
        "interactions_removed": before - count_rows(db, "interactions"),
        "test_interactions": count_rows(db, "interactions SEMI JOIN cold USING (item)"),
    }
