"""Items held out of training, so that recommending what nobody has chosen yet can be measured."""

from __future__ import annotations

import math
from typing import Any

import duckdb

from recsys.core.errors import DataError
from recsys.prepare import staging


def hold_out_items(db: duckdb.DuckDBPyConnection, share: float, seed: int) -> dict[str, Any]:
    """Remove a share of the items from the train and validation parts of table `interactions`.

    The items are drawn uniformly among those with a test interaction, for on the others nothing could be measured, by
    the hash of seed and id: the draw depends on neither row numbers nor the other items. They stay in the catalogue,
    and their test interactions stay. Users keep their rows, also those who have no history left.

    Args:
        db: with tables `interactions` (split) and `items`.
        share: of all items, above 0; at least one item is held out.
        seed: of the draw.

    Returns:
        For the manifest: share, seed, count (items), interactions_removed, test_interactions.

    Raises:
        DataError: fewer items have test interactions; nothing would be left to train on.
    """
    count = max(1, math.floor(share * staging.count(db, "items") + 0.5))
    db.execute(
        """
        CREATE TABLE cold AS
        SELECT item FROM items SEMI JOIN (SELECT item FROM interactions WHERE split = 'test') USING (item)
        ORDER BY md5($seed || ':' || item_id), item_id LIMIT $count
        """,
        {"seed": str(seed), "count": count},
    )
    if (found := staging.count(db, "cold")) < count:
        raise DataError(
            f"{count:,} items with test interactions to hold out of training",
            f"{found:,}",
            "lower data.split.cold_items_share",
        )
    before = staging.count(db, "interactions")
    db.execute("DELETE FROM interactions WHERE split <> 'test' AND item IN (SELECT item FROM cold)")
    if not staging.count(db, "interactions WHERE split = 'train'"):
        raise DataError(
            "training interactions beside those of the items held out", "none", "lower data.split.cold_items_share"
        )
    result = {
        "share": share,
        "seed": seed,
        "count": count,
        "interactions_removed": before - staging.count(db, "interactions"),
        "test_interactions": staging.count(db, "interactions SEMI JOIN cold USING (item)"),
    }
    db.execute("DROP TABLE cold")
    return result
