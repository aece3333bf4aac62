"""Compiled loops of variety: maximal marginal relevance and calibration."""

from __future__ import annotations

import math

import numpy as np

from recsys.core.compiled import compiled, compiled_in_place
from recsys.core.half import number
from recsys.core.sort_keys import sort
from recsys.core.types import Int32Array, Int64Array, UInt16Array, UInt64Array
from recsys.rules.arranging.room import ELSEWHERE, LISTED, NOTHING, Acting, Draft, Mix, Pool
from recsys.rules.arranging.table import NO_GROUP, RuleTable

SMOOTHING = 0.01  # alpha of Steck (2018): the share of the history's mix that is added to the list's
UNITS = 3.0  # so much utility weighs as much as a cosine of 1, and as the greatest divergence there is
_GREATEST = -math.log(SMOOTHING)  # divergence of a list that has nothing in common with the history


@compiled
def write_directions(items: Int32Array, query: int, count: int, vectors: UInt16Array, pool: Pool) -> None:
    """Write the vectors of the pool's items at a length of 1, or of 0."""
    directions = pool.directions
    for column in range(count):
        item, squares = items[query, column], np.float32(0)
        for dimension in range(vectors.shape[1]):
            value = number(vectors[item, dimension])
            directions[column, dimension] = value
            squares += value * value
        scale = np.float32(1 / math.sqrt(squares)) if squares > 0 else np.float32(0)
        for dimension in range(vectors.shape[1]):
            directions[column, dimension] *= scale


@compiled_in_place
def compare(listed: int, first: bool, rule: int, count: int, pool: Pool, draft: Draft) -> None:
    """Note how like the items of a rule are to one that is listed now, the first one or another."""
    directions, likeness = pool.directions, draft.likeness
    for column in range(count):
        if pool.members[rule, column] and draft.states[column] != LISTED:
            cosine = np.float32(0)
            for dimension in range(directions.shape[1]):
                cosine += directions[column, dimension] * directions[listed, dimension]
            likeness[column] = cosine if first else max(likeness[column], np.float64(cosine))


@compiled
def write_mix(
    history: Int32Array, count: int, groups: Int32Array, grouping: int, keys: UInt64Array, pool: Pool, mix: Mix
) -> int:
    """Write the shares of groups in a history, each interaction alike, and the places of the items' groups.

    Args:
        history: items of the history.
        count: of the pool's items.
        groups, grouping: the groups of all items, and the column of those in question.
        keys: scratch, at least as long as the history.
        pool: see `Pool`.
        mix: room for at least as many groups as the history is long.

    Returns:
        S, the number of groups in the history.
    """
    known, latest = 0, NO_GROUP
    for position in range(len(history)):
        code = groups[history[position], grouping]
        if code != NO_GROUP:
            keys[known] = np.uint64(code)
            known += 1
            latest = code
    in_order = sort(keys[:known])
    found = 0
    for index in range(known):
        if index == 0 or in_order[index] != in_order[index - 1]:
            mix.listed[found] = np.int64(in_order[index])  # the code, until all places are known
            mix.shares[found] = 0.0
            found += 1
        mix.shares[found - 1] += 1.0 / known
    mix.latest[0] = _place(mix.listed, found, latest)
    for column in range(count):
        code = pool.codes[grouping, column]
        mix.targets[column] = NOTHING if code == NO_GROUP else _place(mix.listed, found, code)
    return found


@compiled
def _place(codes: Int64Array, count: int, code: int) -> int:
    """Place of a code among ascending ones, by bisection; `ELSEWHERE` where it is not there."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if codes[middle] < code:
            low = middle + 1
        else:
            high = middle
    return low if low < count and codes[low] == code else ELSEWHERE


@compiled_in_place
def write_divergence(count: int, groups: int, mix: Mix) -> None:
    """Write Steck's divergence of the list with each item added, as a share of the greatest possible.

    An item without a group changes nothing.
    """
    items = mix.counts[0]
    now, without = 0.0, 0.0
    for place in range(groups):
        now += _term(mix.shares[place], mix.listed[place] / max(items, 1))
        term = _term(mix.shares[place], mix.listed[place] / (items + 1))
        without += term
        mix.gains[place] = term - _term(mix.shares[place], (mix.listed[place] + 1) / (items + 1))
    for column in range(count):
        target = mix.targets[column]
        divergence = now if target == NOTHING else without - (mix.gains[target] if target >= 0 else 0.0)
        mix.divergence[column] = divergence / _GREATEST


@compiled
def _term(wanted: float, given: float) -> float:
    """A group's part in the divergence of a mix that gives it one share from one in which it has another."""
    return wanted * math.log(wanted / ((1 - SMOOTHING) * given + SMOOTHING * wanted))


@compiled_in_place
def write_worth(count: int, length: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft, mix: Mix) -> None:
    """Write what it would be worth to make each item the last one of a list that has a length then."""
    worth, utilities, likeness, losses = draft.worth, pool.utilities, draft.likeness, mix.losses
    for column in range(count):
        worth[column] = utilities[column] / UNITS
    if acting.calibration != NOTHING:
        weight, latest = rules.numbers[acting.calibration, 0], rules.numbers[acting.calibration, 1] / UNITS
        for column in range(count):
            is_latest = mix.targets[column] >= 0 and mix.targets[column] == mix.latest[0]
            losses[column] = weight * length * mix.divergence[column] + ((1 - weight) * latest if is_latest else 0.0)
            worth[column] = (1 - weight) * worth[column] - losses[column]
    if acting.mmr != NOTHING:
        weight = rules.numbers[acting.mmr, 0]
        for column in range(count):
            worth[column] = (1 - weight) * worth[column] - weight * likeness[column]


@compiled_in_place
def write_less_alike(chosen: int, slot: int, rule: int, pool: Pool, draft: Draft) -> None:
    """Note the rule of mmr where candidates of higher utility were passed over that are more like what is listed."""
    position = 0
    while pool.order[position] != chosen:
        column = pool.order[position]
        if draft.candidates[column] and draft.likeness[column] > draft.likeness[chosen]:
            draft.moving[slot, rule] = draft.passed[rule, column] = True
        position += 1


@compiled_in_place
def write_less_lost(chosen: int, slot: int, rule: int, pool: Pool, draft: Draft, mix: Mix) -> None:
    """Note the rule of calibration where candidates of higher utility were passed over that lose more by it."""
    position = 0
    while pool.order[position] != chosen:
        column = pool.order[position]
        if draft.candidates[column] and mix.losses[column] > mix.losses[chosen]:
            draft.moving[slot, rule] = draft.passed[rule, column] = True
        position += 1
