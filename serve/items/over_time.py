"""How often an item was chosen, over time."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from recsys.core.queries import NO_ITEM
from recsys.core.types import Int64Array
from serve.bundles.loaded import LoadedBundle
from serve.items.answers import Period, PeriodCount, PopularityResponse
from serve.parts import Parts

MOST_PERIODS = 60


class _Calendar(NamedTuple):
    """Periods of `size` units of NumPy's calendar, of which the one that 1970 begins in has begun `shift` before."""

    unit: str
    size: int
    shift: int = 0

    def numbers(self, times: Int64Array) -> Int64Array:
        """The number of the period of each time, in seconds since 1970."""
        units = times.astype("datetime64[s]").astype(f"datetime64[{self.unit}]").astype(np.int64)
        return np.asarray((units + self.shift) // self.size, np.int64)

    def starts(self, numbers: Int64Array) -> list[str]:
        """The first day of each period."""
        days = (numbers * self.size - self.shift).astype(f"datetime64[{self.unit}]").astype("datetime64[D]")
        return [str(day) for day in days]


_CALENDARS: Final[dict[Period, _Calendar]] = {
    "day": _Calendar("D", 1),
    "week": _Calendar("D", 7, shift=3),  # 1970 began on a Thursday
    "month": _Calendar("M", 1),
    "quarter": _Calendar("M", 3),
    "year": _Calendar("M", 12),
}


def popularity_over_time(parts: Parts, loaded: LoadedBundle, item_id: str) -> PopularityResponse | None:
    """The interactions of an item by period; None if there is no such item, or none any more."""
    live, row = parts.live_items.known.items.get(item_id), loaded.bundle.catalogue.item_row(item_id)
    if (row is None and live is None) or (live is not None and live.change.deleted):
        return None
    histories = loaded.bundle.histories
    times = np.asarray(histories.timestamps[histories.items == (NO_ITEM if row is None else row)], np.int64)
    period, counts = counted(times, loaded.last_interaction)
    return PopularityResponse(item_id=item_id, period=period, counts=counts, bundle=loaded.info)


def counted(times: Int64Array, until: int) -> tuple[Period, list[PeriodCount]]:
    """Times [T] by the shortest periods of which there are not too many, from the first time to `until`.

    Years may be more. Times and `until` are seconds since 1970, in UTC.
    """
    if not len(times):
        return "month", []
    ends = np.array([times.min(), max(until, int(times.max()))], np.int64)
    for period, calendar in _CALENDARS.items():
        first, last = calendar.numbers(ends).tolist()
        if last - first < MOST_PERIODS or period == "year":
            break
    counts = np.bincount(calendar.numbers(times) - first, minlength=last - first + 1)
    starts = calendar.starts(np.arange(first, last + 1))
    return period, [PeriodCount(start, count) for start, count in zip(starts, counts.tolist(), strict=True)]
