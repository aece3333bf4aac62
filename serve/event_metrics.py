"""Prometheus metrics of events, and of what is told of lists."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

_LAGS = (0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 86_400.0, 604_800.0)


class EventMetrics:
    """A method for each thing that is counted."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Counter(
            "recsys_events", "Events received, duplicates among them.", ["event_type"], registry=registry
        )
        self._list_events = Counter(
            "recsys_list_events",
            "Impressions and what else is told of lists received, duplicates among them.",
            ["event_type"],
            registry=registry,
        )
        self._duplicates = Counter("recsys_event_duplicates", "Events that the store had already.", registry=registry)
        self._lag = Histogram(
            "recsys_event_lag_seconds", "From an event to its acceptance.", buckets=_LAGS, registry=registry
        )

    def appended(self, event_type: str, lag_s: float) -> None:
        """An event that the store took so long after it happened."""
        self._events.labels(event_type).inc()
        self._lag.observe(max(lag_s, 0.0))

    def told_of_list(self, event_type: str) -> None:
        """A list event that the store took."""
        self._list_events.labels(event_type).inc()

    def duplicated(self, events: int) -> None:
        """Events that the store had."""
        self._duplicates.inc(events)
