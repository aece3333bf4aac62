"""Pools of items that tests arrange by rules, and a plain second opinion on the lists."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.pipeline.arrange import Arranged
from recsys.pipeline.recommendations import Recommendations
from recsys.rules.arranging import ArrangingAction, ArrangingRule, ArrangingRules
from recsys.rules.rule import Action

_ACTION: TypeAdapter[Any] = TypeAdapter(Action)


def action(kind: str, **numbers: Any) -> ArrangingAction:
    """An action by its type; groups are given by array, so `by` may be anything."""
    by = {"by": "brand"} if kind in {"cap", "calibrate"} else {}
    made: ArrangingAction = _ACTION.validate_python({"type": kind, **by, **numbers})
    return made


@dataclass
class Shop:
    """One query, whose pool are the items 0, 1, ... with the given scores, popular ones last; arrays are of all items.

    Attributes:
        scores: of the pool, ranked ones first.
        popular: how many of the pool are popular ones.
        rules: (action, items or None, groups or None), highest priority first.
    """

    scores: list[float]
    rules: list[tuple[ArrangingAction, list[bool] | None, list[int] | None]]
    popular: int = 0
    prices: list[float] = field(default_factory=list)
    mean_price: float = math.nan
    vectors: list[list[float]] = field(default_factory=list)
    history: list[int] = field(default_factory=list)
    items: int = 0

    def __post_init__(self) -> None:
        self.items = max(self.items, len(self.scores), *(item + 1 for item in self.history), len(self.prices), 1)
        self.prices = [*self.prices, *[math.nan] * (self.items - len(self.prices))]
        self.vectors = [*self.vectors, *[[1.0, 0.0]] * (self.items - len(self.vectors))]

    def arranged(self, k: int, copies: int = 1, padding: int = 2, after: Sequence[int] = ()) -> Arranged:
        """The lists of as many equal queries; `after`: columns that they begin with."""
        rules = [
            ArrangingRule(index, made, _array(items, np.bool_, self.items), _array(groups, np.int32, self.items))
            for index, (made, items, groups) in enumerate(self.rules)
        ]
        vectors = np.array(self.vectors, np.float32)
        ready = ArrangingRules.of(rules, len(rules), np.array(self.prices, np.float32), vectors)
        active = np.ones((copies, len(rules)), np.bool_)
        arrangement = ready.arrangement(active, np.full(copies, self.mean_price))
        assert arrangement is not None
        if len(after):
            arrangement = arrangement.after(np.tile(np.array(after, np.int64), (copies, 1)))
        return arrangement.choose(self.queries(copies), self.pool(copies, max(k, len(self.scores)) + padding), k)

    def queries(self, copies: int) -> Queries:
        rows = np.repeat(np.arange(copies), len(self.history))
        histories = Histories.from_rows(copies, rows, np.tile(self.history, copies), np.zeros(len(rows)))
        return Queries(histories, np.full(copies, NO_ITEM, np.int32), np.zeros(copies, np.int64))

    def pool(self, copies: int, width: int) -> Recommendations:
        count = len(self.scores)
        items = np.full((copies, width), NO_ITEM, np.int32)
        items[:, :count] = np.arange(count)
        scores = np.full((copies, width), -np.inf, np.float32)
        scores[:, :count] = self.scores
        popular = np.zeros((copies, width), np.bool_)
        popular[:, count - self.popular : count] = True
        proposed = np.zeros((*items.shape, 0), np.bool_)
        return Recommendations(items, scores, scores, None, proposed, (), "ranker", popular, {}, {})

    def list_of(self, k: int) -> list[int]:
        """The items of the list."""
        return [column for column in self.arranged(k).columns[0].tolist() if column >= 0]

    def movers(self, k: int) -> list[set[int]]:
        """By slot, the rules that moved its item."""
        arranged = self.arranged(k)
        length = int((arranged.columns[0] >= 0).sum())
        return [set(np.flatnonzero(row).tolist()) for row in arranged.moved_by[0, :length]]


def _array(values: list[Any] | None, dtype: Any, size: int) -> Any:
    if values is None:
        return None
    filler = [False if dtype is np.bool_ else -1] * (size - len(values))
    return np.array([*values, *filler], dtype)


# The second opinion. It follows docs/rules.md, on plain lists.


def utilities(shop: Shop) -> tuple[list[float], list[bool]]:
    """Of each item of the pool: its utility with all score changes, and whether it is buried."""
    ranked = np.array(shop.scores[: len(shop.scores) - shop.popular], np.float32).astype(float)
    deviation = float(ranked.std()) if len(ranked) and ranked.max() > ranked.min() else 1.0
    worth = [(score - float(ranked.mean())) / deviation for score in ranked.tolist()]
    lowest = min(worth, default=0.0)
    worth += [lowest - (place + 1) / shop.popular for place in range(shop.popular)]
    buried = [False] * len(worth)
    for item in range(len(worth)):
        ours = [made for made, items, _ in shop.rules if items is None or items[item]]
        worth[item] += min(3.0, sum(made.by for made in ours if made.type == "boost"))
        buried[item] = any(made.type == "bury" for made in ours)
        for kind in ("upsell", "price_fit"):
            acting = next(((made, items) for made, items, _ in shop.rules if made.type == kind), None)
            if acting is None or not (acting[1] is None or acting[1][item]):
                continue
            dearer = float(np.float32(shop.prices[item])) / shop.mean_price
            if math.isnan(dearer):
                continue
            made = acting[0]
            if kind == "upsell":
                worth[item] += made.factor * made.weight * min(max(math.log(dearer), 0), math.log(made.most))
            else:
                worth[item] -= made.weight * max(0, math.log(dearer / made.tolerance))
    return worth, buried


def keeps_caps(shop: Shop, slots: list[int | None]) -> bool:
    """Whether a list, None where a slot is open, keeps all caps."""
    for made, items, groups in shop.rules:
        if made.type != "cap":
            continue
        codes = [_group(item, items, groups) for item in slots]
        window = made.window or len(slots)
        for start in range(max(1, len(slots) - window + 1)):
            counts = Counter(code for code in codes[start : start + window] if code is not None)
            if counts and max(counts.values()) > made.most:
                return False
    return True


def divergence(shop: Shop, listed: list[int], by: int) -> float:
    """Steck's divergence of a list from the history's mix, for the rule `by`."""
    _, items, groups = shop.rules[by]
    wanted = Counter(code for item in shop.history if (code := _group(item, items, groups)) is not None)
    given = Counter(code for item in listed if (code := _group(item, items, groups)) is not None)
    total, size = 0.0, max(sum(given.values()), 1)
    for code, count in wanted.items():
        share = count / sum(wanted.values())
        total += share * math.log(share / (0.99 * given[code] / size + 0.01 * share))
    return total


def calibration_loss(shop: Shop, item: int, listed: list[int], by: int) -> float:
    """What calibration takes off the worth of listing an item next."""
    made, items, groups = shop.rules[by]
    known = [code for bought in shop.history if (code := _group(bought, items, groups)) is not None]
    is_latest = bool(known) and _group(item, items, groups) == known[-1]
    differing = divergence(shop, [*listed, item], by) / math.log(100)
    return made.weight * (len(listed) + 1) * differing + (1 - made.weight) * is_latest * made.latest / 3


def likeness(shop: Shop, item: int, listed: list[int], by: int) -> float:
    """Cosine to the most similar listed item; 0 where none is listed, or the rule of variety does not act on it."""
    of_rule = shop.rules[by][1]
    if of_rule is not None and not of_rule[item]:
        return 0
    vectors = np.array(shop.vectors, np.float16).astype(float)
    lengths = np.linalg.norm(vectors, axis=1)
    return max(
        (float(vectors[item] @ vectors[other] / (lengths[item] * lengths[other])) for other in listed), default=0
    )


def worth_of(shop: Shop, item: int, listed: list[int], utility: float) -> float:
    """What it is worth to list an item next."""
    value = utility / 3
    calibration = next((place for place, rule in enumerate(shop.rules) if rule[0].type == "calibrate"), None)
    if calibration is not None and shop.rules[calibration][0].weight > 0:  # without weight it does nothing
        value = (1 - shop.rules[calibration][0].weight) * value - calibration_loss(shop, item, listed, calibration)
    mmr = next((place for place, rule in enumerate(shop.rules) if rule[0].type == "mmr"), None)
    if mmr is not None:
        weight = shop.rules[mmr][0].weight
        value = (1 - weight) * value - weight * likeness(shop, item, listed, mmr)
    return value


def _group(item: int | None, items: list[bool] | None, groups: list[int] | None) -> int | None:
    if item is None or groups is None or item >= len(groups) or groups[item] < 0:
        return None
    return groups[item] if items is None or items[item] else None
