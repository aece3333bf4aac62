"""Which weights a bundle's data give to the types of events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from recsys.core.histories import Histories

PURCHASE: Final = "purchase"
EVENT_LOG_FORMATS: Final = frozenset({"events", "store"})


def event_weights(config: Mapping[str, Any]) -> dict[str, float]:
    """The weight of each type that the config of an event log names; none for data of another kind.

    Args:
        config: of a bundle's manifest.
    """
    return dict(config.get("data", {}).get("event_weights", {})) if reads_events(config) else {}


def least_bought(config: Mapping[str, Any]) -> float:
    """Weight from which on an interaction says that an item was bought; 0, so that all do, for data of another kind.

    Where no type is called purchase, the strongest stands for it.
    """
    named = event_weights(config)
    return named.get(PURCHASE, max(named.values(), default=0.0)) if named else 0.0


def purchases_in(histories: Histories, config: Mapping[str, Any]) -> Histories:
    """Those of the interactions that are purchases, see `least_bought`."""
    return histories.where(histories.weights >= np.float32(least_bought(config)))


def reads_events(config: Mapping[str, Any]) -> bool:
    """Whether an input is an event log."""
    return not EVENT_LOG_FORMATS.isdisjoint(input_formats(config))


def input_formats(config: Mapping[str, Any]) -> set[str]:
    """Names of the formats of all inputs of interactions."""
    data = config.get("data", {})
    named = [entry.get("format") for entry in data.get("interactions", ()) if isinstance(entry, Mapping)]
    return {name for name in (data.get("format"), *named) if name is not None}
