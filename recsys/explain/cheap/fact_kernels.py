"""Compiled loops that add facts to listed items until each has two, see `recsys.core.compiled`.

Facts stand in `facts` int64 [B, K, 2, 4]: the kind's code, the value, the position in the history of the item that they
speak of, how many items or users they speak of; a code of `NONE` where there is no fact yet. Which facts are true
follows `recsys.explain.facts`: hidden items are neither named nor counted, and of a history its latest `MOST_RECENT`
interactions are looked at: of a longer one, a fact of brand or category speaks of the latest item alone.

All that is known of an item stands side by side in a row of `table` int32 [N, 4 + C], so that it is read at once: row
of its brand, 1 if it is hidden, its rank by popularity from 1, the bits of the logarithm of its price in single
precision (NaN where that is unknown), and rows of C categories; `NONE` for a brand or category that it has not.
"""

from __future__ import annotations

import math

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.prefetch import prefetch
from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Int32Array, Int64Array
from recsys.explain.facts.case import MOST_RECENT

NONE = -1
KIND, VALUE, POSITION, COUNT = 0, 1, 2, 3
BRAND, HIDDEN, RANK, PRICE, CATEGORIES = 0, 1, 2, 3, 4


@compiled
def _room(facts: Int64Array, query: int, column: int) -> bool:
    """Whether there is room for a fact."""
    return bool(facts[query, column, 1, KIND] == NONE)


@compiled
def _add(facts: Int64Array, query: int, column: int, kind: int, value: int, position: int, count: int) -> None:
    place = 0 if facts[query, column, 0, KIND] == NONE else 1
    facts[query, column, place, KIND], facts[query, column, place, VALUE] = kind, value
    facts[query, column, place, POSITION], facts[query, column, place, COUNT] = position, count


@compiled
def add_reasons(
    items: Int32Array,
    sources: Int64Array,
    positions: Int64Array,
    named: Int32Array,
    counts: Int64Array,
    taste: BoolArray,
    kinds: Int64Array,
    together: int,
    taste_kind: int,
    facts: Int64Array,
) -> None:
    """Add the reasons.

    Args:
        items: [B, K], personal ones.
        sources, positions, named, counts, taste: [B, K], see `recsys.explain.cheap.reasons.Reasons`; the value of a
            fact is the row of the item that it names.
        kinds: codes, by source.
        together: code of what is told of one user instead where the count is 0.
        taste_kind: code of a taste.
        facts: see above.
    """
    for query in range(items.shape[0]):
        for column in range(items.shape[1]):
            source = sources[query, column]
            if source >= 0:
                count = counts[query, column]
                kind = kinds[source] if count > 0 else together
                _add(facts, query, column, kind, named[query, column], positions[query, column], max(count, 1))
            elif taste[query, column]:
                _add(facts, query, column, taste_kind, 0, NONE, 1)


@compiled
def add_brands(
    indptr: Int64Array, history: Int32Array, items: Int32Array, table: Int32Array, kind: int, facts: Int64Array
) -> None:
    """Add that items of the history have the item's brand; the value is its row.

    Args:
        indptr, history: of B histories.
        items: [B, K], personal ones.
        table: see above.
        kind: code.
        facts: see above.
    """
    for query in range(items.shape[0]):
        end = indptr[query + 1]
        start = max(indptr[query], end - MOST_RECENT)
        for position in range(start, end):
            prefetch(table, history[position])
        for column in range(items.shape[1]):
            if items[query, column] != NO_ITEM:
                prefetch(table, items[query, column])
        for column in range(items.shape[1]):
            item = items[query, column]
            if item == NO_ITEM or table[item, BRAND] == NONE or not _room(facts, query, column):
                continue
            brand, count, latest = table[item, BRAND], 0, NONE
            for position in range(end - 1, start - 1, -1):
                other = history[position]
                if table[other, BRAND] != brand or other == item or table[other, HIDDEN]:
                    continue
                if not _occurs(history, other, position + 1, end):
                    count += 1
                    latest = position if latest == NONE else latest
            if count > 0:
                count = count if start == indptr[query] else 1
                _add(facts, query, column, kind, brand, latest - indptr[query], count)


@compiled
def _occurs(items: Int32Array, item: int, start: int, end: int) -> bool:
    """Whether the item stands among `items[start:end]`."""
    position = start
    while position < end and items[position] != item:
        position += 1
    return position < end


@compiled
def add_categories(
    indptr: Int64Array,
    history: Int32Array,
    items: Int32Array,
    table: Int32Array,
    sizes: Int64Array,
    most: int,
    kind: int,
    facts: Int64Array,
) -> None:
    """Add that items of the history share a category with the item: the rarest one; of equally rare ones the last.

    Args:
        indptr, history, items, table: as of `add_brands`.
        sizes: of each category, how many items bear it; 0 for one that is not to be named.
        most: of a category that is told.
        kind: code.
        facts: see above; the value is the category's row.
    """
    for query in range(items.shape[0]):
        end = indptr[query + 1]
        start = max(indptr[query], end - MOST_RECENT)
        for column in range(items.shape[1]):
            item, rarest = items[query, column], NONE
            if item == NO_ITEM or not _room(facts, query, column):
                continue
            for place in range(table.shape[1] - 1, CATEGORIES - 1, -1):
                category = table[item, place]
                if category == NONE or not 0 < sizes[category] <= most:
                    continue
                if rarest == NONE or sizes[category] < sizes[rarest]:
                    for position in range(start, end):
                        if _shares(table, history[position], item, category):
                            rarest = category
                            break
            if rarest == NONE:
                continue
            count, latest = 0, NONE
            for position in range(end - 1, start - 1, -1):
                other = history[position]
                if _shares(table, other, item, rarest) and not _occurs(history, other, position + 1, end):
                    count += 1
                    latest = position if latest == NONE else latest
            count = count if start == indptr[query] else 1
            _add(facts, query, column, kind, rarest, latest - indptr[query], count)


@compiled
def _shares(table: Int32Array, other: int, item: int, category: int) -> bool:
    """Whether an item of the history may be named for a category."""
    if other == item or table[other, HIDDEN]:
        return False
    place = CATEGORIES
    while place < table.shape[1] and table[other, place] != category:
        place += 1
    return bool(place < table.shape[1])


@compiled
def add_prices(
    indptr: Int64Array,
    history: Int32Array,
    items: Int32Array,
    table: Int32Array,
    near: float,
    decay: float,
    kind: int,
    facts: Int64Array,
) -> None:
    """Add that the price is near the habit, and near that of an item of the history; the value is the item.

    Args:
        indptr, history, items, table: as of `add_brands`.
        near: how far logarithms of near prices lie apart at most.
        decay: weight of a step back in the habit, the mean of the logarithms of the prices in the history.
        kind: code.
        facts: see above.
    """
    for query in range(items.shape[0]):
        paid, mass, weight = 0.0, 0.0, 1.0
        for position in range(indptr[query + 1] - 1, indptr[query] - 1, -1):
            price = _log_price(table, history[position])
            if math.isfinite(price):
                paid += weight * price
                mass += weight
            weight *= decay
        for column in range(items.shape[1]):
            item = items[query, column]
            if mass <= 0 or item == NO_ITEM or not _room(facts, query, column):
                continue
            price = _log_price(table, item)
            if math.fabs(price - paid / mass) <= near and _some_near(table, history, indptr, query, price, near):
                _add(facts, query, column, kind, item, NONE, 1)  # never of an unknown price


@compiled
def _some_near(
    table: Int32Array, history: Int32Array, indptr: Int64Array, query: int, price: float, near: float
) -> bool:
    """Whether an item of the history has nearly that price."""
    position = indptr[query + 1] - 1
    while position >= indptr[query] and not math.fabs(_log_price(table, history[position]) - price) <= near:
        position -= 1
    return bool(position >= indptr[query])


@compiled
def _log_price(table: Int32Array, item: int) -> float:
    """Logarithm of an item's price; NaN where it is unknown."""
    bits = np.int32(table[item, PRICE])
    return np.float64(bits.view(np.float32))


@compiled
def add_ratings(
    items: Int32Array, ratings: Float32Array, mean: float, steps: int, kind: int, facts: Int64Array
) -> None:
    """Add that the predicted rating [B, K], NaN for none, is above the mean; the value is it, in so many steps of 1."""
    for query in range(items.shape[0]):
        for column in range(items.shape[1]):
            if items[query, column] != NO_ITEM and ratings[query, column] > mean and _room(facts, query, column):
                value = int(np.rint(ratings[query, column] * steps))
                _add(facts, query, column, kind, value, NONE, 1)


@compiled
def add_popularity(
    items: Int32Array, popular: BoolArray, table: Int32Array, most: int, kind: int, facts: Int64Array
) -> None:
    """Add how popular items are: of personal ones those that are popular, of popular ones that fill a list up all.

    Args:
        items: [B, K], `NO_ITEM` is padding.
        popular: [B, K], which items fill the list up.
        table: see above.
        most: up to which rank an item is popular.
        kind: code.
        facts: see above; the value is the rank.
    """
    for query in range(items.shape[0]):
        for column in range(items.shape[1]):
            if items[query, column] != NO_ITEM and _room(facts, query, column):
                rank = table[items[query, column], RANK]
                if popular[query, column] or rank <= most:
                    _add(facts, query, column, kind, rank, NONE, 1)
