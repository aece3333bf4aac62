"""What an item is compared with, and what sets their scores apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recsys.core.queries import NO_ITEM
from recsys.explain.contributions import Finalist, by_ranker
from recsys.explain.errors import QuestionError
from recsys.explain.evidence import Contributions, Stage, Standing
from recsys.explain.question import Question
from recsys.explain.source_contributions import by_source, by_source_sum
from recsys.pipeline.ranker import RankedCandidates, Ranker
from recsys.pipeline.trace import Trace

_SCORED = Stage.LISTED, Stage.ARRANGED, Stage.RANKED


def contributions_of(
    question: Question, trace: Trace, item: int, standing: Standing, asked: int | None
) -> Contributions | None:
    """What sets the item's score apart from its reference's, for the only query of the trace.

    Of a candidate that the ranker did not see it is the source sum, and the reference is the last finalist, unless one
    is asked for: what put it behind. None for items that were not scored, and for one that stands behind all others at
    the gate, whatever its sum.

    Args:
        question: how the list was asked for.
        trace: of one query.
        item: that is explained.
        standing: how far it came.
        asked: a reference that is asked for; None: the first ranked item that is not shown, rather one that was not
            among the first k than one that rules of the shop left out; for an item that is not shown itself, the last
            one of the list. Where no such item was ranked, the last one that was.

    Raises:
        QuestionError: the reference that is asked for was not ranked, or is the item.
    """
    if asked is not None:
        _require_ranked(trace, item, asked)
    ranker = question.recommender.ranker
    if standing.stage == Stage.CANDIDATE and trace.ranked is not None and ranker is not None:
        return None if standing.set_back else _at_the_gate(ranker, trace.ranked, item, asked)
    if standing.stage not in _SCORED:
        return None
    reference = _reference(trace, item, standing) if asked is None else asked
    if trace.ranked is None or ranker is None:
        (source,) = question.sources.values()
        return by_source(source, trace.queries, item, reference)
    explained = _finalist(ranker, trace, trace.ranked, item)
    compared = None if reference is None else _finalist(ranker, trace, trace.ranked, reference)
    return by_ranker(ranker, explained, compared)


def _finalist(ranker: Ranker, trace: Trace, ranked: RankedCandidates, item: int) -> Finalist:
    counts = trace.allowed.repeats and bool(ranker.repeated(trace.queries, np.array([[item]]), trace.invited)[0, 0])
    return Finalist.of(ranked, trace.queries.histories, 0, item, repeats=counts)


def _require_ranked(trace: Trace, item: int, asked: int) -> None:
    if asked == item:
        raise QuestionError("a reference that is another item", "the explained item itself", "name another one")
    if trace.columns(asked)[0] < 0:
        got = "one that does not come so far for this query"
        raise QuestionError("a reference that was ranked", got, "name an item of the list, or leave the reference out")


def _reference(trace: Trace, item: int, standing: Standing) -> int | None:
    """The item's reference by default; None: nothing else was ranked."""
    shown, ranked = trace.lists.items[0], trace.ranking.items[0]
    personal = shown[(shown != NO_ITEM) & ~trace.lists.popular[0]]
    others = ranked[(ranked != NO_ITEM) & (ranked != item)]
    if standing.stage == Stage.LISTED:
        unshown = np.flatnonzero((ranked != NO_ITEM) & ~np.isin(ranked, shown))
        behind = unshown[unshown >= trace.k]
        for columns in (behind, unshown):
            if len(columns):
                return int(ranked[columns[0]])
    elif len(personal):
        return int(personal[-1])
    return int(others[-1]) if len(others) else None


def _at_the_gate(ranker: Ranker, ranked: RankedCandidates, item: int, asked: int | None) -> Contributions:
    reference = int(ranked.finalists.items[0, -1]) if asked is None else asked
    return replace(by_source_sum(ranker, ranked.candidates, 0, item, reference), of="source_sum")
