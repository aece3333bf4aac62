"""Contributions where no ranker scores: to the score of a source alone, and to the source sum."""

from __future__ import annotations

import numpy as np

from recsys.core.queries import Queries
from recsys.explain.coalitions import HISTORY, sources_of
from recsys.explain.contributions import summed_up
from recsys.explain.evidence import Contributions
from recsys.pipeline.finalists import ScoredCandidates
from recsys.pipeline.ranker import Ranker
from recsys.sources.base import Source
from recsys.sources.hybrid import Hybrid


def by_source(source: Source, queries: Queries, item: int, reference: int | None) -> Contributions | None:
    """What a source's score is made of: of a hybrid its members, of others the history and the rest.

    Scores are sums, so that every group's value is the difference of what it adds.

    Args:
        source: whose order is final.
        queries: one query.
        item: to explain.
        reference: with which it is compared; None: with a score of 0. So it is with one that the source has no score
            for, such as an item that was only viewed and may come back.

    Returns:
        None where the source has no score for the item.
    """
    items = np.array([[item] if reference is None else [item, reference]], np.int32)
    scores = source.score(queries, items)[0].tolist()
    if not np.isfinite(scores[0]):
        return None
    if not np.isfinite(scores[-1]):
        return by_source(source, queries, item, None)
    if isinstance(source, Hybrid):
        parts = dict(zip(source.members, source.parts(queries, items)[:, 0], strict=True))
    else:
        shares = source.why(queries, items)
        parts = {HISTORY: shares.by_position[0].sum(axis=1), source.name: shares.rest[0]}
    values = {group: float(part[0] - (0 if reference is None else part[1])) for group, part in parts.items()}
    return summed_up(values, scores[0], reference, 0.0 if reference is None else scores[1])


def by_source_sum(ranker: Ranker, candidates: ScoredCandidates, query: int, item: int, reference: int) -> Contributions:
    """What each group gives to the difference of two source sums: its sources' weights times their scores' difference.

    For a candidate whose sum was too low for the ranker to see it, the last finalist is the reference.

    Args:
        ranker: which chose the finalists.
        candidates: of B queries.
        query: which of them.
        item: a candidate, to explain.
        reference: another one.

    Raises:
        ValueError: one of both is no candidate.
    """
    both = [_column(candidates, query, one) for one in (item, reference)]
    scores = candidates.own[:, query, both].astype(np.float64)
    weights = [np.float32(ranker.scorer.weights.get(name, 0)) for name in candidates.sources]
    groups = sources_of(ranker.scorer, tuple(ranker.features.headings))
    values = {
        group: float(sum(weights[row] * (scores[row, 0] - scores[row, 1]) for row in rows))
        for group, rows in groups.items()
    }
    sums = candidates.sums[query, both].tolist()
    return summed_up(values, sums[0], reference, sums[1])


def _column(candidates: ScoredCandidates, query: int, item: int) -> int:
    column = candidates.column(query, item)
    if column is None:
        raise ValueError(f"a candidate of query {query}, got item {item}")
    return column
