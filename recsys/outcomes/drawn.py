"""Served lists whose order was drawn by chance, and which of their items were chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from recsys.outcomes.attribution import ATTRIBUTION_S, outcomes_of
from recsys.store import Served, Store


class DrawnServed(NamedTuple):
    """A list, and of each of its items whether it was chosen."""

    served: Served
    clicked: tuple[bool, ...]


def drawn_served(store: Store, since: float, until: float, *, window_s: float = ATTRIBUTION_S) -> Iterator[DrawnServed]:
    """The drawn lists of a time, in its order.

    Args:
        store: that they were served from.
        since: first moment, in seconds since 1970.
        until: first moment after; what was chosen later still counts.
        window_s: longest time from a list to a choice.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    for served, followers in store.outcomes.lists(since, until, window_s):
        if served.details is not None and served.details.propensities:
            outcomes, _ = outcomes_of(served.item_ids, followers)
            chosen = {outcome.place for outcome in outcomes if outcome.kind == "click"}
            yield DrawnServed(served, tuple(place in chosen for place in range(len(served.item_ids))))
