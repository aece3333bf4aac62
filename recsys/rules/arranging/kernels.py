"""Compiled loops that arrange the lists of a batch: one greedy choice, slot by slot. See `recsys.core.compiled`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.prefetch import prefetch
from recsys.core.queries import NO_ITEM
from recsys.core.types import (
    BoolArray,
    Float32Array,
    Float64Array,
    Int32Array,
    Int64Array,
    UInt16Array,
    UInt64Array,
)
from recsys.rules.arranging.cap_kernels import forbids, write_sizes
from recsys.rules.arranging.greedy_kernels import fill, put_in_order
from recsys.rules.arranging.room import FREE, LISTED, NOTHING, PINNED, Acting, Draft, Mix, Pool
from recsys.rules.arranging.score_kernels import change_scores, write_members, write_order, write_utilities
from recsys.rules.arranging.table import CALIBRATE, CAP, MMR, PIN, PRICE_FIT, PROMOTE, UPSELL, RuleTable
from recsys.rules.arranging.variety_kernels import write_directions, write_mix


class Batch(NamedTuple):
    """B queries and what was ranked for them.

    Attributes:
        items, scores, popular: [B, D], see `Recommendations`; padding stands last.
        indptr, history: of B histories.
        active: bool [B, A], which rules act for each query.
        mean_prices: float64 [B], NaN where it is not known.
        given: int64 [B, G], columns that the lists begin with; `NOTHING` behind them.
    """

    items: Int32Array
    scores: Float32Array
    popular: BoolArray
    indptr: Int64Array
    history: Int32Array
    active: BoolArray
    mean_prices: Float64Array
    given: Int64Array


class Lists(NamedTuple):
    """Room for what is chosen, see `Arranged`: columns are -1 before, the others false."""

    columns: Int64Array
    moved_by: BoolArray
    kept_out: BoolArray


@compiled
def arrange_lists(
    batch: Batch,
    prices: Float32Array,
    vectors: UInt16Array,
    rules: RuleTable,
    pool: Pool,
    draft: Draft,
    mix: Mix,
    keys: UInt64Array,
    lists: Lists,
) -> None:
    """Write the lists of a batch.

    Args:
        batch: see `Batch`.
        prices, vectors: of all items, see `ArrangingRules`.
        rules: see `RuleTable`.
        pool, draft, mix: room for one list.
        keys: scratch, as long as the longest history.
        lists: see `Lists`.
    """
    k, places = lists.columns.shape[1], np.empty(len(rules.kinds), np.int64)
    _fetch(batch.items, 0, prices, vectors, rules)
    for query in range(batch.items.shape[0]):
        _fetch(batch.items, query + 1, prices, vectors, rules)
        count = 0
        while count < batch.items.shape[1] and batch.items[query, count] != NO_ITEM:
            count += 1
        acts = False
        for rule in range(len(rules.kinds)):
            acts = acts or batch.active[query, rule]
        if not acts:
            _keep_order(query, count, batch.given, draft, lists)
            continue
        acting = _acting(batch.active, query, rules.kinds, rules.numbers, places)
        write_members(batch.items, query, count, rules, pool)
        write_utilities(batch.scores, batch.popular, query, count, pool.utilities)
        change_scores(batch.items, query, count, prices, batch.mean_prices[query], batch.active, rules, acting, pool)
        write_order(count, pool)
        groups = 0
        if acting.mmr != NOTHING:
            write_directions(batch.items, query, count, vectors, pool)
        if acting.calibration != NOTHING:
            history = batch.history[batch.indptr[query] : batch.indptr[query + 1]]
            groups = write_mix(history, count, rules.groups, rules.grouping[acting.calibration], keys, pool, mix)
        write_sizes(count, rules, acting, pool, draft)
        _place_pins(query, count, batch.given, rules, acting, pool, draft)
        length = fill(count, groups, rules, acting, pool, draft, mix)
        while length < k and _lower_pins(length, draft):
            length = fill(count, groups, rules, acting, pool, draft, mix)
        if acting.calibration != NOTHING and rules.numbers[acting.calibration, 2] > 0:
            put_in_order(count, groups, length, rules, acting, pool, draft, mix)
        _write(query, count, length, rules, acting, pool, draft, lists)


@compiled
def _fetch(items: Int32Array, query: int, prices: Float32Array, vectors: UInt16Array, rules: RuleTable) -> None:
    """Ask for what will be read of the items of a query: they lie anywhere in large arrays."""
    column = 0
    while query < items.shape[0] and column < items.shape[1] and items[query, column] != NO_ITEM:
        item = items[query, column]
        prefetch(rules.members, item)
        prefetch(rules.groups, item)
        prefetch(prices, item)
        prefetch(vectors, item)
        column += 1


@compiled
def _acting(active: BoolArray, query: int, kinds: Int64Array, numbers: Float64Array, places: Int64Array) -> Acting:
    """The rules that act for a query, by what they do; `places` [A] is room for those of which several may act."""
    upsell = price_fit = mmr = calibration = NOTHING
    for rule in range(len(kinds) - 1, -1, -1):  # of those that exclude each other the first is found last
        if active[query, rule]:
            acting = rule if numbers[rule, 0] > 0 else NOTHING  # what has no weight does nothing
            if kinds[rule] == UPSELL:
                upsell = acting
            elif kinds[rule] == PRICE_FIT:
                price_fit = acting
            elif kinds[rule] == MMR:
                mmr = acting
            elif kinds[rule] == CALIBRATE:
                calibration = acting
    end = caps_end = promotions_end = 0
    for kind in (CAP, PROMOTE, PIN):
        for rule in range(len(kinds)):
            if active[query, rule] and kinds[rule] == kind:
                places[end] = rule
                end += 1
        if kind == CAP:
            caps_end = end
        elif kind == PROMOTE:
            promotions_end = end
    caps, promotions, pins = places[:caps_end], places[caps_end:promotions_end], places[promotions_end:end]
    return Acting(caps, promotions, pins, upsell, price_fit, mmr, calibration)


@compiled
def _keep_order(query: int, count: int, given: Int64Array, draft: Draft, lists: Lists) -> None:
    """Write a list that no rule arranges: what it begins with, then the others in their order."""
    length = 0
    for column in range(count):
        draft.states[column] = FREE
    for place in range(given.shape[1]):
        if given[query, place] != NOTHING:
            lists.columns[query, length] = given[query, place]
            draft.states[given[query, place]] = LISTED
            length += 1
    for column in range(count):
        if length < lists.columns.shape[1] and draft.states[column] == FREE:
            lists.columns[query, length] = column
            length += 1


@compiled
def _place_pins(
    query: int, count: int, given: Int64Array, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft
) -> None:
    """Pin what a list begins with, and the best item of each rule to its slot, unless slot or item are taken."""
    for slot in range(len(draft.slots)):
        draft.pins[slot] = NOTHING
    for column in range(count):
        draft.states[column] = FREE
    for slot in range(given.shape[1]):
        if given[query, slot] != NOTHING:
            draft.states[given[query, slot]] = PINNED
            draft.pins[slot], draft.pin_rules[slot] = given[query, slot], NOTHING
    for place in range(len(acting.pins)):
        rule = acting.pins[place]
        slot = int(rules.numbers[rule, 0])
        if slot >= len(draft.slots) or draft.pins[slot] != NOTHING:
            continue
        for position in range(count):
            column = pool.order[position]
            if pool.members[rule, column] and draft.states[column] == FREE:
                draft.states[column] = PINNED
                draft.pins[slot], draft.pin_rules[slot] = column, rule
                break


@compiled
def _lower_pins(length: int, draft: Draft) -> bool:
    """Move pins that a list cannot reach up to its end, in their order; whether there were any."""
    end = length
    for slot in range(length, len(draft.slots)):
        if draft.pins[slot] != NOTHING:
            column, rule = draft.pins[slot], draft.pin_rules[slot]
            draft.pins[slot] = NOTHING
            draft.pins[end], draft.pin_rules[end] = column, rule
            end += 1
    return end > length


@compiled
def _write(
    query: int, count: int, length: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft, lists: Lists
) -> None:
    """Write a finished list: its columns, what moved them, and the caps that kept it short."""
    for slot in range(length):
        column = draft.slots[slot]
        lists.columns[query, slot] = column
        for rule in range(len(rules.kinds)):
            if pool.changed[rule, column] or draft.passed[rule, column] or draft.moving[slot, rule]:
                lists.moved_by[query, slot, rules.columns[rule]] = True
        if draft.pins[slot] != NOTHING and draft.pin_rules[slot] != NOTHING:
            lists.moved_by[query, slot, rules.columns[draft.pin_rules[slot]]] = True
    for place in range(len(acting.caps) if length < len(draft.slots) else 0):
        rule = acting.caps[place]
        for column in range(count):
            if draft.states[column] == FREE and forbids(rule, column, length, rules, pool, draft):
                lists.kept_out[query, rules.columns[rule]] = True
