"""From scores to chances."""

from __future__ import annotations

import numpy as np

from recsys.core.types import Float64Array


def logistic(values: Float64Array) -> Float64Array:
    """1 / (1 + exp(-value)), without overflow."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * values))
