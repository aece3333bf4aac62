"""Which order of candidates is served: the simplest of several that validation cannot tell from the best.

An order with more settings has more ways to be lucky on validation. So each is judged on users who had no part in
choosing its settings (cross-fitting over users), and a less simple one is taken only where its margin, user by user, is
larger than a part of the margin's standard error: a milder form of the one-standard-error rule of Breiman, Friedman,
Olshen and Stone, "Classification and Regression Trees" (1984), which gave away too much where users are few
(docs/experiments.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.core.types import BoolArray, Float64Array, Int64Array

FEW_USERS = 2000
_FOLDS_OF_FEW, _FOLDS = 5, 2  # more folds leave more users to choose settings on, and cost as much more time
_STREAM = 0xF01D  # of the random numbers of a seed
_Z95 = 1.96
LEAST_MARGIN = 0.5  # standard errors


def fold_count(users: int) -> int:
    """How many folds so many validation users are cut into."""
    return _FOLDS_OF_FEW if users <= FEW_USERS else _FOLDS


def folds_of(n_users: int, folds: int, seed: int) -> Int64Array:
    """The fold of each user of a dataset, int64 [n_users] in 0..folds-1."""
    return np.random.default_rng([seed, _STREAM]).integers(folds, size=n_users)


def others_of(folds: Int64Array, fold: int) -> BoolArray:
    """Which users [U] are of other folds than this one; all of them where there is no other."""
    others: BoolArray = folds != fold
    return others if others.any() else ~others


def cross_fitted(figures: Sequence[NDArray[np.floating]], folds: Int64Array) -> Float64Array:
    """Each user's figure with the variant that is best for the users of the other folds, float64 [U].

    Args:
        figures: [V, U] for each fold, of the V variants that are open to its users, for all U users; of equals the
            first is taken.
        folds: int64 [U].
    """
    fitted = np.zeros(len(folds))
    for fold, of_variants in enumerate(figures):
        mine, others = folds == fold, others_of(folds, fold)
        fitted[mine] = of_variants[int(of_variants[:, others].mean(axis=1).argmax()), mine]
    return fitted


@dataclass(frozen=True)
class Margin:
    """By how much one order is ahead of a simpler one, user by user.

    Attributes:
        order, over: their names.
        mean: of the differences of NDCG.
        error: standard error of the mean; infinite of fewer than two users.
    """

    order: str
    over: str
    mean: float
    error: float

    @classmethod
    def of(cls, order: str, over: str, differences: Float64Array) -> Margin:
        """Of the differences [U]."""
        users = len(differences)
        error = float(differences.std(ddof=1)) / users**0.5 if users > 1 else np.inf
        return cls(order, over, float(differences.mean()) if users else 0.0, error)

    @property
    def taken(self) -> bool:
        """Whether it is ahead by more than `LEAST_MARGIN` of its errors."""
        return self.mean > LEAST_MARGIN * self.error

    def report(self) -> dict[str, Any]:
        """For the manifest, with a 95% interval; None where nothing is known of it."""
        known = np.isfinite(self.error)
        return {
            "order": self.order,
            "over": self.over,
            "mean": self.mean,
            "low": self.mean - _Z95 * self.error if known else None,
            "high": self.mean + _Z95 * self.error if known else None,
            "taken": self.taken,
        }


@dataclass(frozen=True)
class Choice:
    """The order that is served, and why.

    Attributes:
        order: its name.
        figures: mean NDCG of every order that was judged, by name.
        margins: of each combined order over what had been taken before it.
        users: on whom they were judged.
    """

    order: str
    figures: dict[str, float]
    margins: list[Margin]
    users: int

    def report(self, metric: str) -> dict[str, Any]:
        """For the manifest."""
        return {
            "chosen": self.order,
            "metric": metric,
            "users": self.users,
            "figures": self.figures,
            "margins": [margin.report() for margin in self.margins],
        }


def choose(single: Mapping[str, Float64Array], combined: Sequence[tuple[str, Float64Array]]) -> Choice:
    """The best single source, or else the combined order that is ahead of all simpler ones by its least margin.

    Args:
        single: NDCG of each user [U] by the order of each single source; at least one.
        combined: the same of orders made of several, the simplest first, each cross-fitted.
    """
    figures = {name: float(ndcg.mean()) if len(ndcg) else 0.0 for name, ndcg in (*single.items(), *combined)}
    order = max(single, key=figures.__getitem__)
    own, margins = single[order], list[Margin]()
    for name, ndcg in combined:
        margins.append(Margin.of(name, order, ndcg - own))
        if margins[-1].taken:
            order, own = name, ndcg
    return Choice(order, figures, margins, len(own))
