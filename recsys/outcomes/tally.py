"""Counting outcomes, many lists at once, in memory that does not grow with their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

import numpy as np

from recsys.core.events import FEEDBACK
from recsys.core.types import Float64Array, Int64Array
from recsys.outcomes.attribution import Outcome
from recsys.outcomes.dimensions import (
    Dimension,
    Value,
    details_of,
    is_of_items,
    item_values,
    list_values,
    order_of,
    team_values,
)
from recsys.outcomes.intervals import Rate, rate
from recsys.outcomes.tables import OutcomeRow
from recsys.store import Served

UNIT_GROUPS: Final = 1024
"""Users are put into so many groups by a hash of their ids: sums of groups vary as those of users do, and need no
memory for each user. Of fewer users nearly everyone is a group."""
MAX_VALUES: Final = 200
OTHERS: Final = "(others)"
"""The value under which further ones are counted, where a dimension has more than `MAX_VALUES`."""
LISTS_AT_ONCE: Final = 500

_KINDS: Final = ("impression", "click", "cart", "purchase", "refund", "explanation_open", *FEEDBACK)
_COLUMN: Final = {kind: number for number, kind in enumerate(_KINDS)}
_SERVED, _UNSEEN, _UNPRICED, _REVENUE, _LISTS = range(len(_KINDS), len(_KINDS) + 5)
_COLUMNS: Final = len(_KINDS) + 5
_MEASURED: Final = (_SERVED, *(_COLUMN[kind] for kind in ("impression", "click", "cart", "purchase")))
"""Columns that are summed up for each group of users, since there are intervals of their rates."""
_SIGN: Final = {"purchase": 1.0, "refund": -1.0}


@dataclass(slots=True)
class _Groups:
    """Sums of one dimension by value."""

    numbers: dict[Value, int] = field(default_factory=dict)
    sums: Float64Array = field(default_factory=lambda: np.zeros((0, _COLUMNS)))
    measured: Float64Array = field(default_factory=lambda: np.zeros((0, UNIT_GROUPS, len(_MEASURED))))

    def number(self, value: Value) -> int:
        """Of the row of a value."""
        known = self.numbers.get(value)
        if known is None:
            kept = value if len(self.numbers) < MAX_VALUES else OTHERS
            known = self.numbers.setdefault(kept, len(self.numbers))
        return known

    def add(self, rows: Int64Array, units: Int64Array, counts: Float64Array) -> None:
        """Add counts [n, columns], of the value in row rows[i] and the group of users units[i]."""
        more = len(self.numbers) - len(self.sums)
        if more:
            self.sums = np.concatenate([self.sums, np.zeros((more, _COLUMNS))])
            self.measured = np.concatenate([self.measured, np.zeros((more, *self.measured.shape[1:]))])
        np.add.at(self.sums, rows, counts)
        np.add.at(self.measured, (rows, units), counts[:, _MEASURED])


class Tally:
    """Sums of outcomes by the values of some dimensions, and altogether."""

    def __init__(self, dimensions: Sequence[Dimension], experiment: str | None = None) -> None:
        """Nothing is counted yet; `experiment`: key of the one whose variants alone are told apart, None: all."""
        self._experiment = experiment
        self._total = _Groups()
        self._by = {dimension: _Groups() for dimension in dimensions}
        self._waiting: list[tuple[Served, list[Outcome]]] = []

    def add(self, served: Served, outcomes: list[Outcome]) -> None:
        """Count a list."""
        self._waiting.append((served, outcomes))
        if len(self._waiting) >= LISTS_AT_ONCE:
            self._count()

    def total(self) -> OutcomeRow:
        """Of all lists."""
        self._count()
        self._total.number(None)
        self._total.add(*(np.zeros(0, np.int64),) * 2, np.zeros((0, _COLUMNS)))
        return _row(None, self._total.sums[0], self._total.measured[0])

    def rows(self, dimension: Dimension) -> tuple[OutcomeRow, ...]:
        """Of each value of a dimension, in their order."""
        self._count()
        groups = self._by[dimension]
        values = sorted(groups.numbers.items(), key=lambda pair: order_of(dimension, pair[0]))
        return tuple(_row(value, groups.sums[number], groups.measured[number]) for value, number in values)

    def _count(self) -> None:
        lists, self._waiting = self._waiting, []
        if not lists:
            return
        batch = _Batch.of(lists)
        self._total.number(None)
        self._total.add(np.zeros(len(lists), np.int64), batch.units, batch.of_lists)
        for dimension, groups in self._by.items():
            if is_of_items(dimension):
                values = [value for served, _ in lists for value in item_values(dimension, served)]
                batch.count_items(groups, range(len(values)), values)
                continue
            pairs = [
                (number, value)
                for number, (served, _) in enumerate(lists)
                for value in self._list_values(dimension, served)
            ]
            batch.count_lists(groups, [number for number, _ in pairs], [value for _, value in pairs])
            if dimension == "variant":
                self._count_teams(groups, batch)

    def _count_teams(self, groups: _Groups, batch: _Batch) -> None:
        """An interleaved list is of no one variant: each item counts for the one that brought it."""
        rows: list[int] = []
        values: list[Value] = []
        start = 0
        for served, _ in batch.lists:
            for place, value in enumerate(team_values(served)):
                if value is not None and self._is_told(value):
                    rows.append(start + place)
                    values.append(value)
            start += len(served.item_ids)
        batch.count_items(groups, rows, values)

    def _list_values(self, dimension: Dimension, served: Served) -> Sequence[Value]:
        values = list_values(dimension, served)
        if dimension == "variant":
            return [value for value in values if value is not None and self._is_told(value)]
        return values

    def _is_told(self, variant: str) -> bool:
        return self._experiment is None or variant.startswith(f"{self._experiment}/")


@dataclass(frozen=True, slots=True)
class _Batch:
    """Lists that are counted together.

    Attributes:
        lists: with their outcomes.
        owners: [items] of each item the number of its list.
        units: [lists] of each list the group of its user.
        of_items: [items, columns]; of_lists: [lists, columns].
    """

    lists: Sequence[tuple[Served, list[Outcome]]]
    owners: Int64Array
    units: Int64Array
    of_items: Float64Array
    of_lists: Float64Array

    @classmethod
    def of(cls, lists: Sequence[tuple[Served, list[Outcome]]]) -> _Batch:
        """Count what came of each item, and of each list."""
        of_items = _counts(lists)
        owners = np.repeat(np.arange(len(lists)), [len(served.item_ids) for served, _ in lists])
        of_lists = np.zeros((len(lists), _COLUMNS))
        np.add.at(of_lists, owners, of_items)
        of_lists[:, _LISTS] = 1
        return cls(lists, owners, np.array([_unit_group(served) for served, _ in lists]), of_items, of_lists)

    def count_lists(self, groups: _Groups, numbers: Sequence[int], values: Sequence[Value]) -> None:
        """Count whole lists, given by their numbers, each with a value."""
        which = np.array(numbers, np.int64)
        groups.add(np.array([*map(groups.number, values)], np.int64), self.units[which], self.of_lists[which])

    def count_items(self, groups: _Groups, numbers: Sequence[int], values: Sequence[Value]) -> None:
        """Count items, given by their numbers, each with a value."""
        which, rows = np.array(numbers, np.int64), np.array([*map(groups.number, values)], np.int64)
        owners, counts = self.owners[which], self.of_items[which]
        # Of each value the first item of a list stands for the list.
        _, first = np.unique(owners * (MAX_VALUES + 1) + rows, return_index=True)
        counts[first, _LISTS] = 1
        groups.add(rows, self.units[owners], counts)


def _unit_group(served: Served) -> int:
    """The group of the user to whom a list was served; a list of nobody known is a user of its own."""
    unit = served.user_id or details_of(served).unit or served.recommendation_id or ""
    return crc32(unit.encode("utf8", "surrogatepass")) % UNIT_GROUPS


def _counts(lists: Sequence[tuple[Served, list[Outcome]]]) -> Float64Array:
    """[items of all lists, columns]: what came of each item."""
    rows: list[int] = []
    columns: list[int] = []
    rest: list[tuple[int, int, float]] = []  # of the few that are more than the number of a kind
    start = 0
    for served, outcomes in lists:
        for outcome in outcomes:
            column = _COLUMN.get(outcome.kind)
            if column is not None:
                rows.append(start + outcome.place)
                columns.append(column)
            if outcome.kind in _SIGN:
                rest.append((start + outcome.place, *_money(outcome)))
        start += len(served.item_ids)
    counts = np.zeros((start, _COLUMNS))
    counts[:, _SERVED] = 1
    counts[rows, columns] = 1
    counts[:, _UNSEEN] = (counts[:, _COLUMN["click"]] > 0) & (counts[:, _COLUMN["impression"]] == 0)
    for row, column, value in rest:
        counts[row, column] += value
    return counts


def _money(outcome: Outcome) -> tuple[int, float]:
    """The column to which a purchase or a refund adds, beside that of its kind, and how much."""
    return (_UNPRICED, 1.0) if outcome.amount is None else (_REVENUE, _SIGN[outcome.kind] * outcome.amount)


def _row(value: Value, sums: Float64Array, measured: Float64Array) -> OutcomeRow:
    def count(kind: str) -> int:
        return int(sums[_COLUMN[kind]])

    served, impressions, clicks, carts, purchases = measured.T

    def by_both(numerators: Float64Array) -> tuple[Rate | None, Rate | None]:
        return rate(numerators, impressions), rate(numerators, served)

    ctr, add_to_cart, conversion = map(by_both, (clicks, carts, purchases))
    return OutcomeRow(
        value=value,
        lists=int(sums[_LISTS]),
        served=int(sums[_SERVED]),
        impressions=count("impression"),
        clicks=count("click"),
        clicks_unseen=int(sums[_UNSEEN]),
        carts=count("cart"),
        purchases=count("purchase"),
        refunds=count("refund"),
        revenue=float(sums[_REVENUE]),
        without_price=int(sums[_UNPRICED]),
        explanation_opens=count("explanation_open"),
        feedback={name: count(name) for name in FEEDBACK if count(name)},
        ctr=ctr[0],
        ctr_served=ctr[1],
        add_to_cart_rate=add_to_cart[0],
        add_to_cart_rate_served=add_to_cart[1],
        conversion_rate=conversion[0],
        conversion_rate_served=conversion[1],
    )
