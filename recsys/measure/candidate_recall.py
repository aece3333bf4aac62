"""Candidate recall: the share of the relevant items that reaches the ranker."""

from __future__ import annotations

import numpy as np

from recsys.core.queries import NO_ITEM
from recsys.measure.metrics import membership
from recsys.measure.protocol import HeldOut
from recsys.measure.results import CandidateRecall
from recsys.measure.tally import Summary
from recsys.pipeline.recommender import Recommender

MAX_USERS = 5000


def candidate_recall(
    recommender: Recommender, held: HeldOut, n_items: int, *, samples: int, seed: int
) -> CandidateRecall | None:
    """Share of a user's choices among the candidates, above which no order of them can take the recall.

    Args:
        recommender: what is served.
        held: users of the split, of whom `MAX_USERS` with a history are asked for; seen items are removed unless
            repeats are predicted.
        n_items: size of the catalogue.
        samples: bootstrap resamples of users.
        seed: of the sample and the bootstrap.

    Returns:
        {"users", "mean_count": candidates of a user, "recall": estimate}; None where no user chose anything unseen.
    """
    chosen = held.select(np.flatnonzero(held.queries.histories.lengths)).sample(MAX_USERS, seed)
    recalls, counts = np.full(len(chosen), np.nan), np.zeros(len(chosen))
    for rows, block in chosen.blocks(n_items):
        relevant = block.wanted
        candidates = recommender.candidates(recommender.read(block.queries), exclude_seen=not held.repeats)
        hits = membership(candidates, relevant).sum(axis=1)
        recalls[rows] = np.where(relevant.counts > 0, hits / np.maximum(relevant.counts, 1), np.nan)
        counts[rows] = (candidates != NO_ITEM).sum(axis=1)
    summary = Summary({"candidates": {"recall": recalls}}, samples, seed)
    if not summary.users:
        return None
    recall = summary.table()["candidates"]["recall"]
    return {"users": summary.users, "mean_count": float(counts.mean()), "recall": recall}
