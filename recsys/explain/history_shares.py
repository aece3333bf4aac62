"""What each item of a history gives to the sources' scores of an item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recsys.core.queries import NO_ITEM
from recsys.explain.evidence import Borrowed, HistoryShare
from recsys.explain.question import Question
from recsys.pipeline.trace import Trace


@dataclass(frozen=True)
class ScoreParts:
    """What the sources' scores of one item are made of.

    Attributes:
        rests: by source, what no item of the history gives.
        weights: by source, of its score in the source sum; 0 where the score is borrowed.
        history: by falling absolute total, each distinct item of the history once.
        borrowed: scores that are borrowed, by lender.
    """

    rests: Mapping[str, float]
    weights: Mapping[str, float]
    history: tuple[HistoryShare, ...]
    borrowed: tuple[Borrowed, ...]


def score_parts(question: Question, trace: Trace, item: int) -> ScoreParts:
    """The shares of the only query of a trace; those of a source and its rest add up to its score.

    The shares of an item that a history holds several times are one.
    """
    items, place = np.unique(trace.queries.histories.items, return_inverse=True)
    by_item: dict[str, list[float]] = {}
    rests, weights = dict[str, float](), dict(question.weights)
    totals, borrowed = np.zeros(len(items)), []
    for name in question.sources:
        shares = trace.readings.why(name, np.array([[item]], np.int32), question.loans)
        of_items = np.bincount(place, shares.by_position[0, 0], len(items))
        by_item[name], rests[name] = of_items.tolist(), float(shares.rest[0, 0])
        lent = zip(shares.lenders[0, 0].tolist(), shares.lent[0, 0].tolist(), strict=True)
        if lenders := {lender: given for lender, given in lent if lender != NO_ITEM}:
            borrowed.append(Borrowed(name, lenders))
            weights[name] = 0.0
        totals += weights[name] * of_items
    order = np.argsort(place, kind="stable")
    positions = np.split(order, np.cumsum(np.bincount(place, minlength=len(items)))[:-1])
    entries = [  # without a history there is one empty part of positions, and no item
        HistoryShare(each, tuple(where.tolist()), {name: given[row] for name, given in by_item.items()}, total)
        for row, (each, where, total) in enumerate(zip(items.tolist(), positions, totals.tolist(), strict=False))
    ]
    entries.sort(key=lambda share: (-abs(share.total), -share.positions[-1]))
    return ScoreParts(rests, weights, tuple(entries), tuple(borrowed))
