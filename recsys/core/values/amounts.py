"""Bounds of ratings, prices and quantities."""

from __future__ import annotations

import math
from typing import Final

from recsys.core.events import LARGEST_AMOUNT

# The least and the greatest that there may be.
AMOUNTS: Final = (0, LARGEST_AMOUNT)  # prices, and quantities that a client may send
QUANTITIES: Final = (-LARGEST_AMOUNT, LARGEST_AMOUNT)  # in files, where a negative one tells of pieces that came back
ANY_RATING: Final = (-LARGEST_AMOUNT, LARGEST_AMOUNT)  # where no scale is known


def check_amount(value: float, name: str = "amount") -> float:
    """A price, or a quantity of pieces that a client may send.

    Raises:
        ValueError: it is negative, above `LARGEST_AMOUNT`, infinite or NaN.
    """
    return _check_bounds(value, name, *AMOUNTS)


def check_rating(value: float, rating_range: tuple[float, float]) -> float:
    """A rating on the dataset's scale, which includes both ends.

    Raises:
        ValueError: it lies outside, or is NaN.
    """
    return _check_bounds(value, "rating", *rating_range)


def _check_bounds(value: float, name: str, low: float, high: float) -> float:
    if math.isnan(value) or not low <= value <= high:
        raise ValueError(f"expected a {name} from {low:.12g} to {high:.12g}, got {value:.12g}")
    return value
