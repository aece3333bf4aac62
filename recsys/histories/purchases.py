"""What users bought, and when last: told by purchases alone, whatever else they did with an item since."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from recsys.core.histories import Histories
from recsys.histories.merging import ENTRY_SIZE


def last_purchases(
    histories: Histories, rows: Sequence[int], counts: Sequence[int], added: Sequence[float], until: float | None
) -> Histories:
    """What each user bought, each item once, at the time of its latest purchase; of what was only rated, at that time.

    Args:
        histories: of the bundle; a weight says how surely an interaction is a purchase, see `EventTypes.purchases`.
        rows, counts, added, until: see `recsys.histories.merging.merge`, with weights of the same meaning.
    """
    base, more = histories.select(rows), np.array(added, np.float64).reshape(-1, ENTRY_SIZE)
    users = np.concatenate([base.rows, np.repeat(np.arange(len(base)), counts)])
    items = np.concatenate([base.items, more[:, 0].astype(np.int32)])
    times = np.concatenate([base.timestamps, more[:, 1]])
    ratings, weights = np.concatenate([base.ratings, more[:, 2]]), np.concatenate([base.weights, more[:, 3]])
    kept = np.flatnonzero((weights > 0) & (times <= (math.inf if until is None else until)))
    # The last of each user and item is the latest of the surest.
    order = kept[np.lexsort((times[kept], weights[kept], items[kept], users[kept]))]
    last = np.ones(len(order), np.bool_)
    last[:-1] = (np.diff(users[order]) != 0) | (np.diff(items[order]) != 0)
    bought = np.sort(order[last])
    bought = bought[np.argsort(times[bought], kind="stable")]
    return Histories.from_rows(
        len(base), users[bought], items[bought], times[bought].astype(np.int64), ratings[bought], weights[bought]
    )
