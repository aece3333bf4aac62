"""Which of the user's own actions an item is in the list for: without them it would not be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations

from recsys.core.queries import Queries
from recsys.explain.evidence import Counterfactual
from recsys.explain.question import Question
from recsys.explain.reruns import Outcome, rerun

MOST_ACTIONS = 3
_BREADTH = 8  # items of the history that are tried beside those that were taken


def counterfactual(
    question: Question, query: Queries, item: int, singles: Sequence[Outcome], listed: Collection[int]
) -> Counterfactual:
    """The smallest set found of at most three items of the history without which the item is not in the list.

    The search is greedy, so a smaller set or another of that size may exist: it takes the item whose absence makes the
    explained one fall furthest; then, if that is not enough, looks which of the next few does so beside it; then a
    third. Where it finds a set, no single item that was left out alone would have done, and no part of the set would:
    all of this is run, not estimated.

    Args:
        question: how lists are asked for.
        query: a single one.
        item: is in the list.
        singles: what became of it without single items of the history.
        listed: the list.
    """
    by_fall = sorted(singles, key=lambda outcome: outcome.fall, reverse=True)
    step, promising = by_fall, [outcome.without[0] for outcome in by_fall]
    for size in range(1, MOST_ACTIONS + 1):
        found = _furthest(step, item)
        if found is not None:
            return _told(_irreducible(question, query, item, found), listed)
        if size == MOST_ACTIONS or not step:
            break
        taken = max(step, key=lambda outcome: outcome.fall).without
        beside = [other for other in promising if other not in taken][:_BREADTH]
        step = rerun(question, query, item, [(*taken, other) for other in beside])
    return Counterfactual((), None, None)


def _furthest(outcomes: Sequence[Outcome], item: int) -> Outcome | None:
    """The outcome in which the item is not in the list, and fell furthest."""
    gone = [outcome for outcome in outcomes if item not in outcome.items]
    return max(gone, key=lambda outcome: outcome.fall, default=None)


def _irreducible(question: Question, query: Queries, item: int, found: Outcome) -> Outcome:
    """The set, or a pair of it if that does: of three items, only pairs were not all tried before."""
    if len(found.without) < MOST_ACTIONS:
        return found
    pairs = rerun(question, query, item, list(combinations(found.without, 2)))
    return _furthest(pairs, item) or found


def _told(found: Outcome, listed: Collection[int]) -> Counterfactual:
    """With what takes the item's place: the first that is new in the list, rather not one that was left out."""
    new = [each for each in found.items if each not in listed]
    others = [each for each in new if each not in found.without]
    replacement = next(iter(others or new), None)
    return Counterfactual(found.without, found.rank, replacement)
