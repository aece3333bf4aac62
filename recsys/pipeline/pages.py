"""Pages of a list: they hold no item twice, and together they are one list, whatever its lists of several lengths say.

The first k items of a longer list need not be the list of k: it has more candidates and more finalists, and rules
arrange it as a whole. So a page is not cut out of the list that ends with it. A list goes on instead: its first page is
the list of k, as anyone gets it who asks for k items; then come the others of the longest list that is made of the same
finalists, arranged as one that begins so; then those of the list of 100 that begins with these, of 300, and of 1,000.
All of it follows from the query and k alone, so that pages of one k are slices of one sequence. Where longer lists
begin with the list of k, it is the same for any k.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Int64Array
from recsys.pipeline.recommendations import Moves, Recommendations
from recsys.sources.exact import is_among

LENGTHS: Final = (100, 300, 1000)  # of lists by which a first page goes on; so far are there pages

Listing = Callable[[int, Recommendations | None], Recommendations]
"""Makes lists of a length, alone or such as begin with given ones."""


def page(listing: Listing, k: int, offset: int, settled: int = 0) -> Recommendations:
    """The k items of each list behind its first ones, as many as `offset` says.

    A list ends with the first page that is short of k.

    Args:
        listing: makes the lists of a batch.
        k: length of all pages.
        offset: of this page; offset + k is 1,000 at most.
        settled: so long lists are made of what shorter ones are made of, see `Recommender`; 0: nobody knows.

    Raises:
        ValueError: there are no such pages.
    """
    lists = _lists(listing, k, offset + k, settled)
    return lists if not offset else _of_page(lists.behind(offset, k), k)


def pages(listing: Listing, k: int, end: int, settled: int = 0) -> Recommendations:
    """All pages up to item `end`, one behind the other; arguments and errors as of `page`."""
    lists = _lists(listing, k, end, settled)
    return lists if end == k else _of_page(lists.behind(0, end), end)


def _lists(listing: Listing, k: int, end: int, settled: int) -> Recommendations:
    """The lists up to item `end`, or further."""
    if end > LENGTHS[-1]:
        raise ValueError(f"expected pages up to item {LENGTHS[-1]}, got {end - k} + {k}")
    lists = listing(k, None)
    for length in _longer(k, end, settled):
        lists = followed_by(lists, listing(length, lists))
    return lists


def _longer(k: int, end: int, settled: int) -> Iterator[int]:
    """Lengths of the lists by which a list of k goes on up to its item `end`."""
    for length in sorted({*LENGTHS, min(settled, LENGTHS[-1])}):
        if k >= end:
            return
        if length > k:
            yield length
            k = length


def followed_by(lists: Recommendations, longer: Recommendations) -> Recommendations:
    """The lists [B, G], and behind them what others [B, K] hold beside, in their order: [B, K].

    Nothing follows a list that is shorter than G: there is no more of it.
    """
    new = (longer.items != NO_ITEM) & ~is_among(longer.items, lists.items)
    new &= (lists.items != NO_ITEM).all(axis=1)[:, None]
    columns = np.argsort(~new, axis=1, kind="stable")
    columns = np.where(np.take_along_axis(new, columns, axis=1), columns, -1)
    columns = columns[:, : longer.items.shape[1] - lists.items.shape[1]]
    others = longer.columns(columns)
    whole = replace(
        longer,
        items=np.concatenate([lists.items, others.items], axis=1),
        scores=np.concatenate([lists.scores, others.scores], axis=1),
        retrieval_scores=np.concatenate([lists.retrieval_scores, others.retrieval_scores], axis=1),
        ratings=None
        if lists.ratings is None or others.ratings is None
        else np.concatenate([lists.ratings, others.ratings], axis=1),
        proposed=np.concatenate([lists.proposed, others.proposed], axis=1),
        popular=np.concatenate([lists.popular, others.popular], axis=1),
        seconds={stage: spent + lists.seconds.get(stage, 0.0) for stage, spent in longer.seconds.items()},
    )
    return replace(whole, moves=_moves(lists, longer, columns))


def _moves(lists: Recommendations, longer: Recommendations, columns: Int64Array) -> Moves | None:
    """What rules did to lists, and to those columns of longer ones that stand behind them."""
    behind = longer.moves
    if behind is None:
        return None
    first = Moves.none(behind.rules, lists.items) if lists.moves is None else lists.moves
    rows = np.arange(len(columns))[:, None]
    moved_by = behind.moved_by[rows, columns] & (columns >= 0)[:, :, None]
    ranks = np.where(columns < 0, 0, behind.ranks_before[rows, columns])
    # Where no rule moved anything, each item stands where it stood.
    moved = _any_moved(first) | _any_moved(behind)
    places = np.arange(columns.shape[1]) + lists.items.shape[1] + 1
    ranks = np.where(moved | (columns < 0), ranks, places)
    ended = (lists.items == NO_ITEM).any(axis=1)[:, None]
    return replace(
        behind,
        ranks_before=np.concatenate([first.ranks_before, ranks], axis=1),
        moved_by=np.concatenate([first.moved_by, moved_by], axis=1),
        shortened_by=np.where(ended, first.shortened_by, behind.shortened_by),
        cut=first.cut | behind.cut,
    )


def _any_moved(moves: Moves) -> BoolArray:
    """Bool [B, 1], whether a rule moved any item of each list."""
    return np.asarray(moves.moved_by.any(axis=(1, 2)))[:, None]


def _of_page(lists: Recommendations, k: int) -> Recommendations:
    """The same, where rules are not said to shorten a page that is whole."""
    moves = lists.moves
    if moves is None:
        return lists
    short = (lists.items != NO_ITEM).sum(axis=1) < k
    return replace(lists, moves=replace(moves, shortened_by=moves.shortened_by & short[:, None]))
