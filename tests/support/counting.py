"""Who stands behind two items' going together, counted from histories one after the other, by plain Python."""

from __future__ import annotations

from itertools import pairwise

from recsys.core.histories import Histories

Interaction = tuple[int, int]
"""Item and time."""


def of_users(histories: Histories) -> list[list[Interaction]]:
    """The interactions of each user, in their order."""
    items, times, bounds = histories.items.tolist(), histories.timestamps.tolist(), histories.indptr.tolist()
    return [list(zip(items[start:end], times[start:end], strict=True)) for start, end in pairwise(bounds)]


def both(histories: Histories, item: int, other: int) -> int:
    """Users who chose both items."""
    return sum({item, other} <= {chosen for chosen, _ in user} for user in of_users(histories))


def later(histories: Histories, item: int, other: int, window: int) -> int:
    """Users who chose the other at a later time than the item, at most `window` positions behind it."""
    return sum(_chose_later(user, item, other, window) for user in of_users(histories))


def _chose_later(user: list[Interaction], item: int, other: int, window: int) -> bool:
    for position, (chosen, time) in enumerate(user):
        following = user[position + 1 : position + 1 + window]
        if chosen == item and any(target == other and at > time for target, at in following):
            return True
    return False
