"""What another order of lists would have been worth, by importance weights and doubly robust.

The estimator is the item-position one (Li et al. 2018, Offline Evaluation of Ranking Policies with Click Models). It
assumes that whether an item is chosen depends on the item and its place, not on what stands at other places. Then those
places of each list count at which the drawn order has what the other order wants there, weighted by one over the chance
of that. Weights are normalised by their sum (Swaminathan and Joachims 2015, The Self-Normalized Estimator for
Counterfactual Learning); a model of clicks takes variance away, and adds no bias if it is wrong (Dudík, Langford and Li
2011, Doubly Robust Policy Evaluation and Learning).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.core.types import Float64Array, Int64Array
from recsys.experiments.findings import Interval
from recsys.experiments.off_policy.click_model import expected_clicks
from recsys.experiments.off_policy.drawn_lists import DrawnList, Lists, read_lists
from recsys.experiments.off_policy.support import Refusal, effective_lists, is_supported, refusals
from recsys.experiments.statistics.contrasts import error_of, mean_by_user
from recsys.experiments.statistics.sequences import fixed_multiplier


@dataclass(frozen=True, slots=True)
class Worth:
    """Clicks a list, and an interval of them, by user, for one look."""

    clicks: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class OtherOrder:
    """What the other order would have been worth on drawn lists.

    Attributes:
        lists, users: that the estimate is of.
        left_out: lists that are a part of a drawn order (cut), too long (long), or give no support (unsupported).
        effective: unweighted lists that the place with fewest is worth.
        refusals: why there is no estimate; empty: there is one.
        drawn: of the orders as they were drawn.
        weighted: of the other order, by normalised weights alone.
        doubly_robust: of the other order, with a model of clicks; the one to read.
        gain: `doubly_robust` less `drawn`; both are of the same lists, so that its interval is narrower than theirs.
    """

    lists: int
    users: int
    left_out: Mapping[str, int]
    effective: float
    refusals: tuple[Refusal, ...]
    drawn: Worth | None = None
    weighted: Worth | None = None
    doubly_robust: Worth | None = None
    gain: Worth | None = None


def other_order(drawn: Sequence[DrawnList], level: float = 0.05) -> OtherOrder:
    """What the order by other scores would have been worth; no number where support is missing.

    Args:
        drawn: lists whose order was drawn.
        level: of the intervals: 1 less their confidence.

    Raises:
        ValueError: as of `read_lists`.
    """
    read = read_lists(drawn)
    supported = is_supported(read.lists)
    lists = read.lists.only(supported)
    as_wanted = (lists.ranks == np.arange(lists.ranks.shape[1])) & lists.there
    weights = np.where(as_wanted, 1 / lists.chances, 0.0)
    told = OtherOrder(
        lists=len(lists.users),
        users=len(np.unique(lists.users)),
        left_out={"cut": read.cut, "long": read.long, "unsupported": int(np.count_nonzero(~supported))},
        effective=float(effective_lists(weights).min(initial=len(lists.users))),
        refusals=refusals(supported, lists, weights),
    )
    return told if told.refusals else _estimated(told, lists, weights, level)


def _estimated(told: OtherOrder, lists: Lists, weights: Float64Array, level: float) -> OtherOrder:
    nothing = np.zeros_like(lists.clicks)
    clicks, robust = lists.clicks.sum(axis=1), _by_list(lists, weights, *expected_clicks(lists))
    return replace(
        told,
        drawn=_worth(lists.users, clicks, level),
        weighted=_worth(lists.users, _by_list(lists, weights, nothing, nothing), level),
        doubly_robust=_worth(lists.users, robust, level),
        gain=_worth(lists.users, robust - clicks, level),
    )


def _by_list(lists: Lists, weights: Float64Array, shown: Float64Array, wanted: Float64Array) -> Float64Array:
    """(lists,) numbers whose mean is the estimate, and whose spread its uncertainty.

    shown, wanted: clicks that a model expects of the items as they stood, and as the other order would put them.
    """
    count, total = lists.there.sum(axis=0), weights.sum(axis=0)
    normalised = weights * (count / total)
    missed = (normalised * (lists.clicks - shown)).sum(axis=0) / count
    by_place = lists.there * (wanted + missed) + normalised * (lists.clicks - shown - missed)
    by_list: Float64Array = by_place.sum(axis=1)
    return by_list


def _worth(users: Int64Array, by_list: Float64Array, level: float) -> Worth:
    """The mean over lists, with users as what is independent of each other."""
    present, numbers = np.unique(users, return_inverse=True)
    lists = np.bincount(numbers, minlength=len(present)).astype(np.float64)
    mean = mean_by_user(np.bincount(numbers, by_list, len(present)).astype(np.float64), lists)
    if mean is None:
        raise ValueError("expected lists, got none")
    reach = fixed_multiplier(level) * error_of(mean)
    return Worth(mean.value, Interval(mean.value - reach, mean.value + reach))
