"""What becomes of an item without each single item of the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from recsys.core.queries import Queries
from recsys.explain.evidence import HistoryShare
from recsys.explain.question import Question
from recsys.explain.reruns import Outcome, rerun

MOST_TRIED = 30  # of long histories so many distinct items are left out: half of them the latest
_LATEST = MOST_TRIED // 2


def leave_one_out(
    question: Question, query: Queries, item: int, shares: Sequence[HistoryShare]
) -> tuple[tuple[HistoryShare, ...], list[Outcome]]:
    """The recommender without one distinct item of the history at a time, as one batch.

    Args:
        question: how lists are asked for.
        query: a single one.
        item: that is explained.
        shares: of all items of the history, the most influential first.

    Returns:
        The shares, with rank and score without each item that was tried, as `by_fall` orders them; what came of those
        that were tried, the most influential first.
    """
    chosen = _tried(shares)
    outcomes = rerun(question, query, item, [(one.item,) for one in shares if one.item in chosen])
    by_item = {outcome.without[0]: outcome for outcome in outcomes}
    found = tuple(
        replace(one, rank_without=by_item[one.item].rank, score_without=by_item[one.item].score, tried=True)
        if one.item in by_item
        else one
        for one in shares
    )
    return by_fall(found), outcomes


def by_fall(shares: Sequence[HistoryShare]) -> tuple[HistoryShare, ...]:
    """From the item without which the explained one falls furthest, to those that were not tried.

    Of items without which it has the same rank, the one that gives most to the source sum is first. On validation, an
    item falls sooner where its history is left out in this order than by the totals or by the scores alone
    (docs/experiments.md).
    """

    def key(share: HistoryShare) -> tuple[bool, float, float]:
        rank = float("inf") if share.rank_without is None else share.rank_without
        return share.tried, rank if share.tried else 0.0, share.total

    return tuple(sorted(shares, key=key, reverse=True))


def _tried(shares: Sequence[HistoryShare]) -> set[int]:
    """Of a long history the latest items, then the most influential of the others."""
    if len(shares) <= MOST_TRIED:
        return {one.item for one in shares}
    latest = sorted(shares, key=lambda one: -one.positions[-1])[:_LATEST]
    chosen = {one.item for one in latest}
    others = [one.item for one in shares if one.item not in chosen]
    return chosen | set(others[: MOST_TRIED - len(chosen)])
