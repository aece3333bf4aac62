"""Compiled loops of promotions: whether a slot must have an item of one, so that all beginnings have their shares."""

from __future__ import annotations

import math

from recsys.core.compiled import compiled, compiled_in_place
from recsys.core.types import BoolArray
from recsys.rules.arranging.room import NOTHING, Acting, Draft, Pool
from recsys.rules.arranging.table import RuleTable
from recsys.rules.rule import ROUNDING


@compiled_in_place
def is_for_promotions(slot: int, count: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft) -> bool:
    """Whether promotions need the slot; writes which ones to `draft.wanted`.

    A beginning of the list that lacks as many promoted items as it has open slots needs all of them. Needs of several
    promotions add up. What exceeds the slots is left to those of lower priority to lack.
    """
    free = 0
    for place in range(len(acting.promotions)):
        draft.ahead[acting.promotions[place]] = 0
    for last in range(slot, len(draft.pins)):
        pin = draft.pins[last]
        free += pin == NOTHING
        total = 0
        for place in range(len(acting.promotions)):
            rule = acting.promotions[place]
            if pin != NOTHING:
                draft.ahead[rule] += pool.members[rule, pin]
            total += max(_lacking(rules.numbers[rule, 0], last, draft.held[rule] + draft.ahead[rule]), 0)
        if total >= free and _are_at_hand(last, free, count, rules, acting, pool, draft):
            return True
    return False


@compiled
def _lacking(share: float, last: int, has: int) -> int:
    """How many items of a promotion the list lacks up to a slot; less than 0 where it has more than its share."""
    return math.floor(share * (last + 1) + ROUNDING) - has


@compiled_in_place
def _are_at_hand(last: int, free: int, count: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft) -> bool:
    """Whether there are items for all open slots up to the last one; writes the promotions that these are for."""
    total = 0
    for place in range(len(acting.promotions)):
        rule = acting.promotions[place]
        lacking = min(_lacking(rules.numbers[rule, 0], last, draft.held[rule] + draft.ahead[rule]), free)
        lacking = _fitting(draft.fits, pool.members, rule, lacking, count)
        draft.wanted[rule] = lacking > 0 and total < free
        total += lacking
    return total >= free


@compiled
def _fitting(fits: BoolArray, members: BoolArray, rule: int, most: int, count: int) -> int:
    """How many of a rule's items fit into the slot in question, up to a number."""
    found = 0
    for column in range(count):
        found += fits[column] and members[rule, column]
    return max(min(found, most), 0)


@compiled_in_place
def keep_wanted(acting: Acting, count: int, pool: Pool, draft: Draft) -> None:
    """Leave the candidates alone that are of a promotion that a slot is for."""
    for column in range(count):
        is_wanted = False
        for place in range(len(acting.promotions)):
            rule = acting.promotions[place]
            is_wanted = is_wanted or (draft.wanted[rule] and pool.members[rule, column])
        draft.candidates[column] = draft.candidates[column] and is_wanted
