"""Tables of outcomes: counts and rates of the lists of a time, altogether and by what made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from recsys.outcomes.dimensions import Dimension, Value
from recsys.outcomes.intervals import Rate

Cause = Literal["no_list_named", "unknown_list", "not_in_list", "before_list", "after_window"]
NOT_IN_LIST: Final[Cause] = "not_in_list"
CAUSES: Final[Mapping[Cause, str]] = {
    "no_list_named": "They name no list.",
    "unknown_list": "The log of lists does not hold the one that they name.",
    NOT_IN_LIST: "The list that they name does not hold their item.",
    "before_list": "They are of before the list that they name.",
    "after_window": "They came too long after the list that they name.",
}
"""Why an event is the outcome of no list."""


@dataclass(frozen=True, slots=True)
class Unattributed:
    """How many events of a type are the outcome of no list, for one cause of `CAUSES`."""

    cause: Cause
    event_type: str
    events: int


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """What came of some items of some lists. An item of a list counts once in each number, whatever was sent how often.

    Attributes:
        value: of the dimension of the table; None: none.
        lists: lists, of which at least one item counts here.
        served: items in them.
        impressions: of these, seen.
        clicks, carts, purchases: clicked or looked at, put into a cart, bought.
        clicks_unseen: clicked, though nobody said that they were seen.
        refunds: given back.
        revenue: price times pieces of purchases, less that of refunds.
        without_price: purchases and refunds whose price nobody said; they are not in `revenue`.
        explanation_opens: of which the explanation was opened.
        feedback: of which the explanation was judged, by judgement.
        ctr, add_to_cart_rate, conversion_rate: clicks, carts, purchases by impressions; None without impressions.
        ctr_served, add_to_cart_rate_served, conversion_rate_served: the same by served items.
    """

    value: Value
    lists: int
    served: int
    impressions: int
    clicks: int
    clicks_unseen: int
    carts: int
    purchases: int
    refunds: int
    revenue: float
    without_price: int
    explanation_opens: int
    feedback: Mapping[str, int]
    ctr: Rate | None
    ctr_served: Rate | None
    add_to_cart_rate: Rate | None
    add_to_cart_rate_served: Rate | None
    conversion_rate: Rate | None
    conversion_rate_served: Rate | None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of the lists of a time.

    Attributes:
        since, until: the lists are those served from the one to before the other, in seconds since 1970.
        window_s: longest time from a list to its outcome.
        as_of: when the store was asked; lists of less than a window before may have more outcomes to come.
        experiment: key of the experiment whose lists alone count; None: all do.
        total: of all lists.
        tables: by dimension, rows in the order of their values.
        unnamed_lists: lists of before lists had names, of which nothing can be told; not in any number.
        unattributed: by cause and type. Those of `NOT_IN_LIST` are told with the list, the others at their own time.
        removed_until: as of `ListOutcomes.removed_until`.
    """

    since: float
    until: float
    window_s: float
    as_of: float
    experiment: str | None
    total: OutcomeRow
    tables: Mapping[Dimension, tuple[OutcomeRow, ...]]
    unnamed_lists: int
    unattributed: tuple[Unattributed, ...]
    removed_until: float | None

    @property
    def complete(self) -> bool:
        """Whether the store still has all lists and events of the time."""
        return self.removed_until is None or self.removed_until < self.since

    @property
    def settled(self) -> bool:
        """Whether no list can have further outcomes, but for events that arrive late."""
        return self.until + self.window_s <= self.as_of
