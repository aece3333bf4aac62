"""Acting: which rules act for a query. Their times, conditions on users, and that some exclude each other."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

import numpy as np

from recsys.core.queries import Queries
from recsys.core.types import BoolArray, Float64Array, Int64Array
from recsys.rules.columns import Columns
from recsys.rules.expressions import Condition, ContextValue, evaluate
from recsys.rules.ready import ReadyRule
from recsys.rules.rule import Calibrate, Mmr, Pin, PriceFit, Repurchase, Rule, Upsell

Context = Mapping[str, ContextValue]


@dataclass(frozen=True)
class _Asked:
    """A condition.

    Attributes:
        condition: see above.
        columns: int64, of the rules that have it.
        of_context: whether it reads nothing but the context.
    """

    condition: Condition
    columns: Int64Array
    of_context: bool


@dataclass(frozen=True)
class Acting:
    """When R rules act.

    Attributes:
        begins, ends: float64 [R], seconds since 1970, infinite where a rule has no bound; None where none has any.
        conditions: distinct conditions, and the columns of the rules that have them.
        exclusive: columns of rules of which one alone acts, the first that would.
        possible: bool [R], rules that are not out already.
    """

    begins: Float64Array | None
    ends: Float64Array | None
    conditions: tuple[_Asked, ...]
    exclusive: tuple[Int64Array, ...]
    possible: BoolArray

    @classmethod
    def of(cls, rules: Sequence[ReadyRule]) -> Self:
        """Of rules in the order of their priority."""
        begins = np.array([_seconds(one.rule.valid_from, -np.inf) for one in rules])
        ends = np.array([_seconds(one.rule.valid_to, np.inf) for one in rules])
        always = not (np.isfinite(begins).any() or np.isfinite(ends).any())
        whens = {one.when.text: (one.when, one.for_any_time_and_user) for one in rules if one.when is not None}
        texts = [one.when and one.when.text for one in rules]
        conditions = [
            _Asked(condition, np.array([column for column, other in enumerate(texts) if other == text]), of_context)
            for text, (condition, of_context) in whens.items()
        ]
        rivals: dict[Hashable, list[int]] = {}
        for column, one in enumerate(rules):
            if (kind := exclusive_kind(one.rule)) is not None:
                rivals.setdefault(kind, []).append(column)
        return cls(
            None if always else begins,
            None if always else ends,
            tuple(conditions),
            tuple(np.array(columns) for columns in rivals.values() if len(columns) > 1),
            np.ones(len(rules), np.bool_),
        )

    def given(self, context: Context, nobody: Columns) -> Self:
        """What is left to say when the context is known, which alone settles some conditions.

        Args:
            context: of the request.
            nobody: fields of one user of whom nothing is known.
        """
        possible = self.possible.copy()
        for asked in self.conditions:
            if asked.of_context:
                possible[asked.columns] &= evaluate(asked.condition, nobody, 0.0, context).true
        left = tuple(asked for asked in self.conditions if not asked.of_context)
        return replace(self, possible=possible, conditions=left)

    def any_valid(self, now: int) -> bool:
        """Whether a rule is valid at a time, in seconds since 1970, whomever it is for."""
        if self.begins is None or self.ends is None:
            return bool(len(self.possible))
        return bool(((self.begins <= now) & (now < self.ends)).any())

    def active(self, queries: Queries, users: Callable[[], Columns], context: Context) -> BoolArray:
        """Bool [B, R], which rules act for each of B queries; see `meant`."""
        active = self.meant(queries, users, context)
        for columns in self.exclusive:
            among = active[:, columns]
            active[:, columns] = among & (np.cumsum(among, axis=1) == 1)
        return active

    def meant(self, queries: Queries, users: Callable[[], Columns], context: Context) -> BoolArray:
        """Bool [B, R], which rules are for each of B queries, excluded by others or not.

        Args:
            queries: B of them.
            users: their fields; is called where a condition asks.
            context: of the request.
        """
        active = np.repeat(self.possible[None], len(queries), axis=0)
        if self.begins is not None and self.ends is not None:
            now = queries.now[:, None]
            active &= (self.begins <= now) & (now < self.ends)
        for asked in self.conditions:
            among = active[:, asked.columns]
            if among.any():
                true = evaluate(asked.condition, users(), queries.now, context).true
                active[:, asked.columns] = among & true[:, None]
        return active


def exclusive_kind(rule: Rule) -> Hashable | None:
    """What it shares with the rules that it excludes, or is excluded by; None: it goes with all others."""
    match rule.action:
        case Pin(slot=slot):
            return "pin", slot
        case Mmr() | Calibrate() | Upsell() | PriceFit() | Repurchase():
            return rule.action.type
    return None


def _seconds(moment: datetime | None, otherwise: float) -> float:
    return otherwise if moment is None else moment.timestamp()
