"""Dates of users as files write them, such as when somebody signed up or was born."""

from __future__ import annotations

import math

import msgspec

from recsys.core.events import END_OF_TIME
from recsys.core.values.missing import is_missing
from recsys.core.values.times import UNIT_NAMES, TimeUnit, parse_time, unit_of
from recsys.prepare.value_settings import ValueConfig

EARLIEST_YEAR = 1870  # nobody living was born before
_EARLIEST = (EARLIEST_YEAR - 1970) * 365.25 * 86_400


class DateReader:
    """Reads one column of dates by the settings that times of events are read by."""

    def __init__(self, config: ValueConfig) -> None:
        self._config = config

    def read(self, raw: object) -> int | None:
        """Whole seconds since 1970, negative before it; None where there is no date.

        Raises:
            ValueError: it is not understood.
        """
        if raw is None or raw is msgspec.UNSET or (isinstance(raw, str) and is_missing(raw)):
            return None
        if isinstance(raw, bool) or not isinstance(raw, str | int | float):
            raise ValueError(f"{str(raw)[:60]!r} is no date")
        seconds = parse_time(str(raw), self._config.time_rules(self._unit(raw)))
        if not _EARLIEST <= seconds < END_OF_TIME:
            raise ValueError(f"expected a date from {EARLIEST_YEAR} to 2242, got {str(raw)[:60]!r}")
        return math.floor(seconds)

    def _unit(self, raw: str | float) -> TimeUnit:
        """The unit of a plain number; of numbers that tell none, seconds."""
        if self._config.time_unit in UNIT_NAMES:
            return self._config.time_unit
        try:
            return unit_of(float(raw)) or "s"
        except ValueError:
            return "s"
