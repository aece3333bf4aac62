"""What is answered about outcomes."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from recsys.outcomes import Cause, Dimension
from serve.answers import Answer


class OutcomeRate(Answer):
    """A rate, with an interval of 95% by user: what one user does with many items is no independent evidence."""

    value: Annotated[float, Meta(examples=[0.05])]
    low: Annotated[float | None, Meta(description="null: too few users tell how much chance does.", examples=[0.04])]
    high: Annotated[float | None, Meta(description="null as low.", examples=[0.06])]


class OutcomeCounts(Answer):
    """What came of items in lists: each item of a list counts once in each number, whatever was sent how often."""

    value: Annotated[
        str | None,
        Meta(
            description="Of the dimension; null: the list or item has none. Of variants: experiment/version/variant, "
            "of bundles their name and version.",
            examples=["two_tower"],
        ),
    ]
    lists: Annotated[int, Meta(description="Lists of which an item counts here.", examples=[1000])]
    served: Annotated[int, Meta(description="Items in them.", examples=[10000])]
    impressions: Annotated[int, Meta(description="Of these, seen.", examples=[6000])]
    clicks: Annotated[int, Meta(description="Clicked, or looked at.", examples=[300])]
    clicks_unseen: Annotated[
        int, Meta(description="Clicked, though nobody said that they were seen: impressions are missing.", examples=[2])
    ]
    carts: Annotated[int, Meta(description="Put into a cart.", examples=[60])]
    purchases: Annotated[int, Meta(description="Bought.", examples=[20])]
    refunds: Annotated[int, Meta(description="Given back.", examples=[1])]
    revenue: Annotated[float, Meta(description="Price times pieces of purchases, less refunds.", examples=[399.5])]
    without_price: Annotated[
        int, Meta(description="Purchases and refunds whose price nobody said; not in revenue.", examples=[0])
    ]
    explanation_opens: Annotated[int, Meta(description="Whose explanation was opened.", examples=[12])]
    feedback: Annotated[
        dict[str, int], Meta(description="Whose explanation was judged, by judgement.", examples=[{"clear": 3}])
    ]
    ctr: Annotated[OutcomeRate | None, Meta(description="Clicks by impressions; null: nothing was seen.")]
    ctr_served: Annotated[OutcomeRate | None, Meta(description="Clicks by served items, seen or not.")]
    add_to_cart_rate: Annotated[OutcomeRate | None, Meta(description="Carts by impressions.")]
    add_to_cart_rate_served: Annotated[OutcomeRate | None, Meta(description="Carts by served items.")]
    conversion_rate: Annotated[OutcomeRate | None, Meta(description="Purchases by impressions.")]
    conversion_rate_served: Annotated[OutcomeRate | None, Meta(description="Purchases by served items.")]


class OutcomeTable(Answer):
    """Outcomes by one dimension."""

    by: Dimension
    rows: Annotated[
        list[OutcomeCounts],
        Meta(description="In the order of their values. Beyond 200 values the further ones are together (others)."),
    ]


class UnattributedEvents(Answer):
    """Events that are the outcome of no list. They are counted, and not guessed at."""

    cause: Annotated[
        Cause,
        Meta(
            description="no_list_named: they have no recommendation_id; unknown_list: the log does not hold theirs; "
            "not_in_list: it does not hold their item; before_list: they are of before it; after_window: they came "
            "more than attribution_days after it.",
            examples=["no_list_named"],
        ),
    ]
    event_type: Annotated[str, Meta(examples=["purchase"])]
    events: Annotated[int, Meta(examples=[17])]


class OutcomeWindow(Answer):
    """Of which time the lists are."""

    since: Annotated[str, Meta(examples=["2026-11-22T00:00:00.000Z"])]
    until: Annotated[str, Meta(description="Not included.", examples=["2026-11-29T00:00:00.000Z"])]


class OutcomesResponse(Answer):
    """What came of the lists of a time."""

    window: OutcomeWindow
    as_of: Annotated[
        str,
        Meta(description="When the store was asked; later events are not in.", examples=["2026-11-29T00:00:07.123Z"]),
    ]
    attribution_days: Annotated[float, Meta(description="From a list to what is its outcome, at most.", examples=[7])]
    settled: Annotated[
        bool,
        Meta(description="No list of the window can have further outcomes, but for events that arrive late."),
    ]
    complete: Annotated[
        bool, Meta(description="The store still has all lists and events of the window.", examples=[True])
    ]
    kept_since: Annotated[
        str | None,
        Meta(description="What is older has been removed, at least in part; null: nothing was.", examples=[None]),
    ]
    experiment: Annotated[str | None, Meta(description="As asked for.", examples=[None])]
    total: OutcomeCounts
    tables: list[OutcomeTable]
    unnamed_lists: Annotated[
        int, Meta(description="Lists from before lists had ids; they are in no number.", examples=[0])
    ]
    unattributed: Annotated[
        list[UnattributedEvents], Meta(description="Empty of one experiment, but for those not_in_list.")
    ]
