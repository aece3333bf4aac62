"""What the values of a column are like: how many are missing or differ, and whether they are times or numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.core.values.dates import DateOrder
from recsys.core.values.missing import MISSING_IDS
from recsys.core.values.numbers import DecimalMark, shown_mark
from recsys.inspect.samples import Sample
from recsys.inspect.words import printable
from recsys.prepare.formats.column_texts import Mask, as_mask
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.formats.time_columns import TimeColumn
from recsys.prepare.value_settings import ValueConfig

EXAMPLES = 3
_TIMES_READ = 4000  # of each half of a sample, where they are not written in the usual ways
_NUMBER: Final = r"^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$"
_AMOUNT: Final = r"^[^\d.,+-]{0,4}\s?[+-]?\d{1,3}(?:[.,'\s]?\d{3})*(?:[.,]\d{1,4})?\s?[^\d.,]{0,4}$"
_WHOLE: Final = r"^[+-]?\d+(?:\.0*)?$"
_TIME_LIKE: Final = (
    r"^\d{9,19}(?:\.\d*)?$|^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|^(?:19|20)\d{6}(?:T?\d{4,6}Z?)?$|^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|"
    r"^(?:[A-Za-z]{3,9},? )?\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4}|^[A-Za-z]{3,9} \d{1,2},? \d{4}"
)
_READ_SHARE = 0.9
_MISSING: Final = pa.array(sorted(MISSING_IDS))


@dataclass(frozen=True)
class Times:
    """Times that a column holds.

    Attributes:
        first, last: seconds since 1970 of the earliest and the latest.
        unit: of plain numbers, in words; "" of dates.
        date_order: without which dates cannot be read.
        is_sure: whether the other order does not read them as well.
        read: share of the values that were understood.
        has_days_alone: whether all are at the start of a day.
    """

    first: int
    last: int
    unit: str
    date_order: DateOrder | None
    is_sure: bool
    read: float
    has_days_alone: bool

    @property
    def are_order_numbers(self) -> bool:
        """Whether the numbers are too small for times of this age, and order events at best."""
        return bool(self.unit) and self.last < ValueConfig().earliest_time

    @property
    def settings(self) -> dict[str, Any]:
        """The settings without which they are not read."""
        return {"date_order": self.date_order} if self.date_order else {}


@dataclass
class Column:
    """A column of a sample.

    Attributes:
        name: in the file.
        texts: its values, null where there is none.
        type: of a Parquet file's column; "" where text alone is known.
        extremes: the least and the greatest value of the whole file, where it says them.
    """

    name: str
    texts: pa.Array
    type: str = ""
    extremes: tuple[str, str] | None = None
    _given: pa.Array = field(init=False)

    def __post_init__(self) -> None:
        lower = pc.utf8_lower(self.texts)
        self._given = self.texts.filter(pc.and_not(pc.is_valid(self.texts), pc.is_in(lower, _MISSING)))

    @cached_property
    def lacks(self) -> Mask:
        """Of each row, whether it has no value."""
        return as_mask(pc.is_null(self.texts)) | as_mask(pc.is_in(pc.utf8_lower(self.texts), _MISSING))

    def has_one_of(self, words: Sequence[str]) -> Mask:
        """Of each row, whether its value is one of some words, whatever its case."""
        return as_mask(pc.is_in(pc.utf8_lower(self.texts), pa.array(words)))

    @property
    def missing(self) -> float:
        """Share of rows without a value."""
        return 1 - len(self._given) / max(1, len(self.texts))

    @cached_property
    def distinct(self) -> int:
        """Number of different values."""
        return int(pc.count_distinct(self._given).as_py())

    @cached_property
    def examples(self) -> list[str]:
        """Some different values, the first ones."""
        return [printable(text) for text in list(dict.fromkeys(self._given.slice(0, 1000).to_pylist()))[:EXAMPLES]]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How often each value occurs, the most frequent first."""
        pairs = pc.value_counts(self._given).to_pylist()
        return {pair["values"]: pair["counts"] for pair in sorted(pairs, key=lambda pair: -pair["counts"])}

    @property
    def is_unique(self) -> bool:
        """Whether (nearly) every row has a value of its own."""
        return len(self._given) > 1 and self.distinct >= 0.98 * len(self._given)

    @cached_property
    def mean_length(self) -> float:
        """Characters of a value, on the average."""
        return float(pc.mean(pc.utf8_length(self._given)).as_py() or 0)

    @cached_property
    def numeric(self) -> float:
        """Share of the values that are plain numbers."""
        return self._share(_NUMBER)

    @cached_property
    def whole(self) -> float:
        """Share of the values that are whole numbers."""
        return self._share(_WHOLE)

    @cached_property
    def amounts(self) -> float:
        """Share of the values that may be amounts: numbers, with currencies and marks between digits."""
        return max(self.numeric, self._share(_AMOUNT))

    @cached_property
    def numbers(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Those of the values that are plain numbers."""
        texts = self._given.filter(pc.match_substring_regex(self._given, _NUMBER))
        return np.asarray(texts.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)

    @cached_property
    def decimal_mark(self) -> DecimalMark | None:
        """The decimal mark that the values show; None where they show none, or two."""
        return shown_mark(pc.unique(self._given.slice(0, 5000)).to_pylist())

    @cached_property
    def times(self) -> Times | None:
        """The times that it holds; None where most of its values are none."""
        sample = self._given.slice(0, 2000)
        if not len(sample) or self._share(_TIME_LIKE, sample) < _READ_SHARE:
            return None
        times = _times(self._given)
        if times is None or self.extremes is None:
            return times
        ends, share, _ = _read(pa.array(self.extremes), times.date_order)
        return replace(times, first=int(ends[0]), last=int(ends[1])) if share == 1 else times

    def order_numbers(self) -> Times | None:
        """The times that small whole numbers would be which order events."""
        if self.whole < 1 or not len(self.numbers) or self.numbers.min() < 0:
            return None
        low, high = int(self.numbers.min()), int(self.numbers.max())
        return Times(low, high, "seconds since 1970", None, True, 1.0, False)

    def _share(self, pattern: str, of: pa.Array | None = None) -> float:
        values = self._given if of is None else of
        return float(pc.mean(pc.match_substring_regex(values, pattern)).as_py() or 0) if len(values) else 0.0


def columns_of(sample: Sample) -> list[Column]:
    """The columns of a sample."""
    return [
        Column(name, sample.rows[name].combine_chunks(), sample.types.get(name, ""), sample.extremes.get(name))
        for name in sample.rows.column_names
    ]


def _times(given: pa.Array) -> Times | None:
    """Times as a preparation reads them, with the order of day and month that reads most of them."""
    some = given
    if len(given) > 2 * _TIMES_READ and not pc.all(pc.match_substring_regex(given, r"^\d{9,19}$|^\d{4}-")).as_py():
        some = pa.concat_arrays([given.slice(0, _TIMES_READ), given.slice(len(given) - _TIMES_READ)])
    orders: tuple[DateOrder | None, ...] = (None, "day_first", "month_first")
    readings = {order: _read(some, order) for order in orders[:1]}
    if readings[None][1] < _READ_SHARE:
        readings |= {order: _read(some, order) for order in orders[1:]}
    order = max(readings, key=lambda each: readings[each][1])
    (seconds, share, unit), best = readings[order], readings[order][1]
    if share < _READ_SHARE:
        return None
    is_sure = sum(reading[1] == best for reading in readings.values()) == 1
    return Times(
        int(seconds.min()), int(seconds.max()), unit, order, is_sure, share, bool((seconds % 86_400 == 0).all())
    )


def _read(texts: pa.Array, order: DateOrder | None) -> tuple[Any, float, str]:
    """Seconds since 1970, the share of texts that are times, and the unit of plain numbers."""
    report = InputReport(Path(), "interactions")
    times = TimeColumn(report, ValueConfig(date_order=order)).read(texts)
    sound = ~(times.missing | times.wrong | times.beyond)
    return times.seconds[sound], float(sound.mean()), report.read_as


def day(seconds: int) -> str:
    """A time as a date, with the clock unless it is midnight."""
    time = datetime.fromtimestamp(seconds, UTC)
    return f"{time:%Y-%m-%d}" if seconds % 86_400 == 0 else f"{time:%Y-%m-%d %H:%M}"
