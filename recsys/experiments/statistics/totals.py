"""What users did until the end of each day: the sums that statistics are taken of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

import numpy as np

from recsys.core.types import Float64Array, Int64Array
from recsys.experiments.observations import UnitDay

FIELDS: Final = UnitDay._fields[3:]
_KEYS = 3  # unit, variant and day come before the fields


class Totals(NamedTuple):
    """Of one variant, of each user to whom a list was served until the end of a day.

    Attributes:
        sums: (users, fields) in the order of `FIELDS`.
        before: what each user did before the experiment; None where nobody said.
    """

    sums: Float64Array
    before: Float64Array | None

    def of(self, field: str) -> Float64Array:
        """One field of each user."""
        return self.sums[:, FIELDS.index(field)]


@dataclass(frozen=True)
class Rows:
    """The observations of an experiment without users who were in several variants, ready to be added up day by day.

    Attributes:
        variants: names, the control first.
        excluded: users who were served lists of several variants.
        included: users who were served lists of one.
        paired: whether each user is in both variants, as a team of interleaved lists.
        last_day: with an observation; None without any.
    """

    variants: tuple[str, ...]
    excluded: int
    included: int
    paired: bool
    last_day: int | None
    _days: Int64Array
    _units: Int64Array
    _variants: Int64Array
    _values: Float64Array
    _before: Float64Array | None

    def by_day(self) -> Iterator[tuple[int, tuple[Totals, ...]]]:
        """Each day with an observation, in order, and the totals of the variants until its end.

        Teams of interleaved lists have the same users, in the same order.
        """
        units = int(self._units.max(initial=-1)) + 1
        sums = np.zeros((len(self.variants), units, len(FIELDS)))
        lists = FIELDS.index("lists")
        order = np.argsort(self._days, kind="stable")
        for day, rows in groupby(order.tolist(), key=self._days.__getitem__):
            chosen = np.fromiter(rows, np.int64)
            np.add.at(sums, (self._variants[chosen], self._units[chosen]), self._values[chosen])
            served = sums[:, :, lists] > 0
            if self.paired:
                served[:] = served.any(axis=0)
            yield (
                int(day),
                tuple(
                    Totals(of_variant[who], None if self._before is None else self._before[who])
                    for of_variant, who in zip(sums, served, strict=True)
                ),
            )


def read_days(
    days: Sequence[UnitDay], variants: Sequence[str], before: Mapping[str, float] | None, *, paired: bool
) -> Rows:
    """The observations as arrays.

    Args:
        days: in any order.
        variants: names, the control first.
        before: of users what they did before; who is not named did nothing.
        paired: as of `Rows`.

    Raises:
        ValueError: a variant is none of these.
    """
    numbers = {name: number for number, name in enumerate(variants)}
    if unknown := {row.variant for row in days} - numbers.keys():
        raise ValueError(f"expected observations of {', '.join(variants)}, got {min(unknown)!r}")
    served: dict[str, set[str]] = {}
    for row in days:
        if row.lists > 0:
            served.setdefault(row.unit, set()).add(row.variant)
    several = set() if paired else {unit for unit, of in served.items() if len(of) > 1}
    kept = [row for row in days if row.unit in served and row.unit not in several]
    units = {unit: number for number, unit in enumerate(unit for unit in served if unit not in several)}
    return Rows(
        variants=tuple(variants),
        excluded=len(several),
        included=len(units),
        paired=paired,
        last_day=max((row.day for row in kept), default=None),
        _days=np.fromiter(map(attrgetter("day"), kept), np.int64, len(kept)),
        _units=np.fromiter((units[row.unit] for row in kept), np.int64, len(kept)),
        _variants=np.fromiter((numbers[row.variant] for row in kept), np.int64, len(kept)),
        _values=np.array([row[_KEYS:] for row in kept], np.float64).reshape(-1, len(FIELDS)),
        _before=None if before is None else np.fromiter((before.get(unit, 0.0) for unit in units), float, len(units)),
    )
