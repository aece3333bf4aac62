"""Compiled loops of caps: which items they forbid, and when a list would run out of items that they let through."""

from __future__ import annotations

from recsys.core.compiled import compiled
from recsys.core.types import BoolArray, Int32Array, Int64Array
from recsys.rules.arranging.room import FREE, NOTHING, Acting, Draft, Pool
from recsys.rules.arranging.table import NO_GROUP, RuleTable


@compiled
def write_sizes(count: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft) -> None:
    """Write how many of the pool's items are of each item's group, for caps of windows."""
    for place in range(len(acting.caps)):
        rule = acting.caps[place]
        if rules.numbers[rule, 1] > 0:
            _count(pool.codes[rules.grouping[rule]], draft.sizes[rule], count)


@compiled
def _count(codes: Int32Array, sizes: Int64Array, count: int) -> None:
    for column in range(count):
        size = 0
        for other in range(count):
            size += codes[other] == codes[column]
        sizes[column] = size


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
def forbids(
    codes: Int32Array, taken: Int64Array, slots: Int64Array, column: int, slot: int, most: int, window: int
) -> bool:
    """Whether a cap forbids an item in a slot that is still open.

    Args:
        codes: int32 [D], groups of the items.
        taken: int64 [D], how many items of each one's group are listed or pinned.
        slots: int64 [k], the items in the list.
        column, slot: the item and the slot.
        most, window: of the cap; a window of 0 is the whole list.
    """
    if codes[column] == NO_GROUP or taken[column] < most:
        return False
    return window == 0 or _is_full(codes, slots, codes[column], slot, most, window)


@compiled
def _is_full(codes: Int32Array, slots: Int64Array, code: int, slot: int, most: int, window: int) -> bool:
    """Whether a window that the slot lies in holds all that it may of a group, pins behind the slot included."""
    held, first = 0, max(slot - window + 1, 0)
    for end in range(first, min(slot + window, len(slots))):  # the window's last slot, and those before it
        held += slots[end] != NOTHING and codes[slots[end]] == code
        if end - window >= first:
            held -= slots[end - window] != NOTHING and codes[slots[end - window]] == code
        if held >= most:
            return True
    return False


@compiled
def write_fitting(slot: int, count: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft) -> tuple[int, int]:
    """Write which items fit into a slot; how many do, and how many fit into any slot at all."""
    fits, slots, states = draft.fits, draft.slots, draft.states
    for column in range(count):
        fits[column] = states[column] == FREE
    left = 0
    for windows in (False, True):
        for place in range(len(acting.caps)):
            rule = acting.caps[place]
            most, window = int(rules.numbers[rule, 0]), int(rules.numbers[rule, 1])
            if (window > 0) == windows:
                codes, taken = pool.codes[rules.grouping[rule]], draft.taken[rule]
                for column in range(count):
                    # Asked for here as in `forbids`: a call for every item would cost more than all the rest.
                    if fits[column] and taken[column] >= most and codes[column] != NO_GROUP:
                        fits[column] = windows and not _is_full(codes, slots, codes[column], slot, most, window)
        if not windows:
            for column in range(count):
                left += fits[column]
    found = 0
    for column in range(count):
        found += fits[column]
    return found, left


@compiled
def write_forbidden(chosen: int, slot: int, rules: RuleTable, acting: Acting, pool: Pool, draft: Draft) -> None:
    """Note the caps for which items of higher utility than the chosen one were passed over."""
    order, fits, slots, states = pool.order, draft.fits, draft.slots, draft.states
    for place in range(len(acting.caps)):
        rule = acting.caps[place]
        most, window = int(rules.numbers[rule, 0]), int(rules.numbers[rule, 1])
        codes, taken, passed = pool.codes[rules.grouping[rule]], draft.taken[rule], draft.passed[rule]
        position = 0
        while order[position] != chosen:
            column = order[position]
            is_out = states[column] == FREE and not fits[column]
            if is_out and forbids(codes, taken, slots, column, slot, most, window):
                draft.moving[slot, rule] = passed[column] = True
            position += 1


@compiled
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
            codes, taken, sizes = pool.codes[rules.grouping[rule]], draft.taken[rule], draft.sizes[rule]
            most, window = int(rules.numbers[rule, 0]), int(rules.numbers[rule, 1])
            for position in range(count):
                column = pool.order[position]
                needed = sizes[column] - taken[column] - spare
                if needed > 0 and draft.candidates[column] and codes[column] != NO_GROUP:
                    room = _room_after(slot, column, needed, codes, draft.slots, draft.pins, most, window)
                    if needed - room > worst:
                        worst, chosen, cap = needed - room, column, rule
    return chosen, cap


@compiled
def _room_after(
    slot: int,
    column: int,
    needed: int,
    codes: Int32Array,
    slots: Int64Array,
    pins: Int64Array,
    most: int,
    window: int,
) -> int:
    """How many items of the group, `needed` at most, the slots behind this one may hold if this one has none.

    The slots are filled with them one by one to see it, and emptied again.
    """
    room = 0
    for later in range(slot + 1, len(slots)):
        is_open = room < needed and slots[later] == NOTHING
        if is_open and not _is_full(codes, slots, codes[column], later, most, window):
            slots[later] = column
            room += 1
    for later in range(slot + 1, len(slots)):
        slots[later] = pins[later]
    return room


@compiled
def narrow(codes: Int32Array, column: int, count: int, candidates: BoolArray) -> None:
    """Leave the candidates of an item's group alone."""
    for other in range(count):
        candidates[other] = candidates[other] and codes[other] == codes[column]
