"""Events, as store, server, config and preparation share them: types, their weights, and bounds of the values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

EventType = Literal["view", "click", "add_to_cart", "purchase", "rating"]
EVENT_TYPES: Final[tuple[EventType, ...]] = get_args(EventType)
RATING: Final[EventType] = "rating"
PURCHASE: Final[EventType] = "purchase"

# A rating weighs as much as a purchase, because users rate what they bought; of a purchase and a later rating of the
# same item, training keeps the rating.
EVENT_WEIGHTS: Mapping[str, float] = {"view": 1.0, "click": 2.0, "add_to_cart": 3.0, "purchase": 5.0, RATING: 5.0}
# Of an event log's types, where a config names no others; a log tells ratings by their column.
LOG_WEIGHTS: Mapping[str, float] = {name: weight for name, weight in EVENT_WEIGHTS.items() if name != RATING}

# What takes back an earlier event of the same user and item: the type that it undoes.
UNDO_EVENTS: Mapping[str, str | None] = {
    **dict.fromkeys(("refund", "refunded", "return", "returned", "chargeback"), "purchase"),
    **dict.fromkeys(("cancel", "canceled", "cancelled", "cancellation"), "purchase"),
    **dict.fromkeys(("remove_from_cart", "removed_from_cart", "removefromcart", "cart_remove"), "add_to_cart"),
}

ListEventType = Literal["impression", "explanation_open", "explanation_feedback"]
# They tell what became of a list, and enter no history and no training: who sees an item has not chosen it.
LIST_EVENT_TYPES: Final[tuple[ListEventType, ...]] = get_args(ListEventType)
EXPLANATION_FEEDBACK: Final[ListEventType] = "explanation_feedback"
Feedback = Literal["clear", "unclear", "wrong", "helpful", "not_helpful", "too_personal"]
FEEDBACK: Final[tuple[Feedback, ...]] = get_args(Feedback)

MAX_ID_CHARS = 512  # four bytes each at most: PostgreSQL indexes no key above 2.7 kB
MAX_TYPE_CHARS = 100
MAX_POSITION = 1_000_000  # of an item in a list
END_OF_TIME = 1 << 33  # seconds since 1970, in the year 2242; later times are milliseconds sent by mistake
SECONDS_PER_DAY = 86_400
LARGEST_AMOUNT = 1e9  # of a rating, a price or a quantity that a client may send


def least_bought(weights: Mapping[str, float]) -> float:
    """Weight from which on an event says that an item was bought: that of a purchase; 0 where there are no types.

    Where no type is called purchase, the strongest stands for it.

    Args:
        weights: of the types of an event log.
    """
    return weights.get(PURCHASE, max(weights.values(), default=0.0))


def bought_types(weights: Mapping[str, float]) -> list[str]:
    """The types that are purchases: `purchase` and those that weigh no less. Whoever rates an item buys nothing then.

    What weighs least beside a purchase is none: a log of equal weights does not turn views into purchases.

    Args:
        weights: of the types of an event log.
    """
    least, weakest = least_bought(weights), min(weights.values(), default=0.0)
    strong = {name for name, weight in weights.items() if weight >= least}
    if PURCHASE in weights:
        strong = {name for name in strong if name == PURCHASE or weights[name] > weakest}
    return [name for name in weights if name in strong and name != RATING]
