"""What each source thinks of an item, and where it stands in the order of all that a list may hold."""

from __future__ import annotations

import numpy as np

from recsys.core.queries import Queries
from recsys.core.sort_keys import tie_keys
from recsys.core.types import BoolArray
from recsys.explain.evidence import SourceOpinion
from recsys.explain.history_shares import ScoreParts
from recsys.explain.question import Question
from recsys.pipeline.trace import Trace
from recsys.sources.base import Source


def opinions(question: Question, trace: Trace, item: int, parts: ScoreParts) -> tuple[SourceOpinion, ...]:
    """Of all sources that decide, for the only query of the trace.

    Args:
        question: how the list was asked for.
        trace: of one query.
        item: that is explained.
        parts: of the item's scores.
    """
    names = tuple(question.sources)
    scores = trace.readings.scores(names, np.array([[item]], np.int32), question.loans)[:, 0, 0].tolist()
    allowed = _allowed(trace, next(iter(question.sources.values())).n_items)
    found = []
    for name, score in zip(names, scores, strict=True):
        proposals = trace.proposals.get(name)
        found.append(
            SourceOpinion(
                source=name,
                score=score,
                weight=parts.weights[name],
                rank=_rank(question.sources[name], trace.queries, item, allowed),
                depth=0 if proposals is None else proposals.shape[1],
                proposed=trace.proposed(name, item),
                rest=parts.rests[name],
            )
        )
    return tuple(found)


def _allowed(trace: Trace, n_items: int) -> BoolArray:
    """Bool [N], which items the list may hold."""
    allowed: BoolArray = trace.allowed.allows(trace.queries, np.arange(n_items, dtype=np.int32)[None])[0]
    return allowed


def _rank(source: Source, query: Queries, item: int, allowed: BoolArray) -> int | None:
    """From 1, among the allowed items in the source's own order, as if the item were one of them."""
    scores = source.score(query)[0]
    if not np.isfinite(scores[item]):
        return None
    equal = np.flatnonzero(allowed & (scores == scores[item]))
    ahead = (allowed & (scores > scores[item])).sum() + (tie_keys(equal) < tie_keys(np.array([item]))).sum()
    return int(ahead) + 1
