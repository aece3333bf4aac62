"""Columns of times as seconds since 1970: most by Arrow, what is written otherwise one by one.

Both ways give the same seconds: `recsys.core.values.times` is the rule, Arrow reads the two ways to write a time that
are usual, whole numbers and ISO 8601 in full.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.core.events import END_OF_TIME
from recsys.core.values.missing import MISSING_WORDS
from recsys.core.values.times import (
    NANOSECONDS,
    START_OF_LOGS,
    TICKS,
    UNIT_NAMES,
    TimeRules,
    TimeUnit,
    is_count,
    is_spreadsheet_day,
    parse_nanoseconds,
    unit_of,
)
from recsys.core.values.zones import named_zone, offset_in
from recsys.prepare.formats.column_texts import Mask, as_mask, numbers_of, read_each, trimmed_texts
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.value_settings import ValueConfig

_DATE: Final = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_CLOCK: Final = r"[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?"
_LOCAL: Final = rf"^{_DATE}(?:{_CLOCK})?$"
_IN_ZONE: Final = rf"^{_DATE}{_CLOCK}(?:Z|[+-](?:0\d|1[0-4]):?[0-5]\d)$"
# Numbers of digits of whole numbers that are no compact dates.
_COUNTS: Final = pa.array([9, 10, 11, 13, 15, 16, 17, 18], pa.int32())
_FLOAT: Final = r"^(?:\d{9,11}|\d{13}|\d{15,18})\.\d*$"
_SAMPLE: Final = 1000
_MISSING: Final = pa.array(sorted(MISSING_WORDS), pa.string())
_NO_DATE: Final = re.compile(r"0000-00-00(?:[T ]00:00(?::00(?:\.0*)?)?)?")


class Times(NamedTuple):
    """The times of a column, row by row.

    Attributes:
        seconds: since 1970, rounded down; 0 where there is no time; of dates before 1970 negative.
        missing: rows that hold no value, or a word for none.
        wrong: rows that hold what is not understood.
        beyond: rows whose number is no time from 1970 to 2242, or is in another unit than the column.
    """

    seconds: npt.NDArray[np.int64]
    missing: Mask
    wrong: Mask
    beyond: Mask


class TimeColumn:
    """The column of times of an input, batch after batch; the first times decide the unit of the numbers."""

    def __init__(self, report: InputReport, config: ValueConfig, unit: TimeUnit | None = None) -> None:
        """Read by the rules of `config`; `unit` overrides its unit, where the file says which it is."""
        self._report, self._config = report, config
        self._typed = unit is not None
        self._counted = unit is not None or config.time_unit != "auto"
        self._in_order = unit is None and config.time_unit == "order"
        units: dict[str, TimeUnit] = {name: name for name in TICKS}
        self._unit: TimeUnit | None = unit or units.get(config.time_unit)
        self._first = min(START_OF_LOGS, config.earliest_time)

    def read(self, column: pa.ChunkedArray | pa.Array) -> Times:
        """The times of a batch of texts."""
        return self._orders(trimmed_texts(column)) if self._in_order else self._times(column)

    def _orders(self, texts: pa.Array) -> Times:
        """Whole numbers that order events, as they are."""
        missing = as_mask(pc.or_kleene(pc.is_null(texts), pc.is_in(pc.utf8_lower(texts), _MISSING)))
        whole = as_mask(pc.match_substring_regex(texts, r"^\d{1,18}(?:\.0*)?$"))
        numbers = np.zeros(len(texts), np.int64)
        digits = pc.replace_substring_regex(texts.filter(pa.array(whole)), r"\.0*$", "")
        numbers[whole] = digits.cast(pa.int64()).to_numpy(zero_copy_only=False)
        self._report.read_as = "numbers that order events"
        return Times(numbers, missing, ~(missing | whole), numbers >= END_OF_TIME)

    def _times(self, column: pa.ChunkedArray | pa.Array) -> Times:
        texts = _without_fractions(trimmed_texts(column))
        seconds = np.zeros(len(texts), np.int64)
        missing = as_mask(pc.is_null(texts))
        wrong = np.zeros(len(texts), bool)
        counts = as_mask(pc.and_(pc.ascii_is_decimal(texts), _fit_64_bits(texts)))
        numbers = texts.filter(pa.array(counts)).cast(pa.int64()).to_numpy(zero_copy_only=False)
        left = ~(missing | counts)
        unit = self._unit_of(numbers, texts, left)
        seconds[counts] = numbers // TICKS[unit]
        self._read_iso(texts, left, seconds)
        if left.any():
            rest = read_each(
                texts.filter(pa.array(left)), partial(_seconds, rules=self._config.time_rules(unit, self._counted))
            )
            seconds[left] = numbers_of(rest.values, rest.codes, np.int64)
            missing[left] = rest.rows_where(rest.missing)
            wrong[left] = rest.rows_where(rest.wrong)
            self._report.explain("timestamp", rest.why_not)
        beyond = ~(missing | wrong) & ((seconds < 0) | (seconds >= END_OF_TIME))
        if beyond.any():  # a date may be one of long ago; what a number counts is not known then
            beyond[beyond] = [not self._typed and is_count(text) for text in texts.filter(pa.array(beyond)).to_pylist()]
        if unit != "s":
            # A file of milliseconds that holds seconds too: those would be times of January 1970.
            beyond |= (seconds > 0) & (seconds < self._first)
        if numbers.size:
            self._report.read_as = f"{UNIT_NAMES[unit]} since 1970"
        return Times(seconds, missing, wrong, beyond)

    def _unit_of(self, numbers: npt.NDArray[np.int64], texts: pa.Array, left: Mask) -> TimeUnit:
        """The unit of plain numbers; seconds where none has been decided and these tell nothing."""
        if self._unit is None:
            shorter = list(filter(None, map(_number_in, texts.filter(pa.array(left))[:_SAMPLE].to_pylist())))
            # A spreadsheet's days have five digits, all of them.
            self._counted = self._counted or bool(numbers.size) or any(not is_spreadsheet_day(n) for n in shorter)
            fitting = Counter(
                {
                    unit: int(np.sum((numbers >= START_OF_LOGS * ticks) & (numbers < END_OF_TIME * ticks)))
                    for unit, ticks in TICKS.items()
                }
            )
            if not fitting.total():
                fitting = Counter(unit for unit in map(unit_of, shorter) if unit)
            if fitting.total():
                self._unit = fitting.most_common(1)[0][0]
                self._report.read_as = f"{UNIT_NAMES[self._unit]} since 1970"
        return self._unit or "s"

    def _read_iso(self, texts: pa.Array, left: Mask, seconds: npt.NDArray[np.int64]) -> None:
        """Read what is ISO 8601 in full; what was read is no longer `left`."""
        for pattern, zone in ((_IN_ZONE, "UTC"), (_LOCAL, None)):
            if not left.any():
                return
            fitting = left & as_mask(pc.match_substring_regex(texts, pattern))
            if not fitting.any():
                continue
            try:
                times = _parsed(texts.filter(pa.array(fitting)), zone)
            except pa.ArrowInvalid:
                continue  # a 30th of February; one by one, the others are read
            seconds[fitting] = times if zone else utc_of(times, self._config.time_zone)
            left &= ~fitting


def _without_fractions(texts: pa.Array) -> pa.Array:
    """Numbers that pandas wrote as floats, 1400000000.0, as whole ones: what is below a second does not count."""
    floats = pc.match_substring_regex(texts, _FLOAT)
    if not pc.any(floats).as_py():
        return texts
    return pc.if_else(floats, pc.replace_substring_regex(texts, r"\.\d*$", ""), texts)


def _fit_64_bits(digits: pa.Array) -> pa.Array:
    """Which whole numbers are no compact dates and fit 64 bits: all of 19 digits that do not begin with a 9."""
    lengths = pc.binary_length(digits)
    fit, longest = pc.is_in(lengths, _COUNTS), pc.equal(lengths, 19)
    return pc.or_(fit, pc.and_(longest, pc.less(digits, "9"))) if pc.any(longest).as_py() else fit


def utc_of(local: npt.NDArray[np.int64], zone_name: str) -> npt.NDArray[np.int64]:
    """Seconds since 1970 of local times that are given as if they were in UTC, see `offset_of`."""
    if zone_name == "UTC":
        return local
    zone = named_zone(zone_name)
    hours, hour_of = np.unique(local // 3600, return_inverse=True)
    first, last = (
        np.array([_offset(int(hour) * 3600 + second, zone) for hour in hours], np.int64) for second in (0, 3599)
    )
    offsets = first[hour_of]
    for row in np.flatnonzero((first != last)[hour_of]):
        offsets[row] = _offset(int(local[row]), zone)
    return local - offsets


def _offset(local: int, zone: ZoneInfo) -> int:
    return int(offset_in(zone, datetime(1970, 1, 1) + timedelta(seconds=local)).total_seconds())


def _seconds(text: str, rules: TimeRules) -> int:
    """Whole seconds since 1970, within 64 bits; what is out of range stays so, MySQL's date for none is 0."""
    if _NO_DATE.fullmatch(text):
        return 0
    return min(max(parse_nanoseconds(text, rules) // NANOSECONDS, -1), END_OF_TIME)


def _parsed(texts: pa.Array, zone: str | None) -> npt.NDArray[np.int64]:
    try:
        micros = texts.cast(pa.timestamp("us", zone))
    except pa.ArrowInvalid:  # more than six digits of a second
        micros = pc.replace_substring_regex(texts, r"\.\d+", "").cast(pa.timestamp("us", zone))
    seconds: npt.NDArray[np.int64] = micros.cast(pa.int64()).to_numpy() // 1_000_000
    return seconds


def _number_in(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
