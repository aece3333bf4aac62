"""Compiled loops of caps: which items they forbid, and when a list would run out of items that they let through."""

from __future__ import annotations

from recsys.core.compiled import compiled
from recsys.core.types import Int32Array, Int64Array
from recsys.rules.arranging.room import FREE, NOTHING, Acting, Draft, Pool
from recsys.rules.arranging.table import NO_GROUP, RuleTable


@compiled
def count_taken(column: int, count: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft) -> None:
    """Note that an item is pinned, or listed without having been pinned."""
    for place in range(len(acting.caps)):
        rule = acting.caps[place]
        codes, taken = pool.codes[rules.grouping[rule]], draft.taken[rule]
        code = codes[column]
        if code != NO_GROUP:
            for other in range(count):
                taken[other] += codes[other] == code


@compiled
def forbids(rule: int, column: int, slot: int, rules: RuleTable, pool: Pool, draft: Draft) -> bool:
    """Whether a cap forbids an item in a slot that is still open."""
    code = pool.codes[rules.grouping[rule], column]
    if code == NO_GROUP or draft.taken[rule, column] < rules.numbers[rule, 0]:
        return False
    return rules.numbers[rule, 1] == 0 or _has_full_window(rule, code, slot, rules, pool, draft)


@compiled
def _has_full_window(rule: int, code: int, slot: int, rules: RuleTable, pool: Pool, draft: Draft) -> bool:
    """Whether a window that the slot lies in holds all that it may of a group, pins behind the slot included."""
    most, window = int(rules.numbers[rule, 0]), int(rules.numbers[rule, 1])
    return _is_full(pool.codes[rules.grouping[rule]], draft.slots, code, slot, most, window)


@compiled
def _is_full(codes: Int32Array, slots: Int64Array, code: int, slot: int, most: int, window: int) -> bool:
    held, first = 0, max(slot - window + 1, 0)
    for end in range(first, min(slot + window, len(slots))):  # the window's last slot, and those before it
        held += slots[end] != NOTHING and codes[slots[end]] == code
        if end - window >= first:
            held -= slots[end - window] != NOTHING and codes[slots[end - window]] == code
        if held >= most:
            return True
    return False


@compiled
def write_fitting(slot: int, count: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft) -> bool:
    """Write which items fit into a slot; whether any does."""
    fits, slots, found = draft.fits, draft.slots, 0
    for column in range(count):
        fits[column] = draft.states[column] == FREE
    for place in range(len(acting.caps)):
        rule = acting.caps[place]
        codes, taken = pool.codes[rules.grouping[rule]], draft.taken[rule]
        most, window = int(rules.numbers[rule, 0]), int(rules.numbers[rule, 1])
        for column in range(count):
            if fits[column] and codes[column] != NO_GROUP and taken[column] >= most:
                fits[column] = window > 0 and not _is_full(codes, slots, codes[column], slot, most, window)
    for column in range(count):
        found += fits[column]
    return found > 0


@compiled
def urgent(slot: int, count: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft) -> tuple[int, int]:
    """A candidate whose group must have the slot, lest the list gets shorter for a cap of windows; and the cap.

    Where few items are left, the list needs nearly all of a group, and a window holds few of them: if what the later
    slots may hold of it is less than what is needed, the group has this slot. Of several groups the one that lacks
    most. It looks at one group at a time, so that a list may still get shorter than it had to be.

    Returns:
        Column and rule; `NOTHING` twice where no group is urgent.
    """
    left, open_slots = 0, 0
    for column in range(count):
        left += draft.states[column] == FREE and not _is_spent(column, rules, acting, draft, pool)
    for later in range(slot, len(draft.slots)):
        open_slots += draft.pins[later] == NOTHING
    spare = max(left - open_slots, 0)
    worst, chosen, cap = 0, NOTHING, NOTHING
    for place in range(len(acting.caps)):
        rule = acting.caps[place]
        if rules.numbers[rule, 1] == 0:
            continue
        for position in range(count):
            column = pool.order[position]
            if draft.candidates[column] and pool.codes[rules.grouping[rule], column] != NO_GROUP:
                needed = _free_of_group(rule, column, count, rules, pool, draft) - spare
                if needed > 0:
                    lacking = needed - _room_after(slot, rule, column, needed, rules, pool, draft)
                    if lacking > worst:
                        worst, chosen, cap = lacking, column, rule
    return chosen, cap


@compiled
def _is_spent(column: int, rules: RuleTable, acting: Acting, draft: Draft, pool: Pool) -> bool:
    """Whether the list as a whole holds all that it may of one of the item's groups."""
    for place in range(len(acting.caps)):
        rule = acting.caps[place]
        in_group = pool.codes[rules.grouping[rule], column] != NO_GROUP
        if rules.numbers[rule, 1] == 0 and in_group and draft.taken[rule, column] >= rules.numbers[rule, 0]:
            return True
    return False


@compiled
def _free_of_group(rule: int, column: int, count: int, rules: RuleTable, pool: Pool, draft: Draft) -> int:
    codes, size = pool.codes[rules.grouping[rule]], 0
    for other in range(count):
        size += draft.states[other] == FREE and codes[other] == codes[column]
    return size


@compiled
def _room_after(slot: int, rule: int, column: int, needed: int, rules: RuleTable, pool: Pool, draft: Draft) -> int:
    """How many items of the group, `needed` at most, the slots behind this one may hold if this one has none.

    The slots are filled with them one by one to see it, and emptied again.
    """
    code, room = pool.codes[rules.grouping[rule], column], 0
    for later in range(slot + 1, len(draft.slots)):
        is_open = room < needed and draft.slots[later] == NOTHING
        if is_open and not _has_full_window(rule, code, later, rules, pool, draft):
            draft.slots[later] = column
            room += 1
    for later in range(slot + 1, len(draft.slots)):
        if draft.pins[later] == NOTHING:
            draft.slots[later] = NOTHING
    return room
