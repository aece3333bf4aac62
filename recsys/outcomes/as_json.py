"""Outcomes as plain JSON values: what `recsys outcomes --json` prints, and what lies in metrics.json."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from recsys.core.events import SECONDS_PER_DAY
from recsys.outcomes.tables import Outcomes


def as_json(outcomes: Outcomes) -> dict[str, Any]:
    """The outcomes with times as texts; rates are objects of value, low and high.

    Returns:
        since, until, as_of, kept_since, attribution_days, complete, settled, experiment, total, tables (rows by
        dimension), unnamed_lists, unattributed.
    """
    plain: dict[str, Any] = msgspec.to_builtins(outcomes)
    removed, window_s = plain.pop("removed_until"), plain.pop("window_s")
    return {
        **plain,
        "since": _text(outcomes.since),
        "until": _text(outcomes.until),
        "as_of": _text(outcomes.as_of),
        "kept_since": None if removed is None else _text(removed),
        "attribution_days": window_s / SECONDS_PER_DAY,
        "complete": outcomes.complete,
        "settled": outcomes.settled,
    }


def _text(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
