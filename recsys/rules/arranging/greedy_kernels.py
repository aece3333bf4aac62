"""Compiled loops of the greedy choice: which item each slot of a list gets, and why it is not the best one."""

from __future__ import annotations

from recsys.core.compiled import compiled
from recsys.rules.arranging.cap_kernels import count_taken, forbids, urgent, write_fitting
from recsys.rules.arranging.promotion_kernels import is_for_promotions
from recsys.rules.arranging.room import FREE, LISTED, NOTHING, PINNED, Acting, Draft, Mix, Pool
from recsys.rules.arranging.table import RuleTable
from recsys.rules.arranging.variety_kernels import compare, is_latest, write_divergence, write_worth


@compiled
def fill(count: int, groups: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft, mix: Mix) -> int:
    """Fill slot by slot; the first slot for which nothing is left, or k."""
    for column in range(count):
        draft.states[column] = FREE
        for rule in range(len(rules.kinds)):
            draft.passed[rule, column] = False
    return _fill(count, groups, rules, acting, pool, draft, mix)


@compiled
def put_in_order(count: int, length: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft, mix: Mix) -> None:
    """Put what was chosen in the order of utilities, as far as pins and promotions let it.

    All of it fits again, so that the list keeps its length; with caps of windows it might not, and stays as it is.
    """
    for place in range(len(acting.caps)):
        if rules.numbers[acting.caps[place], 1] > 0:
            return
    for column in range(count):
        draft.states[column] = LISTED
    for slot in range(length):
        column = draft.slots[slot]
        draft.states[column] = FREE
        for rule in range(len(rules.kinds)):
            draft.passed[rule, column] = draft.passed[rule, column] or draft.moving[slot, rule]
    plain = Acting(acting.caps, acting.promotions, acting.pins, acting.upsell, acting.price_fit, NOTHING, NOTHING)
    _fill(count, 0, rules, plain, pool, draft, mix)


@compiled
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


@compiled
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
            compare(column, slot == 0, count, pool, draft)
        if groups > 0 and mix.targets[column] != NOTHING:
            mix.counts[0] += 1
            if mix.targets[column] >= 0:
                mix.listed[mix.targets[column]] += 1
    return len(draft.slots)


@compiled
def _chosen(
    slot: int, count: int, groups: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft, mix: Mix
) -> int:
    """The item for a slot, or `NOTHING`; writes which rules are why it is not the best one that is free."""
    if not write_fitting(slot, count, rules, acting, pool, draft):
        return NOTHING
    if acting.calibration != NOTHING:
        write_divergence(count, groups, mix)
    if acting.mmr != NOTHING or acting.calibration != NOTHING:
        write_worth(count, slot + 1, rules, acting, pool, draft, mix)
    for column in range(count):
        draft.candidates[column] = draft.fits[column]
    chosen = _best(count, acting, pool, draft)
    if len(acting.promotions) > 0 and is_for_promotions(slot, count, rules, acting, pool, draft):
        chosen = _promoted(chosen, slot, count, acting, pool, draft)
    if len(acting.caps) > 0:
        chosen = _urgent(chosen, slot, count, rules, acting, pool, draft)
    _explain(chosen, slot, count, rules, acting, pool, draft, mix)
    return chosen


@compiled
def _best(count: int, acting: Acting, pool: Pool, draft: Draft) -> int:
    """The candidate that is worth most; of those that are buried only if all are, and of equal ones the first."""
    order, buried, candidates, worth = pool.order, pool.buried, draft.candidates, draft.worth
    by_utility = acting.mmr == NOTHING and acting.calibration == NOTHING
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


@compiled
def _promoted(chosen: int, slot: int, count: int, acting: Acting, pool: Pool, draft: Draft) -> int:
    """The best of the items of the promotions that a slot is for, in the place of the best of all."""
    for column in range(count):
        is_wanted = False
        for place in range(len(acting.promotions)):
            rule = acting.promotions[place]
            is_wanted = is_wanted or (draft.wanted[rule] and pool.members[rule, column])
        draft.candidates[column] = draft.candidates[column] and is_wanted
    promoted = _best(count, acting, pool, draft)
    for place in range(len(acting.promotions)):
        rule = acting.promotions[place]
        if promoted != chosen and draft.wanted[rule] and pool.members[rule, promoted]:
            draft.moving[slot, rule] = True
    return promoted


@compiled
def _urgent(chosen: int, slot: int, count: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft) -> int:
    """The best of a group that must have the slot, lest the list gets shorter, in the place of the best of all."""
    column, cap = urgent(slot, count, rules, acting, pool, draft)
    if column == NOTHING:
        return chosen
    codes = pool.codes[rules.grouping[cap]]
    for other in range(count):
        draft.candidates[other] = draft.candidates[other] and codes[other] == codes[column]
    best = _best(count, acting, pool, draft)
    draft.moving[slot, cap] = best != chosen
    return best


@compiled
def _explain(
    chosen: int, slot: int, count: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft, mix: Mix
) -> None:
    """Note the caps and the rules of variety for which items of higher utility were passed over."""
    for position in range(count):
        column = pool.order[position]
        if column == chosen:
            break
        if draft.states[column] != FREE:
            continue
        if not draft.fits[column]:
            for place in range(len(acting.caps)):
                rule = acting.caps[place]
                if forbids(rule, column, slot, rules, pool, draft):
                    draft.moving[slot, rule] = draft.passed[rule, column] = True
        elif draft.candidates[column]:
            rule = acting.mmr
            if rule != NOTHING and draft.likeness[column] > draft.likeness[chosen]:
                draft.moving[slot, rule] = draft.passed[rule, column] = True
            rule = acting.calibration
            if rule != NOTHING and (
                mix.divergence[column] > mix.divergence[chosen]
                or (rules.numbers[rule, 1] > 0 and is_latest(column, mix) and not is_latest(chosen, mix))
            ):
                draft.moving[slot, rule] = draft.passed[rule, column] = True
