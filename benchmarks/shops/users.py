"""Users of a generated shop: tastes and choices of each follow from the seed and the user's number alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.shops.world import DEPARTMENT, PRICE_FIT, PRICE_LEVELS, SUCCESSORS, TASTES, World
from recsys.core.compiled import compiled_as_written
from recsys.core.types import Int64Array

AT_HOME = 0.7  # share of a user's tastes that are drawn from one department
PAUSE_DAYS = 40.0  # mean time between two choices
TRIES = 300  # draws until a user who finds nothing new stops
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_SUCCESSORS = np.cumsum(SUCCESSORS)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


@dataclass(frozen=True)
class Choices:
    """What some users chose: user `chosen_by[b]` owns rows `indptr[b]:indptr[b + 1]`, in the order of days.

    Attributes:
        chosen_by: int64 [B], users.
        indptr: int64 [B + 1].
        items: int64 [E], rows of the world.
        days: int64 [E], days since the shop's first; those of a user differ.
        stopped: users who found nothing new, and so have fewer events than were drawn.
    """

    chosen_by: Int64Array
    indptr: Int64Array
    items: Int64Array
    days: Int64Array
    stopped: int

    @property
    def users(self) -> Int64Array:
        """[E], the user of each event."""
        return np.repeat(self.chosen_by, np.diff(self.indptr))


def choices(world: World, users: Int64Array) -> Choices:
    """What the users [B] chose."""
    tables = world.tables
    lengths = np.empty(len(users), np.int64)
    _lengths(tables, users, lengths)
    room = np.concatenate([[0], np.cumsum(lengths)])
    items, days = np.empty(room[-1], np.int64), np.empty(room[-1], np.int64)
    done = np.empty(len(users), np.int64)
    _choose(tables, users, room, items, days, done)
    kept = np.arange(room[-1]) - np.repeat(room[:-1], lengths) < np.repeat(done, lengths)
    indptr = np.concatenate([[0], np.cumsum(done)])
    return Choices(users, indptr, items[kept], days[kept], int((done < lengths).sum()))


def chunks(world: World, users: int = 100_000) -> Iterator[Choices]:
    """What all users chose, so many users at a time."""
    total = world.parameters.users
    for start in range(0, total, users):
        yield choices(world, np.arange(start, min(start + users, total)))


def profiles(world: World, users: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Tastes [B, K] and price levels [B] of users."""
    tastes, levels = np.empty((len(users), len(TASTES)), np.int64), np.empty(len(users), np.int64)
    _profiles(world.tables, users, tastes, levels)
    return tastes, levels


@compiled_as_written
def uniform(state):  # type: ignore[no-untyped-def]
    """The next number in [0, 1) of a stream (SplitMix64, Steele et al. 2014), whose state [1] it moves on."""
    state[0] += _GOLDEN
    z = state[0]
    z = (z ^ (z >> _S30)) * _FIRST
    z = (z ^ (z >> _S27)) * _SECOND
    return np.float64((z ^ (z >> _S31)) >> _S11) * (1.0 / 9007199254740992.0)


@compiled_as_written
def _seed(seed, user, state):  # type: ignore[no-untyped-def]
    """Begin the stream of a user."""
    state[0] = np.uint64(seed + 1) * _FIRST + np.uint64(user + 1) * _SECOND
    uniform(state)
    state[0] ^= np.uint64(user + 1) * _GOLDEN


@compiled_as_written
def place(ends, low, high, value):  # type: ignore[no-untyped-def]
    """The first of positions low to high - 1 whose cumulative sum, up to its end, exceeds `value`; else the last."""
    last = high - 1
    while low < last:
        middle = (low + last) // 2
        if ends[middle] > value:
            last = middle
        else:
            low = middle + 1
    return low


@compiled_as_written
def _length(tables, state):  # type: ignore[no-untyped-def]
    longest = max(1, len(tables.weight) // 3)
    drawn = tables.fewest + place(tables.lengths, 0, len(tables.lengths), uniform(state))
    return drawn if tables.repeats else min(drawn, longest)


@compiled_as_written
def _lengths(tables, users, lengths):  # type: ignore[no-untyped-def]
    state = np.zeros(1, np.uint64)
    for row in range(len(lengths)):
        _seed(tables.seed, users[row], state)
        lengths[row] = _length(tables, state)


@compiled_as_written
def _draw_profile(tables, state, tastes):  # type: ignore[no-untyped-def]
    """Draw the tastes [K] of a user; returns the price level."""
    liked = tables.liked
    clusters = len(liked) - 1
    home = place(liked[1:], 0, clusters, uniform(state) * liked[clusters]) // DEPARTMENT
    low, high = home * DEPARTMENT, min((home + 1) * DEPARTMENT, clusters)
    for k in range(len(tastes)):
        if uniform(state) < AT_HOME:
            tastes[k] = place(liked[1:], low, high, liked[low] + uniform(state) * (liked[high] - liked[low]))
        else:
            tastes[k] = place(liked[1:], 0, clusters, uniform(state) * liked[clusters])
    return np.int64(uniform(state) * PRICE_LEVELS)


@compiled_as_written
def _profiles(tables, users, tastes, levels):  # type: ignore[no-untyped-def]
    state = np.zeros(1, np.uint64)
    for row in range(len(users)):
        _seed(tables.seed, users[row], state)
        _length(tables, state)
        levels[row] = _draw_profile(tables, state, tastes[row])


@compiled_as_written
def for_sale(tables, period, cell):  # type: ignore[no-untyped-def]
    """The weight of what is on sale of a cell."""
    return tables.sums[tables.stop[period, cell]] - tables.sums[tables.first[period, cell]]


@compiled_as_written
def cluster_for_sale(tables, period, cluster):  # type: ignore[no-untyped-def]
    """The weight of what is on sale of a cluster."""
    total = 0.0
    for level in range(PRICE_LEVELS):
        total += for_sale(tables, period, cluster * PRICE_LEVELS + level)
    return total


@compiled_as_written
def fitting(tables, period, cluster, level):  # type: ignore[no-untyped-def]
    """The weight of what is on sale of a cluster, as it fits a user's price level."""
    total = 0.0
    for other in range(PRICE_LEVELS):
        total += PRICE_FIT[level, other] * for_sale(tables, period, cluster * PRICE_LEVELS + other)
    return total


@compiled_as_written
def favoured(tables, period, cluster, taste):  # type: ignore[no-untyped-def]
    """The weight of a user's taste number `taste`, of a cluster."""
    return TASTES[taste] * tables.drift[period, cluster]


@compiled_as_written
def _of_cell(tables, state, period, cell):  # type: ignore[no-untyped-def]
    first, stop = tables.first[period, cell], tables.stop[period, cell]
    if first >= stop:
        return -1
    low, high = tables.sums[first], tables.sums[stop]
    return place(tables.sums[1:], first, stop, low + uniform(state) * (high - low))


@compiled_as_written
def _by_taste(tables, state, period, tastes, level):  # type: ignore[no-untyped-def]
    total = 0.0
    for k in range(len(tastes)):
        total += favoured(tables, period, tastes[k], k)
    value, cluster = uniform(state) * total, -1
    for k in range(len(tastes)):
        share = favoured(tables, period, tastes[k], k)
        if share > 0:
            cluster = tastes[k]
            if value < share:
                break
            value -= share
    if cluster < 0:
        return -1
    value, cell = uniform(state) * fitting(tables, period, cluster, level), -1
    for other in range(PRICE_LEVELS):
        share = PRICE_FIT[level, other] * for_sale(tables, period, cluster * PRICE_LEVELS + other)
        if share > 0:
            cell = cluster * PRICE_LEVELS + other
            if value < share:
                break
            value -= share
    return _of_cell(tables, state, period, cell)


@compiled_as_written
def _by_popularity(tables, state, period):  # type: ignore[no-untyped-def]
    favour = tables.in_favour[period]
    cluster = place(favour, 0, len(favour), uniform(state))
    value, cell = uniform(state) * cluster_for_sale(tables, period, cluster), -1
    for level in range(PRICE_LEVELS):
        share = for_sale(tables, period, cluster * PRICE_LEVELS + level)
        if share > 0:
            cell = cluster * PRICE_LEVELS + level
            if value < share:
                break
            value -= share
    return -1 if cell < 0 else _of_cell(tables, state, period, cell)


@compiled_as_written
def is_on_sale(tables, period, item):  # type: ignore[no-untyped-def]
    """Whether an item may be chosen in a period."""
    cell = tables.cell[item]
    return tables.first[period, cell] <= item < tables.stop[period, cell]


@compiled_as_written
def _attempt(tables, state, period, tastes, level, history):  # type: ignore[no-untyped-def]
    """One draw of the mixture: an item, or -1 where the part has none."""
    value = uniform(state)
    if value < tables.parts[0]:
        if not len(history):
            return -1
        number = place(_SUCCESSORS, 0, len(_SUCCESSORS), uniform(state))
        return np.int64(tables.successors[history[-1], number])
    value -= tables.parts[0]
    if value < tables.parts[1]:
        return _by_taste(tables, state, period, tastes, level)
    value -= tables.parts[1]
    if value < tables.parts[2]:
        return _by_popularity(tables, state, period)
    return history[np.int64(uniform(state) * len(history))] if len(history) else np.int64(-1)


@compiled_as_written
def draw(tables, state, period, tastes, level, history):  # type: ignore[no-untyped-def]
    """The next choice of a user with `history`, oldest first; -1: nothing new was found."""
    for _ in range(TRIES):
        item = _attempt(tables, state, period, tastes, level, history)
        if item < 0 or not is_on_sale(tables, period, item):
            continue
        if tables.repeats or not (history == item).any():
            return item
    return -1


@compiled_as_written
def _draw_days(tables, state, days):  # type: ignore[no-untyped-def]
    """Days of a user's choices, increasing: later in the shop's life more users begin."""
    count = len(days)
    need = min(tables.days - 1, 3 * count)
    start = np.int64((tables.days - need) * uniform(state) ** 0.7)
    room = tables.days - start - count
    total = 0.0
    pauses = np.empty(count)
    for row in range(count):
        pauses[row] = total
        total += -np.log(1 - uniform(state)) * PAUSE_DAYS
    scale = min(1.0, room / max(pauses[-1], 1e-9))
    for row in range(count):
        days[row] = min(start + np.int64(pauses[row] * scale) + row, tables.days - count + row)


@compiled_as_written
def _choose(tables, users, room, items, days, done):  # type: ignore[no-untyped-def]
    state = np.zeros(1, np.uint64)
    tastes = np.empty(len(TASTES), np.int64)
    periods = len(tables.drift)
    for row in range(len(done)):
        _seed(tables.seed, users[row], state)
        count = _length(tables, state)
        level = _draw_profile(tables, state, tastes)
        begin, done[row] = room[row], count
        _draw_days(tables, state, days[begin : begin + count])
        for at in range(begin, begin + count):
            period = days[at] * periods // tables.days
            item = draw(tables, state, period, tastes, level, items[begin:at])
            if item < 0:
                done[row] = at - begin
                break
            items[at] = item
