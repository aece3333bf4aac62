"""Compiled loops of promotions: whether a slot must have an item of one, so that all beginnings have their shares."""

from __future__ import annotations

import math

from recsys.core.compiled import compiled
from recsys.rules.arranging.room import NOTHING, Acting, Draft, Pool
from recsys.rules.arranging.table import RuleTable

_ROUNDING = 1e-9  # 0.29 * 100 is less than 29 in binary numbers


@compiled
def is_for_promotions(slot: int, count: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft) -> bool:
    """Whether promotions need the slot; writes which ones to `draft.wanted`.

    A beginning of the list that lacks as many promoted items as it has open slots needs all of them. Needs of several
    promotions add up. What exceeds the slots is left to those of lower priority to lack.
    """
    free = 0
    for place in range(len(acting.promotions)):
        draft.ahead[acting.promotions[place]] = 0
        draft.wanted[acting.promotions[place]] = False
    for last in range(slot, len(draft.slots)):
        if draft.pins[last] == NOTHING:
            free += 1
        else:
            for place in range(len(acting.promotions)):
                rule = acting.promotions[place]
                draft.ahead[rule] += pool.members[rule, draft.pins[last]]
        if _lacking(last, free, count, rules, acting, pool, draft) >= free:
            return True
    return False


@compiled
def _lacking(last: int, free: int, count: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft) -> int:
    """How many promoted items the list lacks up to a slot; writes the promotions that as many open slots are for."""
    total = 0
    for place in range(len(acting.promotions)):
        rule = acting.promotions[place]
        share = math.floor(rules.numbers[rule, 0] * (last + 1) + _ROUNDING)
        lacking = min(share - draft.held[rule] - draft.ahead[rule], free)
        if lacking > 0:
            lacking = _at_hand(rule, lacking, count, pool, draft)
        draft.wanted[rule] = lacking > 0 and total < free
        total += max(lacking, 0)
    return total


@compiled
def _at_hand(rule: int, most: int, count: int, pool: Pool, draft: Draft) -> int:
    """How many of the rule's items fit into the slot in question, up to a number."""
    found = 0
    for position in range(count):
        if found == most:
            break
        column = pool.order[position]
        found += draft.fits[column] and pool.members[rule, column]
    return found
