"""Times that were understood and cannot be right: zero for none, long before the shop, in the future."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsys.core.events import END_OF_TIME
from recsys.prepare.formats.column_texts import Mask
from recsys.prepare.formats.reports import MISSING_TIME, TIME_IN_FUTURE, TIME_TOO_EARLY, InputReport
from recsys.prepare.value_settings import ValueConfig

_EARLIEST_YEAR, _LATEST_YEAR = 1990, 2099
_DATE_OR_NUMBER = (
    "looks like a date and is no number of seconds: write dates as 2023-12-31 or 20231231; if such numbers order "
    "events, set data.time_unit: order"
)


class PlausibleTimes:
    """Tells which times of an input cannot be right, batch after batch.

    Some datasets number their events in the place of times, and so order them. Where most of the first times lie before
    `data.earliest_year`, all of the input are taken for such numbers, and none is too early; unless all of the first
    look like dates that begin with their day, their month or two digits of their year: those would order days wrongly.
    """

    def __init__(self, report: InputReport, config: ValueConfig) -> None:
        self._report, self._config = report, config
        self._are_dates: bool | None = False if config.time_unit == "order" else None

    def faults(self, seconds: npt.NDArray[np.int64]) -> dict[str, Mask]:
        """Which rows to drop, by cause; rows whose time was not read count for nothing here."""
        given = seconds[seconds > 0]
        early = seconds < self._config.earliest_time
        if self._are_dates is None and len(given):
            self._are_dates = bool(2 * np.count_nonzero(given < self._config.earliest_time) <= len(given))
            if not self._are_dates and self._config.time_unit == "auto" and _look_like_dates(given):
                self._are_dates = True
                self._report.explain("timestamp", f"{given[0]} {_DATE_OR_NUMBER}")
        if self._are_dates is False:
            if self._config.time_unit != "order":
                self._report.remark(f"times before {self._config.earliest_year}, taken for an order alone", len(given))
            early = seconds < 0
        # Databases and spreadsheets write zero for what they do not know.
        missing = (seconds == 0) & (self._are_dates is not False)
        return {
            MISSING_TIME: missing,
            TIME_TOO_EARLY: early & ~missing,
            TIME_IN_FUTURE: (seconds > self._latest()) | (seconds >= END_OF_TIME),
        }

    def _latest(self) -> float:
        return END_OF_TIME if self._config.time_unit == "order" else self._config.latest_second()


def _look_like_dates(numbers: npt.NDArray[np.int64]) -> bool:
    """Whether all are written as 31122023, 12312023 or 231231; leading zeros may be lost."""
    first, second, year = numbers // 10**6, numbers // 10**4 % 100, numbers % 10**4
    is_year_last = _is_day_and_month(first, second) | _is_day_and_month(second, first)
    is_year_last &= (year >= _EARLIEST_YEAR) & (year <= _LATEST_YEAR)
    is_year_first = _is_day_and_month(numbers % 100, numbers // 100 % 100) & (numbers >= 10**5) & (numbers < 10**6)
    return bool(is_year_last.all() or is_year_first.all())


def _is_day_and_month(day: npt.NDArray[np.int64], month: npt.NDArray[np.int64]) -> Mask:
    return (day >= 1) & (day <= 31) & (month >= 1) & (month <= 12)
