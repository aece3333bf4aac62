"""One list of two rankers' lists, by team draft: what people choose of it says which ranker they prefer.

Radlinski, Kurup and Joachims 2008, How Does Clickthrough Data Reflect Retrieval Quality?
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import islice
from typing import Final, Literal, TypeVar

from recsys.experiments.chance import Chance

Item = TypeVar("Item", bound=Hashable)
Team = Literal[0, 1]
"""Who brought an item: the first ranker or the second."""
FIRST: Final[Team] = 0
SECOND: Final[Team] = 1


def team_draft(
    first: Sequence[Item], second: Sequence[Item], k: int, rng: Chance
) -> tuple[list[Item], list[Team | None]]:
    """The best `k` items of two lists, and who brought each.

    In each round a coin says who picks first; each picks the best item of its list that is not taken. A round is
    drafted only if both could pick in it whichever way the coin falls, so that a ranker without preference of the users
    gets as many clicks as the other, however short its list is and whatever both have in common. What is left then
    fills the list up and is nobody's: its team is None. With equal coins, a shorter list is the beginning of a longer
    one.

    Args:
        first, second: items, best first; an item that comes again counts once.
        k: how many; fewer where both lists together hold fewer.
        rng: throws the coins, one a round.

    Returns:
        Items without repeats, and of each its team.
    """
    rankings = (dict.fromkeys(first), dict.fromkeys(second))
    items: list[Item] = []
    teams: list[Team | None] = []
    while picks := _round(rankings, k - len(items), rng):
        for item, team in picks:
            items.append(item)
            teams.append(team)
            for ranking in rankings:
                ranking.pop(item, None)
    rest = list(islice(rankings[0] | rankings[1], k - len(items)))
    return items + rest, teams + [None] * len(rest)


def _round(rankings: tuple[dict[Item, None], dict[Item, None]], room: int, rng: Chance) -> list[tuple[Item, Team]]:
    """What is picked next of the items that are left, one item of each team; nothing where the draft is over."""
    best, other_best = (list(islice(ranking, 2)) for ranking in rankings)
    if room < 1 or not best or not other_best:
        return []
    next_best = int(best[0] == other_best[0])  # who picks second takes the next one of an item of both
    if next_best >= min(len(best), len(other_best)):
        return []
    if rng.random() < 0.5:
        return [(best[0], FIRST), (other_best[next_best], SECOND)][:room]
    return [(other_best[0], SECOND), (best[next_best], FIRST)][:room]
