"""What all users of a generated shop share: items in clusters, price levels and series, and what is on sale when.

Items are numbered so that those of a cluster are neighbours, within it those of a price level, and within that by
launch: what is on sale of a cell (cluster, price level) is a range of rows, whose weight is a difference of two
cumulative sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from benchmarks.shops.parameters import ShopParameters
from recsys.core.types import Float64Array, Int32Array, Int64Array

PRICE_LEVELS = 4
SERIES_LENGTH = 6  # mean number of items
DEPARTMENT = 8  # clusters of one
RANK_OFFSET = 50  # flattens the popularity of the first ranks
TASTES = np.array([0.45, 0.27, 0.17, 0.11])  # shares of a user's clusters
SUCCESSORS = np.array([0.4, 0.2, 0.15, 0.1, 0.1, 0.05])  # of an item; the first two follow it in its series
PRICE_FIT = np.exp(-0.5 * (np.subtract.outer(np.arange(PRICE_LEVELS), np.arange(PRICE_LEVELS)) / 0.8) ** 2)


class Tables(NamedTuple):
    """What the compiled loops read. N items, C clusters, L price levels, T periods.

    Attributes:
        parts: [4], weights of sequence, taste, popular, again.
        repeats: whether an item may be chosen again.
        weight: [N], popularity of each item.
        sums: [N + 1], its cumulative sums.
        cell: [N], cluster x L + price level.
        first, stop: [T, C x L], the rows on sale of each cell.
        drift: [T, C], how much in favour a cluster is; 0: nothing of it is on sale.
        in_favour: [T, C], cumulative chances of the clusters in the popular part.
        liked: [C + 1], cumulative sums of how often clusters are tastes.
        successors: [N, S], what follows each item.
        lengths: cumulative chances of the numbers of events, from `fewest` on.
    """

    parts: Float64Array
    repeats: bool
    weight: Float64Array
    sums: Float64Array
    cell: Int32Array
    first: Int32Array
    stop: Int32Array
    drift: Float64Array
    in_favour: Float64Array
    liked: Float64Array
    successors: Int32Array
    lengths: Float64Array
    fewest: int
    days: int
    seed: int


@dataclass(frozen=True)
class World:
    """The items of a shop.

    Attributes:
        parameters: what they follow from.
        tables: what users choose by.
        series: [N], the number of each item's series, within the shop.
        volume: [N], its place in the series, from 1 on.
        launch: [N], the first period in which it is on sale; before 0: since before the shop's first day.
    """

    parameters: ShopParameters
    tables: Tables
    series: Int64Array
    volume: Int64Array
    launch: Int64Array

    @property
    def cluster(self) -> Int32Array:
        """[N]."""
        return self.tables.cell // PRICE_LEVELS

    @property
    def price_level(self) -> Int32Array:
        """[N]."""
        return self.tables.cell % PRICE_LEVELS

    @classmethod
    def of(cls, parameters: ShopParameters) -> World:
        """Equal parameters give equal worlds."""
        random = np.random.default_rng([parameters.seed, 1])
        n, clusters, periods = parameters.items, parameters.clusters, parameters.periods
        sizes = random.lognormal(0, 0.6, clusters)
        cluster = random.choice(clusters, n, p=sizes / sizes.sum())
        cluster[:clusters] = np.arange(clusters)
        cell = cluster * PRICE_LEVELS + _price_levels(cluster, clusters, random)
        launch = _launches(parameters, cluster, random)
        weight = (RANK_OFFSET * min(1, n / 10_000) + 1 + random.permutation(n)) ** -parameters.spread
        order = np.lexsort((launch, cell))
        cell, cluster, launch, weight = cell[order].astype(np.int32), cluster[order], launch[order], weight[order]
        sums = np.concatenate([[0.0], np.cumsum(weight)])
        first, stop = _on_sale(parameters, cell, launch, clusters * PRICE_LEVELS)
        phase, speed = random.random(clusters), 1 + 2 * random.random(clusters)
        turns = np.arange(periods)[:, None] / periods * speed + phase
        drift = np.exp(parameters.drift * np.sin(2 * np.pi * turns))
        for_sale = (sums[stop] - sums[first]).reshape(periods, clusters, PRICE_LEVELS).sum(axis=2)
        drift[for_sale <= 0] = 0
        favour = np.cumsum(drift * for_sale, axis=1)
        liked = np.concatenate([[0.0], np.cumsum(np.bincount(cluster, weight, clusters))])
        series, volume = _series(cell, random)
        tables = Tables(
            parts=np.array([parameters.sequence, parameters.taste, parameters.popular, parameters.again]),
            repeats=parameters.repeats,
            weight=weight,
            sums=sums,
            cell=cell,
            first=first,
            stop=stop,
            drift=drift,
            in_favour=favour / favour[:, -1:],
            liked=liked,
            successors=_successors(cluster, series, volume, sums, random),
            lengths=parameters.length_chances,
            fewest=parameters.fewest_events,
            days=parameters.days,
            seed=parameters.seed,
        )
        return cls(parameters, tables, series, volume, launch)


def _price_levels(cluster: Int64Array, clusters: int, random: np.random.Generator) -> Int64Array:
    """Most items of a cluster cost about what its others cost."""
    usual = random.integers(PRICE_LEVELS, size=clusters)[cluster]
    other = random.integers(PRICE_LEVELS, size=len(cluster))
    return np.where(random.random(len(cluster)) < 0.5, usual, other)


def _launches(parameters: ShopParameters, cluster: Int64Array, random: np.random.Generator) -> Int64Array:
    """The period of each item's launch; of each cluster an item is there from the start."""
    n, periods, lifetime = len(cluster), parameters.periods, parameters.lifetime
    if lifetime:
        return random.integers(1 - lifetime, periods, n)
    launch = np.where(random.random(n) < parameters.new_share, random.integers(1, periods, n), 0)
    launch[: parameters.clusters] = 0  # these are of one cluster each
    return launch


def _on_sale(
    parameters: ShopParameters, cell: Int32Array, launch: Int64Array, cells: int
) -> tuple[Int32Array, Int32Array]:
    """First row and row behind the last one of what is on sale of each cell in each period, [T, cells] each."""
    offset = launch.min()
    span = int(launch.max() - offset) + 2
    keys = cell.astype(np.int64) * span + (launch - offset)
    periods = np.arange(parameters.periods)[:, None]
    starts = np.arange(cells, dtype=np.int64) * span
    stop = np.searchsorted(keys, starts + np.minimum(periods - offset, span - 2), "right")
    if not parameters.lifetime:
        return np.broadcast_to(np.searchsorted(keys, starts), stop.shape).astype(np.int32), stop.astype(np.int32)
    gone = np.maximum(periods - parameters.lifetime - offset, -1)
    return np.searchsorted(keys, starts + gone, "right").astype(np.int32), stop.astype(np.int32)


def _series(cell: Int32Array, random: np.random.Generator) -> tuple[Int64Array, Int64Array]:
    """The series of each item, all of one cell, and the place in it, in the order of launch."""
    sizes = np.bincount(cell)
    counts = -(-sizes // SERIES_LENGTH)
    starts = np.cumsum(counts) - counts
    series = starts[cell] + (random.random(len(cell)) * counts[cell]).astype(np.int64)
    order = np.argsort(series, kind="stable")
    ordered = series[order]
    begins = np.searchsorted(ordered, ordered)
    volume = np.empty(len(cell), np.int64)
    volume[order] = np.arange(len(cell)) - begins + 1
    return series, volume


def _successors(
    cluster: Int64Array, series: Int64Array, volume: Int64Array, sums: Float64Array, random: np.random.Generator
) -> Int32Array:
    """Of each item the next two of its series, and items of its cluster, the popular ones more often, [N, S]."""
    n = len(cluster)
    starts = np.searchsorted(cluster, cluster, "left")
    stops = np.searchsorted(cluster, cluster, "right")
    low, high = sums[starts][:, None], sums[stops][:, None]
    drawn = np.searchsorted(sums, low + (high - low) * random.random((n, len(SUCCESSORS))), "right") - 1
    followers = np.clip(drawn, starts[:, None], stops[:, None] - 1)
    order = np.lexsort((volume, series))
    for step in (1, 2):
        here, then = order[:-step], order[step:]
        same = series[here] == series[then]
        followers[here[same], step - 1] = then[same]
    return followers.astype(np.int32)
