"""Compiled loops of caps: which items they forbid, and when a list would run out of items that they let through.

Arrays of all rules are read by two indexes here: a row of one is an array of its own, and making one costs more than
reading it (see `recsys.core.compiled`).
"""

from __future__ import annotations

from recsys.core.compiled import compiled, compiled_in_place
from recsys.core.types import Int32Array, Int64Array
from recsys.rules.arranging.room import FREE, NOTHING, Acting, Draft, Pool
from recsys.rules.arranging.table import NO_GROUP, RuleTable


@compiled
def write_sizes(count: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft) -> None:
    """Write how many of the pool's items are of each item's group, for caps of windows."""
    for place in range(len(acting.caps)):
        rule = acting.caps[place]
        if rules.numbers[rule, 1] > 0:
            grouping = rules.grouping[rule]
            for column in range(count):
                code, size = pool.codes[grouping, column], 0
                for other in range(count):
                    size += pool.codes[grouping, other] == code
                draft.sizes[rule, column] = size


@compiled_in_place
def count_taken(column: int, count: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft) -> None:
    """Note that an item is pinned, or listed without having been pinned."""
    for place in range(len(acting.caps)):
        rule = acting.caps[place]
        grouping = rules.grouping[rule]
        code = pool.codes[grouping, column]
        if code != NO_GROUP:
            for other in range(count):
                draft.taken[rule, other] += pool.codes[grouping, other] == code


@compiled_in_place
def forbids(rule: int, column: int, slot: int, rules: RuleTable, pool: Pool, draft: Draft) -> bool:
    """Whether a cap forbids an item in a slot that is still open."""
    grouping, most, window = rules.grouping[rule], int(rules.numbers[rule, 0]), int(rules.numbers[rule, 1])
    code = pool.codes[grouping, column]
    if code == NO_GROUP or draft.taken[rule, column] < most:
        return False
    return window == 0 or _is_full(pool.codes, grouping, draft.slots, code, slot, most, window)


@compiled
def _is_full(codes: Int32Array, grouping: int, slots: Int64Array, code: int, slot: int, most: int, window: int) -> bool:
    """Whether a window that the slot lies in holds all that it may of a group, pins behind the slot included.

    Args:
        codes: int32 [G, D], groups of the items.
        grouping: by what they are grouped, from 0 to G - 1.
        slots: int64 [k], the items in the list.
        code: the group.
        slot: which is still open.
        most, window: of the cap.
    """
    held, first = 0, max(slot - window + 1, 0)
    for end in range(first, min(slot + window, len(slots))):  # the window's last slot, and those before it
        held += slots[end] != NOTHING and codes[grouping, slots[end]] == code
        if end - window >= first:
            held -= slots[end - window] != NOTHING and codes[grouping, slots[end - window]] == code
        if held >= most:
            return True
    return False


@compiled_in_place
def write_fitting(slot: int, count: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft) -> tuple[int, int]:
    """Write which items fit into a slot; how many do, and how many fit into any slot at all."""
    fits, taken, codes = draft.fits, draft.taken, pool.codes
    left = 0
    for column in range(count):
        fits[column] = draft.states[column] == FREE
        left += fits[column]
    windows = False
    for place in range(len(acting.caps)):
        rule = acting.caps[place]
        windows = windows or rules.numbers[rule, 1] > 0
        if rules.numbers[rule, 1] == 0:
            grouping, most = rules.grouping[rule], int(rules.numbers[rule, 0])
            for column in range(count):
                if fits[column] and taken[rule, column] >= most and codes[grouping, column] != NO_GROUP:
                    fits[column] = False
                    left -= 1
    found = left
    for place in range(len(acting.caps) if windows else 0):
        rule = acting.caps[place]
        most, window = int(rules.numbers[rule, 0]), int(rules.numbers[rule, 1])
        if window > 0:
            grouping = rules.grouping[rule]
            for column in range(count):
                code = codes[grouping, column]
                full = fits[column] and taken[rule, column] >= most and code != NO_GROUP
                if full and _is_full(codes, grouping, draft.slots, code, slot, most, window):
                    fits[column] = False
                    found -= 1
    return found, left


@compiled_in_place
def write_forbidden(chosen: int, slot: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft) -> None:
    """Note the caps for which items of higher utility than the chosen one were passed over."""
    for place in range(len(acting.caps)):
        rule = acting.caps[place]
        position = 0
        while pool.order[position] != chosen:
            column = pool.order[position]
            is_out = draft.states[column] == FREE and not draft.fits[column]
            if is_out and forbids(rule, column, slot, rules, pool, draft):
                draft.moving[slot, rule] = draft.passed[rule, column] = True
            position += 1


@compiled_in_place
def urgent(
    slot: int, count: int, left: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft
) -> tuple[int, int]:
    """A candidate whose group must have the slot, lest the list gets shorter for a cap of windows; and the cap.

    Where few items are left, the list needs nearly all of a group, and a window holds few of them: if what the later
    slots may hold of it is less than what is needed, the group has this slot. Of several groups the one that lacks
    most. It looks at one group at a time, so that a list may still get shorter than it had to be.

    Args:
        slot, count, rules, acting, pool, draft: see `recsys.rules.arranging.room`.
        left: how many items fit into any slot at all.

    Returns:
        Column and rule; `NOTHING` twice where no group is urgent.
    """
    open_slots = 0
    for later in range(slot, len(draft.slots)):
        open_slots += draft.pins[later] == NOTHING
    spare = max(left - open_slots, 0)
    worst, chosen, cap = 0, NOTHING, NOTHING
    for place in range(len(acting.caps)):
        rule = acting.caps[place]
        if rules.numbers[rule, 1] > 0:
            most, window, grouping = int(rules.numbers[rule, 0]), int(rules.numbers[rule, 1]), rules.grouping[rule]
            needy = 0
            for column in range(count):
                needy += draft.sizes[rule, column] - draft.taken[rule, column] > spare
            for position in range(count if needy > 0 else 0):
                column = pool.order[position]
                needed = draft.sizes[rule, column] - draft.taken[rule, column] - spare
                if needed > 0 and draft.candidates[column] and pool.codes[grouping, column] != NO_GROUP:
                    room = _room_after(slot, column, needed, pool.codes, grouping, draft, most, window)
                    if needed - room > worst:
                        worst, chosen, cap = needed - room, column, rule
    return chosen, cap


@compiled
def _room_after(
    slot: int,
    column: int,
    needed: int,
    codes: Int32Array,
    grouping: int,
    draft: Draft,
    most: int,
    window: int,
) -> int:
    """How many items of the group, `needed` at most, the slots behind this one may hold if this one has none.

    The slots are filled with them one by one to see it, and emptied again.
    """
    room, slots, code = 0, draft.slots, codes[grouping, column]
    for later in range(slot + 1, len(slots)):
        is_open = room < needed and slots[later] == NOTHING
        if is_open and not _is_full(codes, grouping, slots, code, later, most, window):
            slots[later] = column
            room += 1
    for later in range(slot + 1, len(slots)):
        slots[later] = draft.pins[later]
    return room


@compiled_in_place
def narrow(grouping: int, column: int, count: int, pool: Pool, draft: Draft) -> None:
    """Leave the candidates of an item's group alone."""
    code = pool.codes[grouping, column]
    for other in range(count):
        draft.candidates[other] = draft.candidates[other] and pool.codes[grouping, other] == code
