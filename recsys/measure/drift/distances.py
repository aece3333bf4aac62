"""Distances of distributions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.core.types import Float64Array

_HALF = 0.5  # is added to every count, so that an empty bin has a share


def stability_index(then: NDArray[np.number], now: NDArray[np.number]) -> float:
    r"""Population stability index of two histograms over the same bins: \sum (q - p) ln(q / p), at least 0.

    It is the sum of both Kullback-Leibler divergences (Jeffreys, 1946). Below .1 is called stable, from .25 on moved
    (Siddiqi, "Credit Risk Scorecards", 2006). Of samples of n and m from one distribution in B bins it is about
    (B - 1)(1 / n + 1 / m), not 0.

    Args:
        then, now: counts [B].
    """
    p, q = (_shares(np.asarray(counts, np.float64)) for counts in (then, now))
    return float(((q - p) * np.log(q / p)).sum())


def _shares(counts: Float64Array) -> Float64Array:
    smoothed = counts + _HALF
    return np.asarray(smoothed / smoothed.sum())


def equal_bins(values: NDArray[np.number], bins: int) -> Float64Array:
    """Inner edges that cut values into bins of about as many; fewer where many values are the same."""
    edges = np.quantile(np.asarray(values, np.float64), np.arange(1, bins) / bins)
    return np.unique(edges)


def histogram(values: NDArray[np.number], edges: NDArray[np.number]) -> NDArray[np.int64]:
    """Counts [len(edges) + 1] of values between inner edges; a value that equals an edge is above it."""
    places = np.searchsorted(edges, np.asarray(values, np.float64), side="right")
    return np.bincount(places, minlength=len(edges) + 1)
