"""Times that were understood and cannot be right: zero for none, long before the shop, in the future."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsys.prepare.formats.column_texts import Mask
from recsys.prepare.formats.reports import MISSING_TIME, TIME_IN_FUTURE, TIME_TOO_EARLY, InputReport
from recsys.prepare.value_settings import ValueConfig


class PlausibleTimes:
    """Tells which times of an input cannot be right, batch after batch.

    Some datasets number their events in the place of times, and so order them. Where most of the first times lie before
    `data.earliest_year`, all of the input are taken for such numbers, and none is too early.
    """

    def __init__(self, report: InputReport, config: ValueConfig) -> None:
        self._report, self._config = report, config
        self._are_dates: bool | None = None

    def faults(self, seconds: npt.NDArray[np.int64]) -> dict[str, Mask]:
        """Which rows to drop, by cause; rows whose time is negative or was not read count for nothing here."""
        given = seconds[seconds > 0]
        early = seconds < self._config.earliest_time
        if self._are_dates is None and len(given):
            self._are_dates = bool(2 * np.count_nonzero(given < self._config.earliest_time) <= len(given))
        if self._are_dates is False:
            self._report.remark(f"times before {self._config.earliest_year}, taken for an order alone", len(given))
            early = np.zeros(len(seconds), bool)
        # Databases and spreadsheets write zero for what they do not know.
        missing = (seconds == 0) & (self._are_dates is not False)
        return {
            MISSING_TIME: missing,
            TIME_TOO_EARLY: early & ~missing,
            TIME_IN_FUTURE: seconds > self._config.latest_second(),
        }
