"""Compiled loops of the greedy choice: which item each slot of a list gets, and why it is not the best one."""

from __future__ import annotations

from recsys.core.compiled import compiled, compiled_in_place
from recsys.core.types import BoolArray, Float64Array, Int64Array
from recsys.rules.arranging.cap_kernels import count_taken, narrow, urgent, write_fitting, write_forbidden
from recsys.rules.arranging.promotion_kernels import is_for_promotions, keep_wanted
from recsys.rules.arranging.room import FREE, LISTED, NOTHING, PINNED, Acting, Draft, Mix, Pool
from recsys.rules.arranging.table import RuleTable
from recsys.rules.arranging.variety_kernels import (
    compare,
    write_divergence,
    write_less_alike,
    write_less_lost,
    write_worth,
)


@compiled
def fill(count: int, groups: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft, mix: Mix) -> int:
    """Fill slot by slot; the first slot for which nothing is left, or k."""
    for column in range(count):
        draft.states[column] = FREE
        for rule in range(len(rules.kinds)):
            draft.passed[rule, column] = False
    return _fill(count, groups, rules, acting, pool, draft, mix)


@compiled
def put_in_order(
    count: int, groups: int, length: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft, mix: Mix
) -> None:
    """Put what was chosen in the order of utilities, as far as pins and promotions let it.

    All of it fits again, so that the list keeps its length; with caps of windows it might not, and stays as it is.
    """
    for place in range(len(acting.caps)):
        if rules.numbers[acting.caps[place], 1] > 0:
            return
    chosen, states = draft.candidates, draft.states
    for column in range(count):
        chosen[column] = False
    for slot in range(length):
        column = draft.slots[slot]
        chosen[column] = True
        for rule in range(len(rules.kinds)):
            draft.passed[rule, column] = draft.passed[rule, column] or draft.moving[slot, rule]
    for column in range(count):
        states[column] = FREE if chosen[column] else LISTED  # so that nothing else is chosen
    plain = Acting(acting.caps, acting.promotions, acting.pins, acting.upsell, acting.price_fit, NOTHING, NOTHING)
    _fill(count, groups, rules, plain, pool, draft, mix)
    for column in range(count):
        states[column] = FREE
    for slot in range(length):
        states[draft.slots[slot]] = LISTED


@compiled_in_place
def _begin(count: int, groups: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft, mix: Mix) -> None:
    """An empty list but for what is pinned."""
    for column in range(count):
        draft.likeness[column] = 0
        for rule in range(len(rules.kinds)):
            draft.taken[rule, column] = 0
    for rule in range(len(rules.kinds)):
        draft.held[rule] = 0
    for slot in range(len(draft.slots)):
        draft.slots[slot] = draft.pins[slot]
        for rule in range(len(rules.kinds)):
            draft.moving[slot, rule] = False
        if draft.pins[slot] != NOTHING:
            draft.states[draft.pins[slot]] = PINNED
            count_taken(draft.pins[slot], count, rules, acting, pool, draft)
    for place in range(groups):
        mix.listed[place] = 0
    mix.counts[0] = 0


@compiled_in_place
def _fill(count: int, groups: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft, mix: Mix) -> int:
    """Fill with what is free; see `fill`."""
    _begin(count, groups, rules, acting, pool, draft, mix)
    for slot in range(len(draft.slots)):
        column = draft.pins[slot]
        if column == NOTHING:
            column = _chosen(slot, count, groups, rules, acting, pool, draft, mix)
            if column == NOTHING:
                return slot
            count_taken(column, count, rules, acting, pool, draft)
        draft.slots[slot] = column
        draft.states[column] = LISTED
        for place in range(len(acting.promotions)):
            rule = acting.promotions[place]
            draft.held[rule] += pool.members[rule, column]
        if acting.mmr != NOTHING:
            compare(column, slot == 0, acting.mmr, count, pool, draft)
        if groups > 0 and mix.targets[column] != NOTHING:
            mix.counts[0] += 1
            if mix.targets[column] >= 0:
                mix.listed[mix.targets[column]] += 1
    return len(draft.slots)


@compiled_in_place
def _chosen(
    slot: int, count: int, groups: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft, mix: Mix
) -> int:
    """The item for a slot, or `NOTHING`; writes which rules are why it is not the best one that is free."""
    fitting, left = write_fitting(slot, count, rules, acting, pool, draft)
    if fitting == 0:
        return NOTHING
    by_utility = acting.mmr == NOTHING and acting.calibration == NOTHING
    if acting.calibration != NOTHING:
        write_divergence(count, groups, mix)
    if not by_utility:
        write_worth(count, slot + 1, rules, acting, pool, draft, mix)
    for column in range(count):
        draft.candidates[column] = draft.fits[column]
    chosen = _best(by_utility, count, pool.order, pool.buried, draft.candidates, draft.worth)
    if len(acting.promotions) > 0 and is_for_promotions(slot, count, rules, acting, pool, draft):
        keep_wanted(acting, count, pool, draft)
        best, chosen = chosen, _best(by_utility, count, pool.order, pool.buried, draft.candidates, draft.worth)
        for place in range(len(acting.promotions)):
            rule = acting.promotions[place]
            if chosen != best and draft.wanted[rule] and pool.members[rule, chosen]:
                draft.moving[slot, rule] = True
    if len(acting.caps) > 0:
        column, cap = urgent(slot, count, left, rules, acting, pool, draft)
        if column != NOTHING:
            narrow(rules.grouping[cap], column, count, pool, draft)
            best, chosen = chosen, _best(by_utility, count, pool.order, pool.buried, draft.candidates, draft.worth)
            draft.moving[slot, cap] = chosen != best
        write_forbidden(chosen, slot, rules, acting, pool, draft)
    if acting.mmr != NOTHING:
        write_less_alike(chosen, slot, acting.mmr, pool, draft)
    if acting.calibration != NOTHING:
        write_less_lost(chosen, slot, acting.calibration, pool, draft, mix)
    return chosen


@compiled
def _best(
    by_utility: bool, count: int, order: Int64Array, buried: BoolArray, candidates: BoolArray, worth: Float64Array
) -> int:
    """The candidate that is worth most; of those that are buried only if all are, and of equal ones the first."""
    best = NOTHING
    for position in range(count):
        column = int(order[position])
        if candidates[column]:
            if best == NOTHING:
                best = column
            elif buried[column] and not buried[best]:
                break
            elif worth[column] > worth[best]:
                best = column
            if by_utility:
                break
    return best
