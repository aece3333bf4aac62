"""Which weights a bundle's data give to the types of events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from recsys.core.events import least_bought
from recsys.core.histories import Histories

EVENT_LOG_FORMATS: Final = frozenset({"events", "store"})


def event_weights(config: Mapping[str, Any]) -> dict[str, float]:
    """The weight of each type that the config of an event log names; none for data of another kind.

    Args:
        config: of a bundle's manifest.
    """
    return dict(config.get("data", {}).get("event_weights", {})) if reads_events(config) else {}


def purchases_in(histories: Histories, config: Mapping[str, Any]) -> Histories:
    """Those of the interactions that are purchases, see `least_bought`; all of them for data of another kind."""
    return histories.where(histories.weights >= np.float32(least_bought(event_weights(config))))


def reads_events(config: Mapping[str, Any]) -> bool:
    """Whether an input is an event log."""
    return not EVENT_LOG_FORMATS.isdisjoint(input_formats(config))


def input_formats(config: Mapping[str, Any]) -> set[str]:
    """Names of the formats of all inputs of interactions."""
    data = config.get("data", {})
    named = [entry.get("format") for entry in data.get("interactions", ()) if isinstance(entry, Mapping)]
    return {name for name in (data.get("format"), *named) if name is not None}
