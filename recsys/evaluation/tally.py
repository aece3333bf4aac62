"""What the lists of a system are worth: gathered block by block, summed up with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.evaluation.metrics import (
    METRICS,
    Relevant,
    as_lists,
    bootstrap_means,
    interval,
    mean_popularity,
    popularity_lift,
    ranking_metrics,
)
from recsys.evaluation.protocol import ItemSlice, main_cutoff


class Tally:
    """Figures of one system's lists under one protocol, for U users.

    Attributes:
        figures: metric -> float32 [U]; NaN for a user without relevant items.
        slice_figures: label of an item slice -> the same at the main cutoff, only the slice's items
            being relevant; NaN for a user who chose none of them.
        shown: cutoff -> bool [n_items], items in at least one user's list.
        popularity: float64 [U], mean train popularity of the list at the main cutoff; NaN for an empty list.
    """

    def __init__(
        self,
        n_users: int,
        cutoffs: Sequence[int],
        slices: Sequence[ItemSlice],
        train_counts: NDArray[np.integer],
    ) -> None:
        self._cutoffs, self._slices, self._train_counts = cutoffs, slices, train_counts
        self._main = main_cutoff(cutoffs)
        self.figures = _empty_figures(n_users, cutoffs)
        self.slice_figures = {part.label: _empty_figures(n_users, [self._main]) for part in slices}
        self.shown = {k: np.zeros(len(train_counts), bool) for k in cutoffs}
        self.popularity = np.full(n_users, np.nan)

    def add(self, place: slice, ranked: NDArray[np.int32], relevant: Relevant) -> None:
        """Count the lists [B, K] of the users at `place`, best first, against what they wanted."""
        for name, figure in ranking_metrics(ranked, relevant, self._cutoffs).items():
            self.figures[name][place] = figure
        for part in self._slices:
            wanted = relevant.keep(part.mask[relevant.items])
            for name, figure in ranking_metrics(ranked[:, : self._main], wanted, [self._main]).items():
                self.slice_figures[part.label][name][place] = figure
        for k in self._cutoffs:
            _, items = as_lists(ranked[:, :k])
            self.shown[k][items] = True
        self.popularity[place] = mean_popularity(as_lists(ranked[:, : self._main]), self._train_counts)

    def beyond_accuracy(
        self, history_popularity: NDArray[np.floating], target_popularity: NDArray[np.floating]
    ) -> dict[str, Any]:
        """Coverage and popularity lift.

        Catalogue coverage (Ge et al., 2010, "Beyond Accuracy") is the share of all items in at least
        one list; the lift, see `popularity_lift`, is over the histories and over what users chose.
        """
        return {
            "coverage": {str(k): float(mask.mean()) for k, mask in self.shown.items()},
            "popularity_lift": {
                "histories": popularity_lift(self.popularity, history_popularity),
                "targets": popularity_lift(self.popularity, target_popularity),
            },
        }


def _empty_figures(n_users: int, cutoffs: Sequence[int]) -> dict[str, NDArray[np.float32]]:
    return {f"{metric}@{k}": np.full(n_users, np.nan, np.float32) for metric in METRICS for k in cutoffs}


class Summary:
    """Means with 95% intervals of several systems over the same users, resampled together.

    Users without a figure (no relevant items) are left out; they are the same for every system.
    """

    def __init__(self, figures: Mapping[str, Mapping[str, NDArray[np.floating]]], samples: int, seed: int) -> None:
        """Resample `figures`, system -> metric -> [U]."""
        self._keys = [(system, metric) for system, table in figures.items() for metric in table]
        values = np.column_stack([figures[system][metric] for system, metric in self._keys]).astype(np.float64)
        values = values[~np.isnan(values).any(axis=1)]
        self.users = len(values)
        if self.users:
            self._means = dict(zip(self._keys, values.mean(axis=0), strict=True))
            self._draws = dict(zip(self._keys, bootstrap_means(values, samples, seed).T, strict=True))

    def table(self) -> dict[str, dict[str, dict[str, float]]]:
        """System -> metric -> mean, low, high; empty without users."""
        result: dict[str, dict[str, dict[str, float]]] = {}
        for key in self._keys if self.users else ():
            result.setdefault(key[0], {})[key[1]] = estimate(float(self._means[key]), self._draws[key])
        return result

    def difference(self, system: str, other: str, metric: str) -> dict[str, float]:
        """Mean of the users' differences system - other, with its paired interval."""
        a, b = (system, metric), (other, metric)
        return estimate(float(self._means[a] - self._means[b]), self._draws[a] - self._draws[b])


def estimate(mean: float, draws: NDArray[np.floating]) -> dict[str, float]:
    """A figure with the 95% percentile interval of its resamples."""
    low, high = interval(draws)
    return {"mean": mean, "low": low, "high": high}
