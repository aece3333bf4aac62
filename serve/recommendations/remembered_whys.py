"""Reasons of lists that were asked for before, unchanged: pages are looked at again far more often than users act."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.core.queries import NO_ITEM
from recsys.core.types import Int64Array
from recsys.explain.cheap.facts import KINDS, RATING_STEPS
from recsys.histories.live_histories import LiveHistories, LiveQueries
from recsys.pipeline.recommendations import Recommendations
from serve.metrics import Metrics
from serve.recommendations.answers import Why
from serve.recommendations.whys import Whys

MAX_ITEMS: Final = 25_000  # of all lists that are remembered
LONGEST_HISTORY: Final = 200  # of a list that is remembered


class _List(NamedTuple):
    """What was said of one list.

    Attributes:
        whys: one for each item.
        kinds: of the reasons.
    """

    whys: Sequence[Why]
    kinds: Sequence[str]


class RememberedWhys:
    """Says why, as `Whys` does, and remembers it. For one thread at a time.

    A list is known again by all that its reasons follow from: the model, the items with who proposed them, their
    ratings and whether the shop placed them, the history and its events. Nothing is estimated and nothing grows old.
    Where a source from outside takes part, nothing is remembered.
    """

    def __init__(self, whys: Whys, metrics: Metrics, mean_rating: float) -> None:
        """Remember nothing yet; `mean_rating`: that of which facts tell that a predicted one is above it."""
        self._whys, self._metrics, self._mean_rating = whys, metrics, mean_rating
        self._lists: dict[Hashable, _List] = {}
        self._items = 0

    def of(self, made: Recommendations, model: str, users: LiveQueries, live: LiveHistories) -> Iterator[Why]:
        """One for each item of the lists, one list after the other; arguments as of `Whys.of`."""
        keys = self._keys(made, model, users)
        found = [self._lists.get(key) for key in keys]
        new = [row for row, known in enumerate(found) if known is None]
        if new:
            lengths = users.queries.histories.lengths.tolist()
            known_again = self._whys.reasons(model).of_lists_alone
            for row, told in zip(new, self._tell(made, model, users, live, np.array(new)), strict=True):
                found[row] = told
                if known_again and lengths[row] <= LONGEST_HISTORY:
                    self._remember(keys[row], told)
        told_lists = [told for told in found if told is not None]
        for kind, count in Counter(kind for told in told_lists for kind in told.kinds).items():
            self._metrics.reasoned(kind, count)
        return (why for told in told_lists for why in told.whys)

    def _tell(
        self, made: Recommendations, model: str, users: LiveQueries, live: LiveHistories, rows: Int64Array
    ) -> Iterator[_List]:
        """What is said of the lists of some rows."""
        if len(rows) < len(made.items):
            made, users = _lists_of(made, rows), _users_of(users, rows)
        whys, codes = self._whys.of(made, model, users, live)
        kinds = [KINDS[code] if code >= 0 else "none" for code in codes]
        ends = np.cumsum([0, *(made.items != NO_ITEM).sum(axis=1)]).tolist()
        return (_List(whys[start:end], kinds[start:end]) for start, end in pairwise(ends))

    def _remember(self, key: Hashable, told: _List) -> None:
        if self._items + len(told.whys) > MAX_ITEMS:
            self._lists, self._items = {}, 0
        if key not in self._lists:
            self._lists[key] = told
            self._items += len(told.whys)

    def _keys(self, made: Recommendations, model: str, users: LiveQueries) -> list[Hashable]:
        """All that the reasons of each list follow from."""
        past = users.queries.histories
        history = [part.tobytes() for part in (past.items, past.weights, past.ratings)]
        bounds = [4 * bound for bound in past.indptr.tolist()]  # bytes: all three are of 32 bits
        placed = np.zeros((len(made.items), 0), np.bool_) if made.moves is None else made.moves.placed
        lists = [_rows(made.items), _rows(made.proposed), _rows(made.popular), _rows(placed), self._ratings(made)]
        return [
            (model, isinstance(subject, str), *of_list, *(part[start:end] for part in history), _events(users, subject))
            for subject, (start, end), of_list in zip(
                users.subjects, pairwise(bounds), zip(*lists, strict=True), strict=True
            )
        ]

    def _ratings(self, made: Recommendations) -> list[bytes]:
        """What facts tell of the ratings: those above the mean, in the steps in which they are told."""
        if made.ratings is None:
            return [b""] * len(made.items)
        told = np.where(made.ratings > self._mean_rating, made.ratings, np.float32(0))
        return _rows(np.rint(told * RATING_STEPS).astype(np.int16))


def _rows(values: NDArray[Any]) -> list[bytes]:
    """Each row [B, ...] as bytes."""
    rows = np.ascontiguousarray(values).reshape(len(values), -1)
    size = rows.shape[1] * rows.itemsize
    return rows.view(f"V{size}")[:, 0].tolist() if size else [b""] * len(rows)


def _events(users: LiveQueries, subject: object) -> Hashable:
    return tuple(users.events.get(subject, ())) if isinstance(subject, str) else ()


def _lists_of(made: Recommendations, rows: Int64Array) -> Recommendations:
    return replace(
        made,
        items=made.items[rows],
        scores=made.scores[rows],
        retrieval_scores=made.retrieval_scores[rows],
        ratings=None if made.ratings is None else made.ratings[rows],
        proposed=made.proposed[rows],
        popular=made.popular[rows],
        moves=None if made.moves is None else made.moves.select(rows),
    )


def _users_of(users: LiveQueries, rows: Int64Array) -> LiveQueries:
    chosen = rows.tolist()
    return replace(
        users,
        queries=users.queries.select(rows),
        known=[users.known[row] for row in chosen],
        live_events=[users.live_events[row] for row in chosen],
        subjects=[users.subjects[row] for row in chosen],
    )
