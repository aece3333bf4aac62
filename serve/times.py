"""Times as answers show them."""

from __future__ import annotations

from datetime import UTC, datetime


def time_text(timestamp: float | None) -> str | None:
    """A time in seconds since 1970 as text; None for none, or what no calendar holds."""
    if timestamp is None:
        return None
    try:
        return datetime.fromtimestamp(timestamp, UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return None


def now_text() -> str:
    """This moment as text, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def exact_time_text(timestamp: float) -> str:
    """A time of this server's clock, in seconds since 1970, to the millisecond."""
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
