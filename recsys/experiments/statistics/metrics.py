"""The metrics of experiments, as sums over users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from recsys.core.types import Float64Array
from recsys.experiments.findings import MetricName
from recsys.experiments.statistics.totals import Totals


class MetricSums(NamedTuple):
    """How a metric is made of what users did.

    Attributes:
        numerator: field of `UnitDay`.
        denominator: such a field; None: the metric is a mean over users.
        more_is_better: whether a larger value is the better one.
        of_lists: whether it is of whole lists, which teams of interleaved lists share.
        cut: whether large numerators are cut to a quantile.
    """

    numerator: str
    denominator: str | None
    more_is_better: bool = True
    of_lists: bool = False
    cut: bool = False


METRICS: Final[Mapping[MetricName, MetricSums]] = {
    "ctr": MetricSums("clicks", "impressions"),
    "add_to_cart_rate": MetricSums("carts", "impressions"),
    "conversion_rate": MetricSums("purchases", "impressions"),
    "clicks_per_user": MetricSums("clicks", None),
    "purchases_per_user": MetricSums("purchases", None),
    "revenue_per_user": MetricSums("revenue", None, cut=True),
    "latency_ms": MetricSums("milliseconds", "lists", more_is_better=False, of_lists=True),
    "fallback_rate": MetricSums("fallbacks", "lists", more_is_better=False, of_lists=True),
    "brand_variety": MetricSums("brand_variety", "lists", of_lists=True),
}


class Cut(NamedTuple):
    """Where numerators were cut, and of how many users."""

    at: float
    users: int


def cut_of(variants: Sequence[Totals], field: str, quantile: float) -> Cut | None:
    """Where a quantile cuts a field: of all variants together, of the users who have any of it.

    Most users buy nothing; a quantile of all of them would cut what the few bought to nothing. None where nobody is
    cut.
    """
    values = np.concatenate([totals.of(field) for totals in variants])
    values = values[values > 0]
    if quantile >= 1 or not len(values):
        return None
    at = float(np.quantile(values, quantile))
    users = int(np.count_nonzero(values > at))
    return Cut(at, users) if users else None


def cut_to(numerators: Float64Array, cut: Cut | None) -> Float64Array:
    """The numerators, none above the cut."""
    return numerators if cut is None else np.minimum(numerators, cut.at)
