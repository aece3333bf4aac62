"""What experiments are judged by: what became of the lists of one unit on one day."""

from __future__ import annotations

from typing import NamedTuple


class UnitDay(NamedTuple):
    """What became, on one day in UTC, of the lists that one unit was served under one variant.

    Of an interleaved experiment, the variant is a team: lists, impressions and fallbacks are of the whole lists, the
    same for both; clicks and what follows are of the items that the team brought.

    Attributes:
        unit: what the experiment assigns by, a user's id.
        variant: name of the variant.
        day: days since 1970.
        lists: served on that day.
        undelivered: of them, those made as without the experiment.
        impressions: items seen in lists of the variant, each (list, item) once.
        clicks: items chosen from lists (a click or a view that names the list), each (list, item) once.
        carts: items put into a cart, each (list, item) once.
        purchases: items bought that name a list, each (list, item) once.
        revenue: price times pieces of them, less refunds that name a list.
        fallbacks: lists with popular items in the place of personal ones.
        milliseconds: sum over lists, from arrival to answer.
        brand_variety: sum over lists of distinct brands by items.
    """

    unit: str
    variant: str
    day: int
    lists: int = 0
    undelivered: int = 0
    impressions: int = 0
    clicks: int = 0
    carts: int = 0
    purchases: int = 0
    revenue: float = 0.0
    fallbacks: int = 0
    milliseconds: float = 0.0
    brand_variety: float = 0.0
