"""Rating statistics of items and users: the features from which the ranking head predicts ratings.

Damped biases after Koren, "Factorization meets the neighborhood" (KDD 2008), section 2.1. The same code
computes the features for training, evaluation and serving.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.dataset.histories import Histories

FEATURES = ("item_bias", "item_log_count", "user_bias", "user_log_count", "user_recent_bias")
RECENCY = 0.9  # weight of a rating relative to the user's next one, in the recent bias: taste and mood drift


@dataclass(frozen=True)
class RatingStatistics:
    """What the training ratings say of each item.

    An item's bias is its mean deviation from the global mean, with `damping` ratings at the mean added. A user's
    bias is the same over the user's history, after the items' biases are subtracted; the recent bias weighs that
    history by recency (Koren, "Collaborative filtering with temporal dynamics", KDD 2009: users drift).

    Attributes:
        global_mean: mean training rating.
        damping: see above.
        item_sums: float64 [N], sum of the item's ratings less the global mean.
        item_counts: float64 [N], number of the item's ratings.
    """

    global_mean: float
    damping: float
    item_sums: NDArray[np.float64]
    item_counts: NDArray[np.float64]

    @classmethod
    def fit(cls, items: NDArray[np.integer], ratings: NDArray[np.floating], n_items: int, damping: float = 5.0) -> Self:
        """Collect the statistics of training interactions.

        Args:
            items: int [T], item rows.
            ratings: float [T], NaN where there is none; at least one rating.
            n_items: size of the catalogue.
            damping: ratings at the mean added to every bias.
        """
        rated = ~np.isnan(ratings)
        if not rated.any():
            raise ValueError("no ratings to fit")
        items, values = items[rated], ratings[rated].astype(np.float64)
        mean = float(values.mean())
        return cls(
            mean,
            damping,
            np.bincount(items, weights=values - mean, minlength=n_items).astype(np.float64),
            np.bincount(items, minlength=n_items).astype(np.float64),
        )

    @property
    def item_biases(self) -> NDArray[np.float64]:
        """float64 [N]."""
        return self._bias(self.item_sums, self.item_counts)

    def features(self, histories: Histories, items: NDArray[np.integer]) -> NDArray[np.float32]:
        """Features [B, K, F] of the items int [B, K] (rows of the catalogue) for users with the given histories."""
        residuals, rated = self._residuals(histories)
        ends = histories.indptr
        user_sums = _running(residuals)[ends[1:]] - _running(residuals)[ends[:-1]]
        user_counts = _running(rated)[ends[1:]] - _running(rated)[ends[:-1]]
        later = np.repeat(_running(rated)[ends[1:]], histories.lengths) - _running(rated)[1:]  # ratings since
        weights = RECENCY**later
        rows = np.repeat(np.arange(len(histories)), histories.lengths)
        recent_sums = np.bincount(rows, weights * residuals, len(histories)).astype(np.float64)
        recent_counts = np.bincount(rows, weights * rated, len(histories)).astype(np.float64)
        of_users = (user_sums, user_counts, recent_sums, recent_counts)
        return self._assemble(
            self.item_sums[items],
            self.item_counts[items],
            *(np.broadcast_to(values[:, None], items.shape) for values in of_users),
        )

    def prefix_features(self, histories: Histories) -> NDArray[np.float32]:
        """Features [T, F] of every interaction, for training: nothing in them knows the rating to predict.

        The user's part comes from the interactions strictly before in the history, the item's part from all
        ratings but this very one. `histories` must be what was fitted.
        """
        residuals, rated = self._residuals(histories)
        own = np.where(rated > 0, histories.ratings - self.global_mean, 0.0)
        starts = np.repeat(histories.indptr[:-1], histories.lengths)
        user_sums = _running(residuals)[:-1] - _running(residuals)[starts]
        user_counts = _running(rated)[:-1] - _running(rated)[starts]
        return self._assemble(
            self.item_sums[histories.items] - own,
            self.item_counts[histories.items] - rated,
            user_sums,
            user_counts,
            _recent(residuals, rated, histories),
            _recent(rated, rated, histories),
        )

    def _assemble(
        self,
        item_sums: NDArray[np.float64],
        item_counts: NDArray[np.float64],
        user_sums: NDArray[np.float64],
        user_counts: NDArray[np.float64],
        recent_sums: NDArray[np.float64],
        recent_counts: NDArray[np.float64],
    ) -> NDArray[np.float32]:
        """The features, in the order of `FEATURES`, on a new last axis."""
        columns = (
            self._bias(item_sums, item_counts),
            np.log1p(item_counts),
            self._bias(user_sums, user_counts),
            np.log1p(user_counts),
            self._bias(recent_sums, recent_counts),
        )
        return np.stack(columns, axis=-1).astype(np.float32)

    def _bias(self, sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Damped mean; 0 without ratings."""
        return sums / np.maximum(counts + self.damping, 1e-9)

    def _residuals(self, histories: Histories) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """For every interaction [T], the rating less global mean and item bias, and 1 if rated; else 0 and 0."""
        rated = ~np.isnan(histories.ratings)
        expected = self.global_mean + self._bias(self.item_sums[histories.items], self.item_counts[histories.items])
        return np.where(rated, histories.ratings - expected, 0.0), rated.astype(np.float64)

    def save(self, folder: Path) -> None:
        """Write into `folder`, which exists."""
        np.save(folder / "item_sums.npy", self.item_sums)
        np.save(folder / "item_counts.npy", self.item_counts)
        scalars = {"global_mean": self.global_mean, "damping": self.damping}
        (folder / "ratings.json").write_text(json.dumps(scalars), "utf8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        scalars = json.loads((folder / "ratings.json").read_text("utf8"))
        return cls(
            **scalars, item_sums=np.load(folder / "item_sums.npy"), item_counts=np.load(folder / "item_counts.npy")
        )


def _recent(values: NDArray[np.float64], rated: NDArray[np.float64], histories: Histories) -> NDArray[np.float64]:
    """[T], sum of the `values` strictly before in the history, weighted by RECENCY to the ratings since."""
    sums = np.zeros(len(values))
    running = np.zeros(len(histories))
    for step in range(int(histories.lengths.max(initial=0))):
        rows = np.flatnonzero(histories.lengths > step)
        places = histories.indptr[rows] + step
        sums[places] = running[rows]
        running[rows] = np.where(rated[places] > 0, RECENCY * running[rows] + values[places], running[rows])
    return sums


def _running(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """[T + 1], sum of all values before each place."""
    return np.concatenate([np.zeros(1), np.cumsum(values)])
