"""What the events of one input are like: how many, from when to when, of which types."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from recsys.core.events import SECONDS_PER_DAY
from recsys.prepare import columns as c


@dataclass
class Tally:
    """Of the events that were read of an input, and not dropped while reading.

    Attributes:
        rows: number of events.
        time_range: the first and the last time, in seconds since 1970; None without events.
        at_midnight: number of events at 00:00:00 UTC.
        event_types: number of events by type; those without a type are not counted.
    """

    rows: int = 0
    time_range: tuple[int, int] | None = None
    at_midnight: int = 0
    event_types: Counter[str] = field(default_factory=Counter)

    def add(self, batch: pa.Table) -> None:
        """Count events, as `Format.interactions` yields them."""
        self.rows += len(batch)
        if not len(batch):
            return
        times = batch[c.TIMESTAMP].to_numpy()
        first, last = int(times.min()), int(times.max())
        low, high = self.time_range or (first, last)
        self.time_range = min(low, first), max(high, last)
        self.at_midnight += int(np.count_nonzero(times % SECONDS_PER_DAY == 0))
        if c.EVENT_TYPE in batch.column_names:
            for entry in batch[c.EVENT_TYPE].value_counts().to_pylist():
                if entry["values"] is not None:
                    self.event_types[entry["values"]] += entry["counts"]

    def to_manifest(self) -> dict[str, Any]:
        """First and last event as ISO 8601 times, and events by type where they have types."""
        if self.time_range is None:
            return {"first_event": None, "last_event": None}
        first, last = map(iso_time, self.time_range)
        types = {"event_types": dict(sorted(self.event_types.items()))} if self.event_types else {}
        return {"first_event": first, "last_event": last, **types}


def iso_time(seconds: int) -> str:
    """A time as 2020-09-13T12:26:40Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
