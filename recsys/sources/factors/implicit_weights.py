"""How much an interaction says of a taste: its event type, what it cost the user, and how many were bought."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recsys.core.histories import Histories
from recsys.core.types import Float64Array


def implicit_weights(
    histories: Histories,
    *,
    prices: NDArray[np.floating] | None = None,
    quantities: NDArray[np.floating] | None = None,
    spending_power: float = 0,
    quantity_power: float = 0,
) -> Histories:
    """The same histories with each weight multiplied by its spending and its quantity ratio, each to a power.

    The spending ratio is the price over the mean of the known prices in the user's history: what is dear for this
    user was chosen with more care. The quantity ratio is the quantity over the mean of the item's known quantities:
    three of what others buy singly says more than three of what all buy by the dozen. Where the price or quantity
    is unknown (NaN, infinite, or not above 0), or the power 0, the ratio counts as 1.

    Args:
        histories: T interactions whose weights are those of the event types.
        prices: float [T], price of each interaction's item; None: unknown.
        quantities: float [T], units bought; None: unknown.
        spending_power: 0 leaves prices out, 1 weighs in proportion to them.
        quantity_power: the same for quantities.

    Raises:
        ValueError: `prices` or `quantities` has another length than the histories.
    """
    users = histories.rows
    weights = histories.weights.astype(np.float64)
    for values, groups, power in ((prices, users, spending_power), (quantities, histories.items, quantity_power)):
        if values is not None and power:
            weights *= _ratio_to_mean(np.asarray(values, np.float64), groups) ** power
    return replace(histories, weights=weights.astype(np.float32))


def _ratio_to_mean(values: Float64Array, groups: NDArray[np.integer]) -> Float64Array:
    """Each value over the mean of the known values of its group; 1 where it is unknown."""
    if values.shape != groups.shape:
        raise ValueError(f"expected one value for each of {len(groups)} interactions, got {len(values)}")
    valid = np.isfinite(values) & (values > 0)
    counts = np.bincount(groups[valid], minlength=int(groups.max(initial=-1)) + 1)
    sums = np.bincount(groups[valid], values[valid], minlength=len(counts))
    ratios = np.ones(len(values))
    ratios[valid] = values[valid] / (sums / np.maximum(counts, 1))[groups[valid]]
    return ratios
