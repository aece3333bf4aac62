"""What a user's history tells of the tastes, to one who knows how the shop works: samples of the posterior.

Metropolis-Hastings over the four tastes and the price level of each user (Hastings, 1970). The department from which
most tastes come is summed out. The chance of each choice is its mass in the mixture; that what a user has is drawn
again is left out of it, which makes the inference a little worse than the best, not better.
"""

from __future__ import annotations

import numpy as np

from benchmarks.shops.chances import Leanings, mass_without_taste
from benchmarks.shops.users import AT_HOME, fitting, is_on_sale, place, uniform
from benchmarks.shops.world import DEPARTMENT, PRICE_FIT, PRICE_LEVELS, TASTES, World
from recsys.core.compiled import compiled_as_written
from recsys.core.types import Int64Array

STEPS, WARM_UP, EVERY = 1500, 300, 4
LATEST = 60  # choices of a user that are looked at
MOST_LEANINGS = 48  # of a user: the likeliest pairs of cluster and price level
FROM_HISTORY, FROM_ALL = 0.7, 0.15  # shares of proposals; the rest is from departments of the history


def inferred_leanings(
    world: World, periods: Int64Array, indptr: Int64Array, items: Int64Array, days: Int64Array, seed: int = 0
) -> Leanings:
    """What users are likely to like, given their histories.

    Args:
        world: the shop.
        periods: [B], in which they choose next.
        indptr, items, days: [B + 1], [E], [E], histories, oldest first.
        seed: of the samples.
    """
    count, parameters = len(periods), world.parameters
    clusters = np.zeros((count, MOST_LEANINGS), np.int64)
    levels, shares = np.zeros((count, MOST_LEANINGS), np.int64), np.zeros((count, MOST_LEANINGS))
    when = np.clip(days * parameters.periods // parameters.days, 0, parameters.periods - 1)
    departments = -(-parameters.clusters // DEPARTMENT)
    liked = np.diff(world.tables.liked) / world.tables.liked[-1]
    homes = np.bincount(np.arange(parameters.clusters) // DEPARTMENT, liked, departments)
    _infer(world.tables, (liked, homes), periods, (indptr, items, when), (clusters, levels, shares), seed)
    used = shares > 0
    starts = np.concatenate([[0], np.cumsum(used.sum(axis=1))]).astype(np.int64)
    return Leanings(starts, clusters[used], levels[used], shares[used])


@compiled_as_written
def _log_prior(prior, tastes):  # type: ignore[no-untyped-def]
    """Up to a constant: the chance of the tastes, summed over the departments that most may come from."""
    liked, homes = prior
    result, of_homes, others = 0.0, 0.0, 1.0
    for k in range(len(tastes)):
        result += np.log(liked[tastes[k]])
        home = tastes[k] // DEPARTMENT
        first, count = True, 0
        for j in range(len(tastes)):
            if tastes[j] // DEPARTMENT == home:
                count += 1
                first = first and j >= k
        if first:
            of_homes += homes[home] * (1 + AT_HOME / (1 - AT_HOME) / homes[home]) ** count
            others -= homes[home]
    return result + np.log(of_homes + max(others, 0.0))


@compiled_as_written
def _describe(tables, items, when, clusters, drawn, otherwise):  # type: ignore[no-untyped-def]
    """Of each choice its cluster, its mass without taste, and at each price level that of a taste of share 1."""
    for e in range(len(items)):
        item, period = items[e], when[e]
        cluster, level = tables.cell[item] // PRICE_LEVELS, tables.cell[item] % PRICE_LEVELS
        clusters[e] = cluster
        otherwise[e] = mass_without_taste(tables, period, items[:e], item)
        for other in range(PRICE_LEVELS):
            drawn[e, other] = 0.0
            if is_on_sale(tables, period, item):
                fit = PRICE_FIT[other, level] * tables.weight[item] / fitting(tables, period, cluster, other)
                drawn[e, other] = tables.parts[1] * tables.drift[period, cluster] * fit


@compiled_as_written
def _log_likelihood(tables, when, described, tastes, level):  # type: ignore[no-untyped-def]
    clusters, drawn, otherwise = described
    result = 0.0
    for e in range(len(when)):
        total, share = 1e-300, 0.0
        for k in range(len(tastes)):
            total += TASTES[k] * tables.drift[when[e], tastes[k]]
            if tastes[k] == clusters[e]:
                share += TASTES[k]
        result += np.log(otherwise[e] + drawn[e, level] * share / total + 1e-300)
    return result


@compiled_as_written
def _propose(tables, state, clusters):  # type: ignore[no-untyped-def]
    """A cluster: one of the history, one of its department, or any."""
    value, low, high = uniform(state), 0, len(tables.liked) - 1
    if len(clusters) and value >= FROM_ALL:
        seen = clusters[np.int64(uniform(state) * len(clusters))]
        if value >= 1 - FROM_HISTORY:
            return seen
        low = seen // DEPARTMENT * DEPARTMENT
        high = min(low + DEPARTMENT, high)
    wanted = tables.liked[low] + uniform(state) * (tables.liked[high] - tables.liked[low])
    return place(tables.liked[1:], low, high, wanted)


@compiled_as_written
def _proposed(prior, clusters, cluster):  # type: ignore[no-untyped-def]
    """The chance of `_propose` to give a cluster."""
    liked, homes = prior
    if not len(clusters):
        return liked[cluster]
    same, near, home = 0, 0, cluster // DEPARTMENT
    for e in range(len(clusters)):
        same += clusters[e] == cluster
        near += clusters[e] // DEPARTMENT == home
    of_department = (1 - FROM_HISTORY - FROM_ALL) * near / len(clusters) * liked[cluster] / homes[home]
    return FROM_HISTORY * same / len(clusters) + FROM_ALL * liked[cluster] + of_department


@compiled_as_written
def _move(tables, prior, state, clusters, tastes, level):  # type: ignore[no-untyped-def]
    """Change `tastes` or return another level; returns the level and the log of the proposals' ratio."""
    kind, k = uniform(state), np.int64(uniform(state) * len(tastes))
    if kind < 0.2:
        return np.int64(uniform(state) * PRICE_LEVELS), 0.0
    if kind < 0.4:
        j = np.int64(uniform(state) * len(tastes))
        tastes[k], tastes[j] = tastes[j], tastes[k]
        return level, 0.0
    before = tastes[k]
    tastes[k] = _propose(tables, state, clusters)
    ratio = np.log(_proposed(prior, clusters, before)) - np.log(_proposed(prior, clusters, tastes[k]))
    return level, ratio


@compiled_as_written
def _count(tables, period, tastes, level, counted, size):  # type: ignore[no-untyped-def]
    """Add a sample's shares to those of each pair (cluster, level); returns how many pairs there are."""
    pairs, sums = counted
    total = 1e-300
    for k in range(len(tastes)):
        total += TASTES[k] * tables.drift[period, tastes[k]]
    for k in range(len(tastes)):
        pair, at = tastes[k] * PRICE_LEVELS + level, 0
        while at < size and pairs[at] != pair:
            at += 1
        if at == len(pairs):
            continue
        if at == size:
            pairs[at], sums[at] = pair, 0.0
            size += 1
        sums[at] += TASTES[k] * tables.drift[period, tastes[k]] / total
    return size


@compiled_as_written
def _infer(tables, prior, periods, histories, found, seed):  # type: ignore[no-untyped-def]
    indptr, items, when = histories
    state = np.zeros(1, np.uint64)
    tastes, tried = np.empty(len(TASTES), np.int64), np.empty(len(TASTES), np.int64)
    pairs, sums = np.empty(4 * STEPS, np.int64), np.empty(4 * STEPS)
    clusters, drawn, otherwise = np.empty(LATEST, np.int64), np.empty((LATEST, PRICE_LEVELS)), np.empty(LATEST)
    for row in range(len(periods)):
        state[0] = np.uint64(seed * 1_000_003 + row)
        stop = indptr[row + 1]
        start = max(indptr[row], stop - LATEST)
        count = stop - start
        _describe(tables, items[start:stop], when[start:stop], clusters, drawn, otherwise)
        described = (clusters[:count], drawn[:count], otherwise[:count])
        level, size = np.int64(uniform(state) * PRICE_LEVELS), 0
        for k in range(len(tastes)):
            tastes[k] = _propose(tables, state, described[0])
        before = _log_prior(prior, tastes) + _log_likelihood(tables, when[start:stop], described, tastes, level)
        for step in range(STEPS):
            tried[:] = tastes
            other, ratio = _move(tables, prior, state, described[0], tried, level)
            after = _log_prior(prior, tried) + _log_likelihood(tables, when[start:stop], described, tried, other)
            if np.log(1 - uniform(state)) < after - before + ratio:
                tastes[:] = tried
                level, before = other, after
            if step >= WARM_UP and step % EVERY == 0:
                size = _count(tables, periods[row], tastes, level, (pairs, sums), size)
        _keep(found, row, pairs, sums, size)


@compiled_as_written
def _keep(found, row, pairs, sums, size):  # type: ignore[no-untyped-def]
    """The likeliest pairs, their shares scaled to sum to 1."""
    clusters, levels, shares = found
    order = np.argsort(-sums[:size])
    total = 0.0
    for at in range(min(size, clusters.shape[1])):
        total += sums[order[at]]
    for at in range(min(size, clusters.shape[1])):
        pair = pairs[order[at]]
        clusters[row, at], levels[row, at] = pair // PRICE_LEVELS, pair % PRICE_LEVELS
        shares[row, at] = sums[order[at]] / total
