"""Returns and removals: which earlier events they take back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

Pair = tuple[int, int, str]
_ROUNDING = 1e-6  # relative: quantities are kept in single precision


class UndoCauses(NamedTuple):
    """Causes for which events are dropped.

    Attributes:
        undone: an event that is taken back whole.
        undoing: an event that takes one back, whole or in part.
        unmatched: one that finds nothing to take back.
    """

    undone: str
    undoing: str
    unmatched: str


RETURNS: Final = UndoCauses("returned", "return", "return_without_purchase")
REMOVALS: Final = UndoCauses("removed_from_cart", "removal_from_cart", "removal_without_add_to_cart")
CAUSES: Final = {"add_to_cart": REMOVALS}


@dataclass
class _Standing:
    """An event that still counts."""

    seq: int
    quantity: float | None

    def satisfies(self, wanted: float | None) -> bool:
        return not wanted or self.quantity is None or self.quantity >= wanted * (1 - _ROUNDING)

    def less(self, taken: float | None) -> float:
        """What is left of it; 0: nothing."""
        if not taken or self.quantity is None or taken >= self.quantity * (1 - _ROUNDING):
            return 0.0
        return self.quantity - taken


@dataclass
class Taken:
    """What returns and removals change.

    Attributes:
        dropped: the `seq` of events that go, by cause.
        left: by `seq`, the quantity that is left of an event of which a part was taken back.
    """

    dropped: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    left: dict[int, float] = field(default_factory=dict)


def take_back(rows: Iterable[tuple[Pair, bool, float | None, int]]) -> Taken:
    """Match events that undo with what they undo.

    Each takes back the latest earlier event of its user, item and type with at least its quantity: the whole event, or
    a part of its quantity; where none has as much, the latest ones that have it together. One without a quantity takes
    the latest event whole; an event without a quantity satisfies every quantity. What finds nothing is dropped alone.

    Args:
        rows: user, item and the type of event that is, or is undone; whether it undoes; its quantity, not negative,
            None or 0 where unknown; its `seq`. Rows of one user, item and type follow each other, oldest first.
    """
    taken = Taken()
    for (_, _, kind), events in groupby(rows, key=itemgetter(0)):
        causes = CAUSES.get(kind, RETURNS)
        standing: list[_Standing] = []  # oldest first
        for _, undoes, quantity, seq in events:
            if undoes:
                is_matched = _undo(standing, quantity, taken, causes)
                taken.dropped[causes.undoing if is_matched else causes.unmatched].append(seq)
            else:
                standing.append(_Standing(seq, quantity or None))
    return taken


def _undo(standing: list[_Standing], quantity: float | None, taken: Taken, causes: UndoCauses) -> bool:
    """Take a quantity off the latest event that has as much, or off the latest that have together; whether it could."""
    for position in reversed(range(len(standing))):
        if standing[position].satisfies(quantity):
            _take(standing, position, quantity, taken, causes)
            return True
    # An event of unknown quantity would have satisfied, so all are known here.
    left = quantity or 0.0
    if not left or sum(event.quantity or 0.0 for event in standing) < left * (1 - _ROUNDING):
        return False
    while standing and left > (quantity or 0.0) * _ROUNDING:
        latest = standing[-1].quantity or 0.0
        _take(standing, len(standing) - 1, min(left, latest), taken, causes)
        left -= latest
    return True


def _take(standing: list[_Standing], position: int, quantity: float | None, taken: Taken, causes: UndoCauses) -> None:
    """Take a quantity off one event, which goes if nothing is left of it."""
    event = standing[position]
    event.quantity = event.less(quantity)
    if event.quantity:
        taken.left[event.seq] = event.quantity
    else:
        del standing[position]
        taken.left.pop(event.seq, None)
        taken.dropped[causes.undone].append(event.seq)
