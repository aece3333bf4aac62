"""Compiled loops that find which item of a history gives most to what a source says, see `recsys.core.compiled`.

They read the histories of B queries as `indptr`, `history` and `weights`, and offer what they find for the listed
`items` [B, K], `NO_ITEM` where nothing is wanted: the part that the source has in the sum, its number, the position
in the history of the item with the largest share, and how many users stand behind both. An offer replaces what the best
`Offers` until then hold where its part is larger. Items that are `hidden` [N] are
never named, nor is the listed item itself. `slots` is int32 [N], 0 before and after.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.half import number
from recsys.core.prefetch import prefetch
from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array, UInt16Array

NOTHING = -1  # in what is found: nobody has offered anything
SOURCE, POSITION, COUNT = 0, 1, 2
# Nearly all neighbours are in no list. A table of a few kB, which stays in the innermost cache, tells of most of them
# that they are not, so that the large one is hardly looked at.
_MARKS = 4096  # a power of two
_AHEAD = 3  # rows that are asked for before they are read


class Offers(NamedTuple):
    """The best offers until now, and room to find others.

    Attributes:
        shares: float64 [K, L], scratch: of each item of a list, what each position of the longest history gives.
        behind: uint16 [K, L], scratch: how many users stand behind both.
        parts: float64 [B, K], what the offering source has in the sum; 0 where nobody has offered anything.
        found: int64 [3, B, K], the source's number, a position in the history, and the users behind both; `NOTHING`
            likewise.
    """

    shares: Float64Array
    behind: UInt16Array
    parts: Float64Array
    found: Int64Array


@compiled
def offer_lists(
    indptr: Int64Array,
    history: Int32Array,
    weights: Float32Array,
    items: Int32Array,
    hidden: BoolArray,
    neighbours: Int32Array,
    similarities: UInt16Array,
    support: UInt16Array,
    least: int,
    near: int,
    scale: float,
    decay: float,
    weight: float,
    source: int,
    slots: Int32Array,
    offers: Offers,
) -> None:
    """Offer what the neighbour lists of a source give: its whole score, unless that is borrowed.

    Args:
        indptr, history, weights, items, hidden: see above; each item once in a list.
        neighbours, similarities, scale, decay: of the source, see `recsys.sources.item_to_item.source.ItemToItem`.
        support: likewise; [0, 0] of lists that count nobody.
        least: how many users must stand behind an item that is named.
        near: in lists that count nobody, so many of the first count as if one stood behind them, the others as if none.
        weight: of the source in the sum.
        source: its number.
        slots, offers: see above.
    """
    shares, behind, parts, found = offers
    counted = support.shape[0] > 0
    marks = np.zeros(_MARKS, np.bool_)
    for query in range(items.shape[0]):
        start, end = indptr[query], indptr[query + 1]
        _clear(shares, end - start)
        _mark(items, query, True, slots, marks)
        strength = scale
        for position in range(end - 1, start - 1, -1):
            if position - _AHEAD >= start:
                prefetch(neighbours, history[position - _AHEAD])
            item, by = history[position], strength * weights[position]
            listed = neighbours.shape[1] if item < neighbours.shape[0] else 0
            for column in range(listed):
                neighbour = neighbours[item, column]
                if neighbour == NO_ITEM:
                    break
                if marks[neighbour & (_MARKS - 1)] and slots[neighbour] > 0:
                    shares[slots[neighbour] - 1, position - start] += by * number(similarities[item, column])
                    count = support[item, column] if counted else np.uint16(column < near)
                    behind[slots[neighbour] - 1, position - start] = count
            strength *= decay
        _mark(items, query, False, slots, marks)
        _merge_repeats(history, start, end, slots, shares)
        for column in range(items.shape[1]):
            best, total = _largest(shares, behind, least, column, history, start, end, items[query, column], hidden)
            if best != NOTHING and weight * total > parts[query, column]:
                parts[query, column], found[SOURCE, query, column] = weight * total, source
                found[POSITION, query, column], found[COUNT, query, column] = best, behind[column, best]


@compiled
def offer_text(
    indptr: Int64Array,
    history: Int32Array,
    items: Int32Array,
    hidden: BoolArray,
    embeddings: UInt16Array,
    usual: Float32Array,
    least_likeness: float,
    max_history: int,
    scale: float,
    decay: float,
    weight: float,
    source: int,
    slots: Int32Array,
    offers: Offers,
) -> None:
    """Offer what the text part of a two-tower gives, as far as that is more than an average item has.

    Args:
        indptr, history, items, hidden: see above.
        embeddings: [N, D] of half precision, whose last columns are of text.
        usual: float32 [E], means of the last E columns.
        least_likeness: cosine of the texts of two items from which on one is named for the other.
        max_history: how many of the latest interactions the tower reads.
        scale, decay: see `recsys.sources.two_tower.text_match.TextMatch`.
        weight, source, slots, offers: as of `offer_lists`; the count is 1.
    """
    shares, behind, parts, found = offers
    first, width = embeddings.shape[1] - len(usual), len(usual)
    texts, read = np.empty((items.shape[1], width), np.float32), np.empty(width, np.float32)
    sizes = np.empty(items.shape[1])
    for query in range(items.shape[0]):
        start, end = indptr[query], indptr[query + 1]
        _clear(shares, end - start)
        for position in range(max(start, end - _AHEAD), end):
            prefetch(embeddings, history[position])
        for column in range(items.shape[1]):
            if column + _AHEAD < items.shape[1] and items[query, column + _AHEAD] != NO_ITEM:
                prefetch(embeddings, items[query, column + _AHEAD])
            if items[query, column] != NO_ITEM:
                sizes[column] = _read(embeddings, items[query, column], first, texts[column])
        latest = max(start, end - max_history)
        strength, least = scale / _mass(end - latest, decay), 0.0
        for position in range(end - 1, latest - 1, -1):
            if position - _AHEAD >= latest:
                prefetch(embeddings, history[position - _AHEAD])
            _read(embeddings, history[position], first, read)
            least += strength * _dot(usual, read)
            for column in range(items.shape[1]):
                if items[query, column] != NO_ITEM:
                    shares[column, position - start] = strength * _dot(texts[column], read)
            strength *= decay
        _merge_repeats(history, start, end, slots, shares)
        for column in range(items.shape[1]):
            item = items[query, column]
            best, total = _largest(shares, behind, 0, column, history, start, end, item, hidden)
            if best == NOTHING or weight * (total - least) <= parts[query, column]:
                continue
            size = _read(embeddings, history[start + best], first, read)
            if _dot(texts[column], read) >= least_likeness * math.sqrt(sizes[column] * size):
                parts[query, column], found[SOURCE, query, column] = weight * (total - least), source
                found[POSITION, query, column], found[COUNT, query, column] = best, 1


@compiled
def _mark(items: Int32Array, query: int, on: bool, slots: Int32Array, marks: BoolArray) -> None:
    """Write where each item of a list stands in it, from 1, and that it is in one; undo that if not `on`."""
    for column in range(items.shape[1]):
        if items[query, column] != NO_ITEM:
            slots[items[query, column]] = column + 1 if on else 0
            marks[items[query, column] & (_MARKS - 1)] = on


@compiled
def name_items(indptr: Int64Array, history: Int32Array, positions: Int64Array, named: Int32Array) -> None:
    """Write the items at positions [B, K] of the histories, `NO_ITEM` for no position."""
    for query in range(positions.shape[0]):
        for column in range(positions.shape[1]):
            position = positions[query, column]
            named[query, column] = history[indptr[query] + position] if position != NOTHING else NO_ITEM


@compiled
def find_tastes(
    indptr: Int64Array,
    items: Int32Array,
    sources: Int64Array,
    proposed: BoolArray,
    proposing: Int64Array,
    tastes: BoolArray,
) -> None:
    """Write for each listed item whether nobody has offered anything and a source of taste proposed it.

    Args:
        indptr, items, sources: see above.
        proposed: [B, K, R], which of R sources proposed each item.
        proposing: of these the sources of taste; none: all that is listed counts as proposed by one.
        tastes: [B, K].
    """
    for query in range(items.shape[0]):
        for column in range(items.shape[1]):
            left = items[query, column] != NO_ITEM and sources[query, column] == NOTHING
            fits = len(proposing) == 0
            for index in range(len(proposing)):
                fits |= proposed[query, column, proposing[index]]
            tastes[query, column] = left and fits and indptr[query] < indptr[query + 1]


@compiled
def _clear(shares: Float64Array, length: int) -> None:
    for row in range(shares.shape[0]):
        for position in range(length):
            shares[row, position] = 0.0


@compiled
def _merge_repeats(history: Int32Array, start: int, end: int, slots: Int32Array, shares: Float64Array) -> None:
    """Give the latest position of an item that a history holds several times the shares of all of them."""
    for position in range(end - 1, start - 1, -1):
        item = history[position]
        if slots[item] == 0:
            slots[item] = position - start + 1
        else:
            for row in range(shares.shape[0]):
                shares[row, slots[item] - 1] += shares[row, position - start]
                shares[row, position - start] = 0.0
    for position in range(start, end):
        slots[history[position]] = 0


@compiled
def _largest(
    shares: Float64Array,
    behind: UInt16Array,
    least: int,
    row: int,
    history: Int32Array,
    start: int,
    end: int,
    item: int,
    hidden: BoolArray,
) -> tuple[int, float]:
    """Position of the largest positive share of an item that may be named, and the sum of all; equal: the latest.

    What stands `behind` is read where at least one user must and a share is not 0.
    """
    total, most, best = 0.0, 0.0, NOTHING
    for position in range(end - start - 1, -1, -1):
        share, chosen = shares[row, position], history[start + position]
        total += share
        if share > most and chosen != item and not hidden[chosen] and (least == 0 or behind[row, position] >= least):
            most, best = share, position
    return best, total


@compiled
def _mass(length: int, decay: float) -> float:
    """Sum of the first powers of the decay; 1 for none."""
    mass, weight = 0.0, 1.0
    for _ in range(length):
        mass += weight
        weight *= decay
    return mass if length > 0 else 1.0


@compiled
def _read(embeddings: UInt16Array, row: int, first: int, text: Float32Array) -> float:
    """Write the last columns of a row in single precision; their squared length."""
    size = np.float32(0)
    for part in range(len(text)):
        text[part] = number(embeddings[row, first + part])
        size += text[part] * text[part]
    return np.float64(size)


@compiled
def _dot(one: Float32Array, other: Float32Array) -> float:
    product = np.float32(0)
    for part in range(len(one)):
        product += one[part] * other[part]
    return np.float64(product)
