"""Item neighbours on the real Beauty benchmark, against a figure computed with another library."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.core.queries import Queries
from recsys.sources.item_to_item.neighbours_fit import fit_neighbours


def without_last(histories: Histories, count: int) -> Histories:
    rows = np.repeat(np.arange(len(histories)), histories.lengths)
    kept = np.arange(len(rows)) < histories.indptr[1:][rows] - count
    return Histories.from_rows(len(histories), rows[kept], histories.items[kept], histories.timestamps[kept])


@pytest.mark.slow
def test_bm25_neighbours_reach_the_known_figure(shared_data: Path) -> None:
    users: dict[str, int] = {}
    items: dict[str, int] = {}
    rows, columns = [], []
    with gzip.open(shared_data / "beauty_2014_5core" / "reviews_Beauty_5.json.gz") as lines:
        for line in lines:
            review = json.loads(line)
            rows.append(users.setdefault(review["reviewerID"], len(users)))
            columns.append(items.setdefault(review["asin"], len(items)))
    histories = Histories.from_rows(len(users), np.array(rows), np.array(columns), np.zeros(len(rows), np.int64))
    target = histories.items[histories.indptr[1:] - 1]
    model = fit_neighbours(without_last(histories, 2), len(items), k=100, k1=1.2, b=0.2, decay=0.6)
    queries = Queries(without_last(histories, 1), np.arange(len(users), dtype=np.int32), np.zeros(len(users), np.int64))
    hits = model.propose(queries, 10).items == target[:, None]
    # Similarities of the library `implicit` 0.7.3, scored by the same protocol: .0744 and .0441. The tolerance
    # is what the order of equal scores is worth.
    assert hits.any(axis=1).mean() == pytest.approx(0.0744, abs=0.0003)
    assert (hits / np.log2(np.arange(2, 12))).sum(axis=1).mean() == pytest.approx(0.0441, abs=0.0003)
