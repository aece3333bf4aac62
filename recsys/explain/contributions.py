"""What each group of numbers gives to the difference between the scores of an item and of a reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM
from recsys.core.types import Float32Array
from recsys.explain.coalitions import (
    Numbers,
    Player,
    coalition_scores,
    differ,
    joined,
    players_of,
    shapley_values,
)
from recsys.explain.evidence import Contribution, Contributions
from recsys.pipeline.ranker import RankedCandidates, Ranker
from recsys.sources.exact import is_seen

MOST_PLAYERS = 16  # twice as many coalitions with each more
OTHERS = "others"


@dataclass(frozen=True, eq=False)
class Finalist:
    """A candidate that the ranker saw.

    Attributes:
        item: its row.
        score: final.
        numbers: all that it follows from.
    """

    item: int
    score: float
    numbers: Numbers

    @classmethod
    def of(cls, ranked: RankedCandidates, histories: Histories, query: int, item: int, *, repeats: bool = True) -> Self:
        """The finalist `item` of one of B queries with those histories.

        Args:
            ranked: what was ranked.
            histories: of the queries.
            query, item: see above.
            repeats: whether the item was ranked as a repeat if the history holds it, see `Ranker.repeated`.

        Raises:
            ValueError: it is none.
        """
        column = ranked.finalists.column(query, item)
        if column is None:
            raise ValueError(f"a finalist of query {query}, got item {item}")
        repeated = repeats and bool(is_seen(np.array([item]), np.array([query]), histories)[0])
        scores = np.ascontiguousarray(ranked.finalists.own[:, query, column])
        numbers = Numbers(scores, ranked.features[query, column], repeated)
        return cls(int(item), float(ranked.scores[query, column]), numbers)


def by_ranker(ranker: Ranker, item: Finalist, reference: Finalist | None) -> Contributions:
    """Shapley values of the groups of features and sources: what of the ranker's score is whose.

    Groups in which both do not differ give exactly 0 and take part in no coalition. Where more than `MOST_PLAYERS`
    differ, those that change the reference's score least on their own play as one, `OTHERS`: each value is then the
    exact one of the smaller game.

    Args:
        ranker: which scored both.
        item: to explain.
        reference: with which it is compared, of the same query; None: a candidate of which nothing is known, whose
            numbers are all 0.
    """
    compared = reference if reference is not None else _unknown(ranker, len(item.numbers.source_scores))
    players = players_of(ranker)
    numbers = item.numbers, compared.numbers
    active = [player for player in players if differ(player, *numbers)]
    exact = len(active) <= MOST_PLAYERS
    playing = active if exact else _fewer(ranker, active, *numbers)
    values = {player.group: 0.0 for player in players if player not in active}
    scores = coalition_scores(ranker, playing, *numbers)
    values.update(zip((player.group for player in playing), shapley_values(scores).tolist(), strict=True))
    named = None if reference is None else reference.item
    return summed_up(values, item.score, named, compared.score, exact=exact)


def _fewer(ranker: Ranker, players: Sequence[Player], item: Numbers, reference: Numbers) -> list[Player]:
    """The players of whom each alone changes the score most, and the others as one."""
    alone = [coalition_scores(ranker, [player], item, reference) for player in players]
    order = sorted(range(len(players)), key=lambda one: -abs(alone[one][1] - alone[one][0]))
    kept = sorted(order[: MOST_PLAYERS - 1])
    others = [player for row, player in enumerate(players) if row not in kept]
    return [*(players[row] for row in kept), joined(OTHERS, others)]


def _unknown(ranker: Ranker, n_sources: int) -> Finalist:
    """A candidate of which nothing is known."""
    features: Float32Array = np.zeros(len(ranker.features.names), np.float32)
    score = float(ranker.model.score(features[None, None])[0, 0])
    return Finalist(NO_ITEM, score, Numbers(np.zeros(n_sources, np.float32), features, repeated=False))


def summed_up(
    values: dict[str, float], score: float, reference: int | None, reference_score: float, *, exact: bool = True
) -> Contributions:
    """The groups' values as contributions, largest first, with the error of their sum."""
    groups = sorted((Contribution(group, value) for group, value in values.items()), key=lambda one: -abs(one.value))
    error = abs(sum(values.values()) - (score - reference_score))
    return Contributions(score, reference, reference_score, tuple(groups), error, exact)
