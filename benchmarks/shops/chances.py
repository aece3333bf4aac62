"""The chance of every next choice of a user, exactly: the mixture by which `users.draw` draws, item by item.

What users have or what is not on sale is drawn again, so that the chance of an item is its mass in the mixture, divided
by the mass of all items that may be chosen. Tastes enter as leanings: a cluster and a price level with a share, four of
a user whose tastes are known, more where they are only guessed from a history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.shops.users import cluster_for_sale, fitting, is_on_sale
from benchmarks.shops.world import PRICE_FIT, PRICE_LEVELS, SUCCESSORS, TASTES, Tables, World
from recsys.core.compiled import compiled_as_written
from recsys.core.types import BoolArray, Float64Array, Int32Array, Int64Array

POPULAR = 4096  # items of a period that are looked through for popular ones that a user does not have
NONE = -1


@dataclass(frozen=True)
class Leanings:
    """What users like: user b owns `indptr[b]:indptr[b + 1]` of clusters, price levels and shares that sum to 1."""

    indptr: Int64Array
    clusters: Int64Array
    levels: Int64Array
    shares: Float64Array

    @classmethod
    def known(cls, world: World, periods: Int64Array, tastes: Int64Array, levels: Int64Array) -> Leanings:
        """The leanings of users whose tastes [B, K] and price levels [B] are known, in periods [B]."""
        count, width = tastes.shape
        shares = TASTES * world.tables.drift[periods[:, None], tastes]
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-300)
        indptr = np.arange(count + 1, dtype=np.int64) * width
        return cls(indptr, tastes.ravel(), np.repeat(levels, width), shares.ravel())


@dataclass(frozen=True)
class Situations:
    """Moments at which users choose.

    Attributes:
        periods: int64 [B].
        leanings: of each user.
        indptr, items: int64 [B + 1], [E], what each has chosen before, oldest first, in rows of the world.
    """

    periods: Int64Array
    leanings: Leanings
    indptr: Int64Array
    items: Int64Array


class Shelf:
    """What may be recommended, and the items in the order in which lists take them.

    Args:
        world: the shop.
        kept: [N], whether an item may be recommended and is known to be chosen; None: all are.
    """

    def __init__(self, world: World, kept: BoolArray | None = None) -> None:
        tables = world.tables
        self.tables: Tables = tables
        self.kept = np.ones(len(tables.weight), bool) if kept is None else kept
        self.sums: Float64Array = np.concatenate([[0.0], np.cumsum(tables.weight * self.kept)])
        self.by_weight: Int32Array = np.lexsort((-tables.weight, tables.cell)).astype(np.int32)
        cells = tables.first.shape[1]
        self.cells: Int64Array = np.searchsorted(tables.cell, np.arange(cells + 1)).astype(np.int64)
        self._factors = self._popular_factors()
        at = (self.sums[tables.stop] - self.sums[tables.first]).reshape(len(tables.drift), -1, PRICE_LEVELS)
        self.popular_mass: Float64Array = (self._factors * at.sum(axis=2)).sum(axis=1)

    def _popular_factors(self) -> Float64Array:
        """[T, C], the mass by popularity of an item of weight 1."""
        tables = self.tables
        on_sale = (tables.sums[tables.stop] - tables.sums[tables.first]).reshape(len(tables.drift), -1, PRICE_LEVELS)
        shares = np.diff(tables.in_favour, axis=1, prepend=0)
        factors: Float64Array = tables.parts[2] * shares / np.maximum(on_sale.sum(axis=2), 1e-300)
        return factors

    def popular(self, periods: Int64Array) -> tuple[Int64Array, Int32Array]:
        """The most popular items of each distinct period, [P, M], and the row of each of `periods`."""
        tables = self.tables
        distinct, rows = np.unique(periods, return_inverse=True)
        width = min(POPULAR, len(self.kept))
        lists = np.empty((len(distinct), width), np.int32)
        positions = np.arange(len(self.kept))
        for row, period in enumerate(distinct.tolist()):
            mass = tables.weight * self._factors[period, tables.cell // PRICE_LEVELS] * self.kept
            on_sale = (tables.first[period, tables.cell] <= positions) & (positions < tables.stop[period, tables.cell])
            mass[~on_sale] = 0
            best = np.argpartition(-mass, width - 1)[:width]
            lists[row] = best[np.argsort(-mass[best], kind="stable")]
        return rows.astype(np.int64), lists

    def best(self, situations: Situations, k: int) -> tuple[Int64Array, Float64Array]:
        """The k likeliest next choices of each user, items [B, k] (-1: there is none) and their chances [B, k]."""
        count = len(situations.periods)
        items, chances = np.full((count, k), NONE, np.int64), np.zeros((count, k))
        rows, popular = self.popular(situations.periods)
        leanings = situations.leanings
        _best(
            self.tables,
            (self.kept, self.sums, self.by_weight, self.cells, self.popular_mass),
            (rows, popular),
            situations.periods,
            (leanings.indptr, leanings.clusters, leanings.levels, leanings.shares),
            (situations.indptr, situations.items),
            items,
            chances,
        )
        return items, chances

    def chances(self, situations: Situations, row: int, items: Sequence[int] | Int64Array) -> Float64Array:
        """The chances of some items to be the next choice of user number `row`."""
        likes, history = situations.leanings, situations.items[situations.indptr[row] : situations.indptr[row + 1]]
        own = slice(int(likes.indptr[row]), int(likes.indptr[row + 1]))
        wanted = np.asarray(items, np.int64)
        result = np.empty(len(wanted))
        _chances(
            self.tables,
            (self.kept, self.sums, self.by_weight, self.cells, self.popular_mass),
            int(situations.periods[row]),
            (likes.clusters[own], likes.levels[own], likes.shares[own]),
            history,
            wanted,
            result,
        )
        return result


@compiled_as_written
def _factors(tables, period, clusters, levels, shares):  # type: ignore[no-untyped-def]
    """[J], the mass by taste of an item of weight 1 that fits the price level."""
    factors = np.zeros(len(clusters))
    for j in range(len(clusters)):
        if shares[j] > 0:
            factors[j] = tables.parts[1] * shares[j] / fitting(tables, period, clusters[j], levels[j])
    return factors


@compiled_as_written
def _holds(items, item):  # type: ignore[no-untyped-def]
    for place in range(len(items)):  # noqa: SIM110 - compiled
        if items[place] == item:
            return True
    return False


@compiled_as_written
def popular_factor(tables, period, cluster):  # type: ignore[no-untyped-def]
    """The mass by popularity of an item of weight 1."""
    share = tables.in_favour[period, cluster] - (tables.in_favour[period, cluster - 1] if cluster else 0.0)
    weight = cluster_for_sale(tables, period, cluster)
    return tables.parts[2] * share / weight if weight > 0 else 0.0


@compiled_as_written
def mass_without_taste(tables, period, history, item):  # type: ignore[no-untyped-def]
    """The mass of an item on sale as a successor, by popularity, and as one of the user's own."""
    total = popular_factor(tables, period, tables.cell[item] // PRICE_LEVELS) * tables.weight[item]
    if len(history):
        for place in range(len(SUCCESSORS)):
            if tables.successors[history[-1], place] == item:
                total += tables.parts[0] * SUCCESSORS[place]
        if tables.parts[3] > 0:
            for place in range(len(history)):
                if history[place] == item:
                    total += tables.parts[3] / len(history)
    return total


@compiled_as_written
def _mass(tables, period, clusters, levels, factors, history, item):  # type: ignore[no-untyped-def]
    """The mass of an item on sale."""
    cluster, level = tables.cell[item] // PRICE_LEVELS, tables.cell[item] % PRICE_LEVELS
    by_taste = 0.0
    for j in range(len(clusters)):
        if clusters[j] == cluster:
            by_taste += factors[j] * PRICE_FIT[levels[j], level]
    return by_taste * tables.weight[item] + mass_without_taste(tables, period, history, item)


@compiled_as_written
def _allowed_mass(tables, shelf, period, clusters, levels, factors, history):  # type: ignore[no-untyped-def]
    """The mass of all items that may be chosen and recommended."""
    kept, sums, _, _, popular_mass = shelf
    total = popular_mass[period]
    for j in range(len(clusters)):
        for level in range(PRICE_LEVELS):
            cell = clusters[j] * PRICE_LEVELS + level
            weight = sums[tables.stop[period, cell]] - sums[tables.first[period, cell]]
            total += factors[j] * PRICE_FIT[levels[j], level] * weight
    if not len(history):
        return total
    for place in range(len(SUCCESSORS)):
        item = tables.successors[history[-1], place]
        if kept[item] and is_on_sale(tables, period, item):
            total += tables.parts[0] * SUCCESSORS[place]
    for place in range(len(history)):
        item = history[place]
        if kept[item] and is_on_sale(tables, period, item):
            if tables.repeats:
                total += tables.parts[3] / len(history)
            else:
                total -= _mass(tables, period, clusters, levels, factors, history, item)
    return total


@compiled_as_written
def _allowed(tables, kept, period, history, item):  # type: ignore[no-untyped-def]
    if not kept[item] or not is_on_sale(tables, period, item):
        return False
    return tables.repeats or not _holds(history, item)


@compiled_as_written
def _chances(tables, shelf, period, leanings, history, items, result):  # type: ignore[no-untyped-def]
    clusters, levels, shares = leanings
    factors = _factors(tables, period, clusters, levels, shares)
    total = _allowed_mass(tables, shelf, period, clusters, levels, factors, history)
    for place in range(len(items)):
        item = items[place]
        result[place] = 0.0
        if _allowed(tables, shelf[0], period, history, item):
            result[place] = _mass(tables, period, clusters, levels, factors, history, item) / total


@compiled_as_written
def _candidates(tables, shelf, popular, period, clusters, history, k, found):  # type: ignore[no-untyped-def]
    """Every item that may be among the k best, each once; returns how many.

    Apart from successors and own items, those of a cell follow each other by weight, and so do all items outside of the
    clusters that the user leans to, by their mass in the popular part.
    """
    kept, _, by_weight, cells, _ = shelf
    special = np.empty(0, np.int64)
    if len(history):
        special = np.append(tables.successors[history[-1]].astype(np.int64), history)
    count = 0
    for place in range(len(special)):
        item = special[place]
        if _allowed(tables, kept, period, history, item) and not _holds(special[:place], item):
            found[count] = item
            count += 1
    for j in range(len(clusters)):
        if _holds(clusters[:j], clusters[j]):
            continue
        for cell in range(clusters[j] * PRICE_LEVELS, (clusters[j] + 1) * PRICE_LEVELS):
            taken, place = 0, cells[cell]
            while taken < k and place < cells[cell + 1]:
                item = by_weight[place]
                place += 1
                if _allowed(tables, kept, period, history, item) and not _holds(special, item):
                    found[count] = item
                    count += 1
                    taken += 1
    taken, place = 0, 0
    while taken < k and place < len(popular):
        item = popular[place]
        place += 1
        if _holds(clusters, tables.cell[item] // PRICE_LEVELS) or _holds(special, item):
            continue
        if _allowed(tables, kept, period, history, item):
            found[count] = item
            count += 1
            taken += 1
    return count


@compiled_as_written
def _best(tables, shelf, popular, periods, leanings, histories, items, chances):  # type: ignore[no-untyped-def]
    rows, lists = popular
    like_starts, like_clusters, like_levels, like_shares = leanings
    starts, chosen = histories
    k = items.shape[1]
    for row in range(len(periods)):
        period, history = periods[row], chosen[starts[row] : starts[row + 1]]
        low, high = like_starts[row], like_starts[row + 1]
        clusters, levels = like_clusters[low:high], like_levels[low:high]
        factors = _factors(tables, period, clusters, levels, like_shares[low:high])
        total = _allowed_mass(tables, shelf, period, clusters, levels, factors, history)
        room = len(history) + len(SUCCESSORS) + k * (1 + PRICE_LEVELS * len(clusters))
        found = np.empty(room, np.int64)
        count = _candidates(tables, shelf, lists[rows[row]], period, clusters, history, k, found)
        masses = np.empty(count)
        for place in range(count):
            masses[place] = _mass(tables, period, clusters, levels, factors, history, found[place])
        order = np.argsort(-masses)
        for place in range(min(k, count)):
            items[row, place] = found[order[place]]
            chances[row, place] = masses[order[place]] / total
