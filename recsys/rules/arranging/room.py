"""What compiled loops know of a list while they make it. All arrays are written anew for each query of a batch.

A pool's items are named by their columns, rules by their places in the `RuleTable`, slots from 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array

NOTHING, ELSEWHERE = -1, -2
FREE, PINNED, LISTED = 0, 1, 2


class Pool(NamedTuple):
    """The D items of which a list is made.

    Attributes:
        utilities: float64 [D], in units, with all score changes.
        buried: bool [D].
        order: int64 [D], columns: what is not buried first, then by utility, then as they came.
        members: bool [A, D], whether each rule acts on each item.
        changed: bool [A, D], whether each rule changed the utility of each item.
        codes: int32 [G, D], groups of the items.
        directions: float32 [D, V], the items' vectors at a length of 1.
    """

    utilities: Float64Array
    buried: BoolArray
    order: Int64Array
    members: BoolArray
    changed: BoolArray
    codes: Int32Array
    directions: Float32Array


class Draft(NamedTuple):
    """A list of k slots, as far as it is made.

    Attributes:
        slots: int64 [k], the column in each slot, those of pins from the beginning; `NOTHING` where there is none.
        pins, pin_rules: int64 [k], the column that is pinned to each slot, and the rule that does so; `NOTHING` of
            what the list begins with.
        states: int8 [D], `FREE`, `PINNED` to a slot that has not been reached, or `LISTED`.
        taken: int64 [A, D], of each cap: how many items of this one's group are listed or pinned.
        sizes: int64 [A, D], of each cap of windows: how many of the pool's items are of this one's group.
        fits: bool [D], whether an item is free and no cap forbids it in the slot in question.
        candidates: bool [D], those that fit among which the slot's item is chosen.
        worth: float64 [D], what each item would be worth in the slot in question, where variety is asked for.
        likeness: float64 [D], cosine of each item to the most similar one listed; 0 where none is listed, and for items
            that the rule of variety does not act on.
        held: int64 [A], of each promotion: how many of its items are listed.
        ahead: int64 [A], scratch: of each promotion, how many of its items are pinned to the slots looked at.
        wanted: bool [A], which promotions a slot is for.
        moving: bool [k, A], which rules were the reason for what was chosen for a slot.
        passed: bool [A, D], which rules were the reason that an item was passed over.
    """

    slots: Int64Array
    pins: Int64Array
    pin_rules: Int64Array
    states: NDArray[np.int8]
    taken: Int64Array
    sizes: Int64Array
    fits: BoolArray
    candidates: BoolArray
    worth: Float64Array
    likeness: Float64Array
    held: Int64Array
    ahead: Int64Array
    wanted: BoolArray
    moving: BoolArray
    passed: BoolArray


class Mix(NamedTuple):
    """The groups of a history, of which a list is to have the same shares.

    Attributes:
        shares: float64 [S], share of each group in the history.
        listed: int64 [S], how many items of each group are listed.
        gains: float64 [S], scratch: what another item of the group takes off the divergence.
        targets: int64 [D], place of each item's group in `shares`; `ELSEWHERE` for another group, `NOTHING` for none.
        counts: int64 [1], how many items of any group are listed.
        latest: int64 [1], place of the group of the history's latest item that has one.
        divergence: float64 [D], of the list with each item added, as a share of the greatest possible.
        losses: float64 [D], what calibration takes off the worth of each item.
    """

    shares: Float64Array
    listed: Int64Array
    gains: Float64Array
    targets: Int64Array
    counts: Int64Array
    latest: Int64Array
    divergence: Float64Array
    losses: Float64Array


class Acting(NamedTuple):
    """The places of the rules that act for a query, by what they do; `NOTHING` where none does."""

    caps: Int64Array
    promotions: Int64Array
    pins: Int64Array
    upsell: int
    price_fit: int
    mmr: int
    calibration: int


def new_pool(depth: int, rules: int, groupings: int, dimensions: int) -> Pool:
    """Room for the pools of a batch."""
    return Pool(
        np.zeros(depth),
        np.zeros(depth, np.bool_),
        np.zeros(depth, np.int64),
        np.zeros((rules, depth), np.bool_),
        np.zeros((rules, depth), np.bool_),
        np.zeros((groupings, depth), np.int32),
        np.zeros((depth, dimensions), np.float32),
    )


def new_mix(groups: int, depth: int) -> Mix:
    """Room for the mixes of a batch."""
    return Mix(
        np.zeros(groups),
        np.zeros(groups, np.int64),
        np.zeros(groups),
        np.zeros(depth, np.int64),
        np.zeros(1, np.int64),
        np.zeros(1, np.int64),
        np.zeros(depth),
        np.zeros(depth),
    )


def new_draft(k: int, depth: int, rules: int) -> Draft:
    """Room for the lists of a batch."""
    return Draft(
        np.zeros(k, np.int64),
        np.zeros(k, np.int64),
        np.zeros(k, np.int64),
        np.zeros(depth, np.int8),
        np.zeros((rules, depth), np.int64),
        np.zeros((rules, depth), np.int64),
        np.zeros(depth, np.bool_),
        np.zeros(depth, np.bool_),
        np.zeros(depth),
        np.zeros(depth),
        np.zeros(rules, np.int64),
        np.zeros(rules, np.int64),
        np.zeros(rules, np.bool_),
        np.zeros((k, rules), np.bool_),
        np.zeros((rules, depth), np.bool_),
    )
