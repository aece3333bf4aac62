"""What the reasons of lists are like: how many items have a personal one, how different they are, whether they hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.core.queries import NO_ITEM
from recsys.core.types import Int32Array, Int64Array
from recsys.explain.cheap import Reasons
from recsys.explain.fact import Kind
from recsys.measure.explanations.agreement import Named
from recsys.measure.results import ReasonFigures
from recsys.measure.tally import Summary
from recsys.sources.base import Source

_NONE, _TASTE = -1, -2  # numbers of kinds that no source gives


def reason_figures(found: Reasons, items: Int32Array, *, samples: int, seed: int) -> ReasonFigures | None:
    """How many listed items have a personal reason, and how different the reasons of a list are.

    Two reasons are the same where they are of one kind and name the same item of the history, if any.

    Args:
        found: of U lists.
        items: int32 [U, k], the lists.
        samples: bootstrap resamples of users.
        seed: of the bootstrap.

    Returns:
        Shares of each user, averaged: of listed items with a personal reason; of those that have one, how many
        distinct ones there are, and of how many kinds. None where no list has an item.
    """
    listed = (items != NO_ITEM).sum(axis=1)
    shown = np.flatnonzero(listed)
    if not len(shown):
        return None
    kinds = kinds_of(found)
    rows = [_figures(kinds[user], found.items[user]) for user in shown]
    personal = np.array([given for given, _, _ in rows])
    summary = Summary({"lists": {"personal": personal / listed[shown]}}, samples, seed)
    having = [row for row in rows if row[0]]
    different = {
        "distinct": np.array([distinct / given for given, distinct, _ in having]),
        "kinds": np.array([different for _, _, different in having], np.float64),
    }
    of_lists, of_reasons = summary.table()["lists"], Summary({"lists": different}, samples, seed).table()
    return {
        "users": len(shown),
        "entries": int(listed.sum()),
        "personal": of_lists["personal"],
        "distinct": of_reasons["lists"]["distinct"] if having else None,
        "kinds": of_reasons["lists"]["kinds"] if having else None,
    }


def kinds_of(found: Reasons) -> Int64Array:
    """int64 [U, k]: the same number for the same kind; `_TASTE` for a taste, `_NONE` for no personal reason."""
    names = list(dict.fromkeys((Kind.CO_PURCHASE, *found.kinds)))
    numbers = np.array([*(names.index(kind) for kind in found.kinds), _NONE])  # the last one is that of source -1
    turned = (found.items != NO_ITEM) & (found.counts == 0)
    return np.where(found.taste, _TASTE, np.where(turned, names.index(Kind.CO_PURCHASE), numbers[found.sources]))


def _figures(kinds: Int64Array, named: Int32Array) -> tuple[int, int, int]:
    """Of a list: reasons, distinct ones, and their kinds."""
    given = kinds != _NONE
    pairs = set(zip(kinds[given].tolist(), named[given].tolist(), strict=True))
    return int(given.sum()), len(pairs), len({kind for kind, _ in pairs})


def named_by(found: Reasons, sources: Sequence[Source]) -> list[Named]:
    """The reasons that name an item of the history; `sources` are those that the reasons number."""
    return [
        Named(user, entry, int(found.items[user, entry]), sources[found.sources[user, entry]].name)
        for user, entry in np.argwhere(found.items != NO_ITEM).tolist()
    ]
