"""Rules that arrange lists as a table that compiled loops read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from recsys.core.types import BoolArray, Float64Array, Int32Array, Int64Array
from recsys.rules.rule import Boost, Bury, Calibrate, Cap, Mmr, Pin, PriceFit, Promote, Upsell

ArrangingAction = Boost | Bury | Pin | Promote | Cap | Mmr | Calibrate | Upsell | PriceFit
Entry = TypeVar("Entry", bound=np.generic)
NO_GROUP = -1
BOOST, BURY, UPSELL, PRICE_FIT, PIN, PROMOTE, CAP, MMR, CALIBRATE = range(9)
_KINDS = {
    Boost: BOOST,
    Bury: BURY,
    Upsell: UPSELL,
    PriceFit: PRICE_FIT,
    Pin: PIN,
    Promote: PROMOTE,
    Cap: CAP,
    Mmr: MMR,
    Calibrate: CALIBRATE,
}


@dataclass(frozen=True)
class ArrangingRule:
    """A rule that arranges lists, made ready for a bundle of N items.

    Attributes:
        index: its column among the R rules of its policy.
        action: what it does.
        items: bool [N], the items that it acts on; None: all of them.
        groups: int32 [N], of a cap or a calibration: code of each item's group, from 0; `NO_GROUP` where it has none.
    """

    index: int
    action: ArrangingAction
    items: BoolArray | None = None
    groups: Int32Array | None = None


class RuleTable(NamedTuple):
    """A rules that arrange, highest priority first.

    Attributes:
        kinds: int64 [A], `BOOST` and so on.
        numbers: float64 [A, 3], see `_numbers`.
        columns: int64 [A], column among the policy's rules.
        members: uint8 [N, ceil(A / 8)], a bit for each rule: whether it acts on the item, the first rule lowest.
        grouping: int64 [A], column of `groups`, -1 for a rule without groups.
        groups: int32 [N, G], code of each item's group; `NO_GROUP` where it has none, or the rule does not act on it.
    """

    kinds: Int64Array
    numbers: Float64Array
    columns: Int64Array
    members: NDArray[np.uint8]
    grouping: Int64Array
    groups: Int32Array


def rule_table(rules: Sequence[ArrangingRule], n_items: int) -> RuleTable:
    """The rules as a table.

    Raises:
        ValueError: an array is not of n_items, or a rule that needs groups has none.
    """
    kinds = [_KINDS[type(rule.action)] for rule in rules]
    members = np.zeros((n_items, -(-len(rules) // 8)), np.uint8)
    grouping = np.full(len(rules), -1)
    groups: list[Int32Array] = []
    columns: dict[tuple[int, int | None], int] = {}  # rules of all items share the column of their groups
    for place, rule in enumerate(rules):
        for array in (rule.items, rule.groups):
            if array is not None and array.shape != (n_items,):
                raise ValueError(f"a rule needs a value for each of {n_items} items, got an array {array.shape}")
        bit = np.uint8(1 << (place & 7))
        members[:, place >> 3] |= bit if rule.items is None else np.where(rule.items, bit, np.uint8(0))
        if kinds[place] in (CAP, CALIBRATE):
            if rule.groups is None:
                raise ValueError(f"a rule of type {rule.action.type} needs groups")
            column = id(rule.groups), None if rule.items is None else place
            if column not in columns:
                columns[column] = len(groups)
                groups.append(rule.groups if rule.items is None else np.where(rule.items, rule.groups, NO_GROUP))
            grouping[place] = columns[column]
    return RuleTable(
        read_only(np.array(kinds, np.int64)),
        read_only(np.array([_numbers(rule.action) for rule in rules], np.float64).reshape(-1, 3)),
        read_only(np.array([rule.index for rule in rules], np.int64)),
        read_only(members),
        read_only(grouping),
        read_only(np.stack(groups, axis=1, dtype=np.int32) if groups else np.zeros((n_items, 0), np.int32)),
    )


def read_only(array: NDArray[Entry]) -> NDArray[Entry]:
    """The array as compiled loops take it, contiguous and not to be written to.

    Loops are compiled anew for arrays that may be written to, and some of these come from files and may not.
    """
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _numbers(action: ArrangingAction) -> tuple[float, float, float]:
    """The numbers that say how much of an action is wanted, as the loops need them."""
    first, second, third = 0.0, 0.0, 0.0
    match action:
        case Boost():
            first = action.by
        case Upsell():
            first, second = action.factor * action.weight, math.log(action.most)
        case PriceFit():
            first, second = action.weight, math.log(action.tolerance)
        case Pin():
            first = action.slot - 1
        case Promote():
            first = action.share
        case Cap():
            first, second = action.most, action.window or 0
        case Mmr():
            first = action.weight
        case Calibrate():
            first, second, third = action.weight, action.latest, float(action.order == "score")
    return first, second, third
