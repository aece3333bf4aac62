"""The recommender run again for a user who had never had to do with some items: nothing here is estimated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.core.queries import NO_ITEM, Queries
from recsys.explain.question import Question
from recsys.explain.without import without


@dataclass(frozen=True)
class Outcome:
    """What became of an item when the recommender was run without some items of the history.

    Attributes:
        without: those items.
        rank: of the item among all ranked, from 1; None where it was not ranked.
        score: its final score; None likewise.
        items: the list, best first.
    """

    without: tuple[int, ...]
    rank: int | None
    score: float | None
    items: tuple[int, ...]

    @property
    def fall(self) -> tuple[float, float]:
        """How far down the item is: larger is further, not ranked furthest. Scores decide between equal ranks."""
        return (np.inf, 0.0) if self.rank is None or self.score is None else (self.rank, -self.score)


def rerun(question: Question, query: Queries, item: int, sets: Sequence[tuple[int, ...]]) -> list[Outcome]:
    """What becomes of the item for one query without each of the sets of items; all are run as one batch."""
    if not sets:
        return []
    trace = question.trace(without(query, sets))
    outcomes = []
    rows = zip(sets, trace.columns(item).tolist(), trace.scores(item).tolist(), trace.lists.items.tolist(), strict=True)
    for left_out, column, score, listed in rows:
        rank, final = (None, None) if column < 0 else (column + 1, score)
        outcomes.append(Outcome(left_out, rank, final, tuple(each for each in listed if each != NO_ITEM)))
    return outcomes
