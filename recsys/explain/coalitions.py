"""The ranker's score of every candidate between two: some groups of numbers are those of the one, some of the other.

The groups are the players of a game in the sense of Shapley, "A value for n-person games" (1953). A coalition has the
numbers of the explained item, the other groups have those of the reference: the interventional reading of Lundberg and
Lee, "A unified approach to interpreting model predictions" (2017), with one reference that has a name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.core.types import Float32Array, Float64Array, Int64Array
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.features.source_sum import SOURCE_SUM
from recsys.pipeline.ranker import Ranker
from recsys.sources.registry import NOT_PERSONAL

POPULARITY, HISTORY = "popularity", "history"  # headings of features
_BLOCK_PLAYERS = 7  # coalitions of so many are computed together: BLAS would wake threads for more rows


@dataclass(frozen=True)
class Player:
    """A group of numbers that change together.

    Attributes:
        group: its name.
        features: columns of the features.
        sources: rows of the sources, of those with a weight, whose scores are the group's; the source sum follows them.
        repeats: whether the log odds of a repeat are the group's, too.
    """

    group: str
    features: tuple[slice, ...]
    sources: tuple[int, ...]
    repeats: bool = False


def group_of(source: str, headings: Sequence[str]) -> str:
    """The group that a source's score belongs to."""
    if source in headings:
        return source
    return POPULARITY if source in NOT_PERSONAL else source


def players_of(ranker: Ranker) -> tuple[Player, ...]:
    """All groups: the headings of the features, in their order, then the members of the source sum without features.

    What is added for a repeat is the history's, whether or not that has features.
    """
    columns, first = {}, 0
    for heading, names in ranker.features.headings.items():
        columns[heading] = slice(first, first + len(names))
        first += len(names)
    del columns[SOURCE_SUM]
    sources = sources_of(ranker.scorer, tuple(columns))
    groups = dict.fromkeys((*columns, *sources, HISTORY))
    return tuple(
        Player(group, (columns[group],) if group in columns else (), sources.get(group, ()), repeats=group == HISTORY)
        for group in groups
    )


def sources_of(scorer: CandidateScorer, headings: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Rows of the sources that have a weight in the sum, by the group that they belong to."""
    sources: dict[str, tuple[int, ...]] = {}
    for row, name in enumerate(scorer.names):
        if scorer.weights.get(name, 0):
            group = group_of(name, headings)
            sources[group] = (*sources.get(group, ()), row)
    return sources


def joined(group: str, players: Sequence[Player]) -> Player:
    """Players who act as one, under the name of `group`."""
    features = tuple(columns for player in players for columns in player.features)
    sources = tuple(row for player in players for row in player.sources)
    return Player(group, features, sources, repeats=any(player.repeats for player in players))


@dataclass(frozen=True, eq=False)
class Numbers:
    """All that the ranker's score of a candidate follows from.

    Attributes:
        source_scores: float32 [S], the sources' own, in the order of `CandidateScorer.names`; 0 where one has none.
        features: float32 [F].
        repeated: whether the history holds it.
    """

    source_scores: Float32Array
    features: Float32Array
    repeated: bool


def differ(player: Player, item: Numbers, reference: Numbers) -> bool:
    """Whether both differ in any number of the group."""
    return (
        any((item.features[columns] != reference.features[columns]).any() for columns in player.features)
        or any(item.source_scores[row] != reference.source_scores[row] for row in player.sources)
        or (player.repeats and item.repeated != reference.repeated)
    )


def coalition_scores(ranker: Ranker, players: Sequence[Player], item: Numbers, reference: Numbers) -> Float64Array:
    """The ranker's score for each coalition of n players.

    The first layer is a sum over the features, so that a coalition's is the reference's and what each member changes.
    The source sum and what it gives to the first layer are computed anew in each coalition.

    Returns:
        float64 [2**n]; player p is a member of those in whose number the bit p is set.
    """
    base, changes = _first_layer(ranker, players, item, reference)
    inside = players[:_BLOCK_PLAYERS]
    first_layers = base + _subset_sums(changes[: len(inside)])
    scores = np.empty(1 << len(players))
    outside_changes = _subset_sums(changes[len(inside) :])
    for block, change in enumerate(outside_changes):
        members = block << len(inside) | np.arange(len(first_layers))
        sums = _source_sums(ranker, players, members, item, reference)
        column = ranker.model.sum_column
        encoded = ranker.model.first_layer(sums[:, None], slice(column, column + 1))
        found = ranker.model.later_layers(first_layers + change + encoded)
        scores[members] = found + np.float32(ranker.model.sum_weight) * sums.astype(np.float64)
    return scores


def _first_layer(
    ranker: Ranker, players: Sequence[Player], item: Numbers, reference: Numbers
) -> tuple[Float64Array, Float64Array]:
    """First layer and linear part [H1 + 1] of the reference but for its source sum, and how each player changes them.

    What is added for a repeat counts as linear.
    """
    model, both = ranker.model, np.stack([reference.features, item.features])
    sum_column = model.sum_column
    parts = [(0, sum_column), (sum_column + 1, both.shape[1])]
    base = np.append(model.biases[0], 0).astype(np.float64)
    for first, last in parts:
        columns = slice(first, last)
        base += model.first_layer(np.ascontiguousarray(both[:1, columns]), columns)[0]
    base[-1] += np.float32(ranker.repeat_log_odds) * reference.repeated
    changes = np.zeros((len(players), len(base)))
    for row, player in enumerate(players):
        for columns in player.features:
            given = model.first_layer(np.ascontiguousarray(both[:, columns]), columns).astype(np.float64)
            changes[row] += given[1] - given[0]
        if player.repeats:
            changes[row, -1] += np.float32(ranker.repeat_log_odds) * (int(item.repeated) - int(reference.repeated))
    return base, changes


def _subset_sums(changes: Float64Array) -> Float64Array:
    """Sums float64 [2**n, H] of the changes [n, H] of all subsets, by the bits of their numbers."""
    sums = np.zeros((1 << len(changes), changes.shape[1]))
    for player, change in enumerate(changes):
        np.add(sums[: 1 << player], change, out=sums[1 << player : 2 << player])
    return sums


def _source_sums(
    ranker: Ranker, players: Sequence[Player], members: Int64Array, item: Numbers, reference: Numbers
) -> Float32Array:
    """The source sum float32 [M] in each of the coalitions int64 [M]."""
    scores = np.repeat(reference.source_scores[:, None, None], len(members), axis=2)
    for bit, player in enumerate(players):
        for row in player.sources:
            scores[row, 0, (members >> bit & 1) == 1] = item.source_scores[row]
    sums: Float32Array = ranker.scorer.sums(scores)[0]
    return sums


def shapley_values(scores: Float64Array) -> Float64Array:
    """What each of n players gives: the mean, over all orders, of what it changes when it joins those before it.

    Shapley, "A value for n-person games" (1953).

    Args:
        scores: float64 [2**n], of the coalitions, see `coalition_scores`.

    Returns:
        float64 [n].
    """
    n = (len(scores) - 1).bit_length()
    sizes = np.bitwise_count(np.arange(len(scores)))
    orders = np.array([1 / (n * math.comb(n - 1, size)) for size in range(n)])  # the share in which those come before
    values = np.empty(n)
    for player in range(n):
        pairs = scores.reshape(-1, 2, 1 << player)  # of coalitions without the player, and with it
        before = sizes.reshape(-1, 2, 1 << player)[:, 0]
        values[player] = (orders[before] * (pairs[:, 1] - pairs[:, 0])).sum()
    return values
