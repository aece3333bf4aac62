"""What each item of a history gives to the sources' scores of an item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.queries import NO_ITEM
from recsys.core.types import Float64Array
from recsys.explain.evidence import Borrowed, HistoryShare
from recsys.explain.question import Question
from recsys.pipeline.trace import Trace


@dataclass(frozen=True)
class ScoreParts:
    """What the sources' scores of one item are made of.

    Attributes:
        rests: by source, what no item of the history gives.
        history: by falling absolute total, each distinct item of the history once.
        borrowed: scores that are borrowed, by lender.
    """

    rests: Mapping[str, float]
    history: tuple[HistoryShare, ...]
    borrowed: tuple[Borrowed, ...]


def score_parts(question: Question, trace: Trace, item: int) -> ScoreParts:
    """The shares of the only query of a trace; those of a source and its rest add up to its score.

    The shares of an item that a history holds several times are one.
    """
    history = trace.queries.histories.items
    by_position: dict[str, Float64Array] = {}
    rests: dict[str, float] = {}
    borrowed = []
    for name in question.sources:
        shares = trace.readings.why(name, np.array([[item]], np.int32), question.loans)
        by_position[name], rests[name] = shares.by_position[0, 0], float(shares.rest[0, 0])
        lent = zip(shares.lenders[0, 0].tolist(), shares.lent[0, 0].tolist(), strict=True)
        lenders = {lender: given for lender, given in lent if lender != NO_ITEM}
        if lenders:
            borrowed.append(Borrowed(name, lenders))
    entries = [
        _share_of(int(each), np.flatnonzero(history == each), by_position, question.weights)
        for each in dict.fromkeys(history.tolist())
    ]
    entries.sort(key=lambda share: (-abs(share.total), -share.positions[-1]))
    return ScoreParts(rests, tuple(entries), tuple(borrowed))


def _share_of(
    item: int, positions: NDArray[np.intp], by_position: Mapping[str, Float64Array], weights: Mapping[str, float]
) -> HistoryShare:
    shares = {name: float(of_source[positions].sum()) for name, of_source in by_position.items()}
    total = sum(weights[name] * share for name, share in shares.items())
    return HistoryShare(item, tuple(positions.tolist()), shares, total)
