"""The figures of a system's lists: gathered block by block, summed up with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.core.types import Float32Array, Float64Array, Int32Array
from recsys.measure.diversity import Diversity
from recsys.measure.metrics import (
    METRICS,
    Relevant,
    as_lists,
    bootstrap_means,
    interval,
    mean_popularity,
    popularity_lift,
    ranking_metrics,
)
from recsys.measure.protocol import ItemSlice, main_cutoff
from recsys.measure.results import BeyondAccuracy, Estimate, Figures

HEADLINE = ("ndcg", "recall")
"""Metrics of slices, comparisons and everything else that is not the full table."""
_COLUMNS_AT_A_TIME = 48  # bounds the memory of a bootstrap: float64 [users, columns]


class Tally:
    """Figures of one system's lists under one protocol, for U users.

    Attributes:
        figures: metric -> float32 [U]; NaN for a user without relevant items.
        slice_figures: label of an item slice -> the `HEADLINE` metrics at the main cutoff, only the slice's
            items being relevant; NaN for a user who chose none of them.
        shown: cutoff -> bool [n_items], items in at least one user's list.
        popularity: float64 [U], mean train popularity of the list at the main cutoff; NaN for an empty list.
        diversity: float64 [U], of the list at the main cutoff; NaN where nothing can be compared.
    """

    def __init__(
        self,
        n_users: int,
        cutoffs: Sequence[int],
        slices: Sequence[ItemSlice],
        train_counts: NDArray[np.integer],
        diversity: Diversity | None = None,
    ) -> None:
        self._cutoffs, self._slices, self._train_counts, self._diversity = cutoffs, slices, train_counts, diversity
        self._main = main_cutoff(cutoffs)
        self.figures = _empty_figures(n_users, METRICS, cutoffs)
        self.slice_figures = {part.label: _empty_figures(n_users, HEADLINE, [self._main]) for part in slices}
        self.shown = {k: np.zeros(len(train_counts), bool) for k in cutoffs}
        self.popularity = np.full(n_users, np.nan)
        self.diversity = np.full(n_users, np.nan)

    def add(self, rows: slice, ranked: Int32Array, relevant: Relevant) -> None:
        """Count the lists [B, K] of the users in `rows`, best first, against their relevant items."""
        for name, figure in ranking_metrics(ranked, relevant, self._cutoffs).items():
            self.figures[name][rows] = figure
        first = ranked[:, : self._main]
        for part in self._slices:
            figures = ranking_metrics(first, relevant.keep(part.mask[relevant.items]), [self._main])
            for name, column in self.slice_figures[part.label].items():
                column[rows] = figures[name]
        for k in self._cutoffs:
            _, items = as_lists(ranked[:, :k])
            self.shown[k][items] = True
        self.popularity[rows] = mean_popularity(as_lists(first), self._train_counts)
        if self._diversity is not None:
            self.diversity[rows] = self._diversity.of(first)

    def beyond_accuracy(
        self, history_popularity: NDArray[np.floating], target_popularity: NDArray[np.floating]
    ) -> BeyondAccuracy:
        """Coverage, popularity lift and, where it is measured, intra-list diversity.

        Catalogue coverage (Ge et al., 2010, "Beyond Accuracy") is the share of all items in at least
        one list; the lift, see `popularity_lift`, is over the histories and over what users chose.
        """
        return {
            "coverage": {str(k): float(mask.mean()) for k, mask in self.shown.items()},
            "popularity_lift": {
                "histories": popularity_lift(self.popularity, history_popularity),
                "targets": popularity_lift(self.popularity, target_popularity),
            },
            "diversity": mean_of_defined(self.diversity),
        }


def _empty_figures(n_users: int, metrics: Sequence[str], cutoffs: Sequence[int]) -> dict[str, Float32Array]:
    return {f"{metric}@{k}": np.full(n_users, np.nan, np.float32) for metric in metrics for k in cutoffs}


def mean_of_defined(values: NDArray[np.floating]) -> float | None:
    """Mean of the values that are not NaN; None if there are none."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else None


class Summary:
    """Means with 95% intervals of several systems over the same users, resampled together.

    Users without a figure (no relevant items) are left out; they are the same for every system.
    """

    def __init__(self, figures: Mapping[str, Mapping[str, NDArray[np.floating]]], samples: int, seed: int) -> None:
        """Resample `figures`, system -> metric -> [U]."""
        columns = {(system, metric): column for system, table in figures.items() for metric, column in table.items()}
        self._keys = list(columns)
        counted = ~np.isnan(next(iter(columns.values())))
        for column in columns.values():
            counted &= ~np.isnan(column)
        self.users = int(counted.sum())
        self._means: dict[tuple[str, str], float] = {}
        self._draws: dict[tuple[str, str], Float64Array] = {}
        for start in range(0, len(columns) if self.users else 0, _COLUMNS_AT_A_TIME):
            keys = self._keys[start : start + _COLUMNS_AT_A_TIME]
            values = np.column_stack([columns[key][counted] for key in keys]).astype(np.float64)
            self._means |= zip(keys, values.mean(axis=0).tolist(), strict=True)
            # The same seed draws the same users for every part of the columns.
            self._draws |= zip(keys, bootstrap_means(values, samples, seed).T, strict=True)

    def table(self) -> dict[str, Figures]:
        """System -> metric -> mean, low, high; empty without users."""
        result: dict[str, Figures] = {}
        for key in self._keys if self.users else ():
            result.setdefault(key[0], {})[key[1]] = estimate(self._means[key], self._draws[key])
        return result

    def difference(self, system: str, other: str, metric: str) -> Estimate:
        """Mean of the users' differences system - other, with its paired interval."""
        a, b = (system, metric), (other, metric)
        return estimate(self._means[a] - self._means[b], self._draws[a] - self._draws[b])

    def ratio(self, system: str, metric: str, other: Summary) -> Estimate | None:
        """This summary's mean over another's, of other users, with its interval; None where the other is ever zero."""
        key = (system, metric)
        if not (self.users and other.users) or other._means[key] == 0 or (other._draws[key] == 0).any():
            return None
        return estimate(self._means[key] / other._means[key], self._draws[key] / other._draws[key])


def estimate(mean: float, draws: NDArray[np.floating]) -> Estimate:
    """A figure with the 95% percentile interval of its resamples."""
    low, high = interval(draws)
    return {"mean": mean, "low": low, "high": high}
