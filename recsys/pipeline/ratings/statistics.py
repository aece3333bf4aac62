"""Rating statistics of items and users: the features from which the ranking head predicts ratings.

Damped item biases after Koren, "Factorization meets the neighborhood" (KDD 2008), section 2.1, and tastes. The same
code computes the features for training, evaluation and serving.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.core.histories import Histories
from recsys.core.parameters import Number, Parameters, Positive, Weight, read_parameters
from recsys.core.stored_arrays import read_array, require_range
from recsys.core.types import Float32Array, Float64Array
from recsys.pipeline.ratings.factors import RatingFactors
from recsys.pipeline.ratings.kernels import write_features
from recsys.sources.new_items import NewItems

FEATURES = ("item_bias", "item_novelty", "taste", "recent_taste")
PERIODS = 10  # of training, with as many interactions each
TURNS = 3  # more of them move no bias by what matters
HALF_NOVEL = 2.0  # ratings with which an item is half as novel as without


@dataclass(frozen=True)
class RatingStatistics:
    """What the training ratings say of each item, and how to tell a user's tastes from a history.

    An item's bias is the mean of what global mean and tastes leave of its ratings, with `damping` ratings at 0 added.
    A taste is estimated from what global mean and item biases leave of the user's ratings.

    Attributes:
        global_mean: mean training rating.
        damping: see above.
        item_sums: float64 [N], sum of what the global mean and the users' tastes leave of the item's ratings.
        item_counts: float64 [N], number of the item's ratings.
        factors: of the tastes.
    """

    global_mean: float
    damping: float
    item_sums: Float64Array
    item_counts: Float64Array
    factors: RatingFactors

    @classmethod
    def fit(cls, items: NDArray[np.integer], ratings: NDArray[np.floating], n_items: int, damping: float = 5.0) -> Self:
        """The bias model: items' biases of the raw ratings, and as a user's taste a bias, damped alike.

        See `recsys.pipeline.ratings.factors_fit.fit_ratings` for tastes that differ between items.

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
            RatingFactors(np.ones((n_items, 1), np.float32), max(damping, 1e-9)),
        )

    def with_new_items(self, new: NewItems) -> Self:
        """These of a catalogue with new items that nobody has rated yet."""
        none = np.zeros(len(new))
        vectors = np.concatenate([self.factors.vectors, new.lent(self.factors.vectors)])
        return replace(
            self,
            item_sums=np.concatenate([self.item_sums, none]),
            item_counts=np.concatenate([self.item_counts, none]),
            factors=replace(self.factors, vectors=vectors),
        )

    def with_biases_of(self, histories: Histories) -> Self:
        """These with the items' biases that other histories give, such as those of training and of what followed it.

        Mean and factors stay as they are. Biases and tastes are estimated in turns, as by `factors_fit.fit_ratings`.
        """
        items = histories.items.astype(np.int64)
        counts = np.bincount(items, ~np.isnan(histories.ratings), len(self.item_counts)).astype(np.float64)
        statistics = replace(self, item_counts=counts)
        for _ in range(TURNS):
            left = statistics._without_tastes(histories, *statistics._residuals(histories))
            statistics = replace(statistics, item_sums=np.bincount(items, left, len(counts)).astype(np.float64))
        return statistics

    @cached_property
    def item_biases(self) -> Float64Array:
        """float64 [N]."""
        return self._bias(self.item_sums, self.item_counts)

    @cached_property
    def _item_novelties(self) -> Float64Array:
        """float64 [N]."""
        return _novelty(self.item_counts)

    def features(self, histories: Histories, items: NDArray[np.integer]) -> Float32Array:
        """Features of items for users with the given histories, NaN beside `NO_ITEM`: float32 [B, K, F].

        Args:
            histories: of B users.
            items: int [B, K], rows of the catalogue or `NO_ITEM`.
        """
        residuals = histories.ratings - (self.global_mean + self.item_biases[histories.items])
        tastes = self.factors.tastes(histories, residuals)
        of_items = self.item_biases, self._item_novelties, self.factors.vectors
        features = np.empty((*items.shape, len(FEATURES)), np.float32)
        write_features(items.astype(np.int32, copy=False), *of_items, tastes, features)
        return features

    def prefix_features(self, histories: Histories) -> Float32Array:
        """Features [T, F] of every interaction, for training: nothing in them knows the rating to predict.

        The user's part comes from the interactions strictly before in the history, the item's part from the ratings
        outside the interaction's period, one of `PERIODS`: as in use, what is predicted lies apart in time from what
        is known, and novel items occur. `histories` must be what was fitted.
        """
        residuals, rated = self._residuals(histories)
        sums, counts = self._other_periods(histories, residuals, rated)
        return self._assemble(sums, counts, self.factors.prefix_scores(histories, residuals, rated))

    def _other_periods(
        self, histories: Histories, residuals: Float64Array, rated: Float64Array
    ) -> tuple[Float64Array, Float64Array]:
        """Of every interaction [T], sum and number of its item's ratings in other periods."""
        items = histories.items.astype(np.int64)
        left = self._without_tastes(histories, residuals, rated)
        periods = np.empty(len(items), np.int64)
        periods[np.argsort(histories.timestamps, kind="stable")] = np.arange(len(items)) * PERIODS // max(len(items), 1)
        n_items = len(self.item_counts)
        cells = periods * n_items + items
        size = PERIODS * n_items
        sums = np.bincount(items, left, n_items)[items] - np.bincount(cells, left, size)[cells]
        counts = np.bincount(items, rated, n_items)[items] - np.bincount(cells, rated, size)[cells]
        return sums, counts

    def _without_tastes(self, histories: Histories, residuals: Float64Array, rated: Float64Array) -> Float64Array:
        """What mean and users' tastes leave of every rating [T]; 0 where there is none."""
        items = histories.items
        tastes = self.factors.fold_in(histories, residuals, rated)[:, 0]
        left: Float64Array = residuals - rated * np.einsum(
            "td,td->t", tastes[histories.rows], self.factors.vectors[items]
        )
        left += rated * self.item_biases[items]
        return left

    def _assemble(self, item_sums: Float64Array, item_counts: Float64Array, tastes: Float64Array) -> Float32Array:
        """The features, in the order of `FEATURES`, on a new last axis."""
        columns = (
            self._bias(item_sums, item_counts),
            _novelty(item_counts),
            *np.moveaxis(tastes, -1, 0),
        )
        return np.stack(columns, axis=-1).astype(np.float32)

    def _bias(self, sums: Float64Array, counts: Float64Array) -> Float64Array:
        """Damped mean; 0 without ratings."""
        return sums / np.maximum(counts + self.damping, 1e-9)

    def _residuals(self, histories: Histories) -> tuple[Float64Array, Float64Array]:
        """For every interaction [T], the rating less global mean and item bias, and 1 if rated; else 0 and 0."""
        rated = ~np.isnan(histories.ratings)
        expected = self.global_mean + self.item_biases[histories.items]
        return np.where(rated, histories.ratings - expected, 0.0), rated.astype(np.float64)

    def save(self, folder: Path) -> None:
        """Write into `folder`, which exists."""
        np.save(folder / "item_sums.npy", self.item_sums)
        np.save(folder / "item_counts.npy", self.item_counts)
        np.save(folder / "item_factors.npy", self.factors.vectors)
        scalars = {"global_mean": self.global_mean, "damping": self.damping, "noise": self.factors.noise}
        (folder / "ratings.json").write_text(json.dumps(scalars), "utf8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: a file is missing, or not what `save` writes.
        """
        scalars = read_parameters(folder / "ratings.json", _Scalars)
        sums = read_array(folder / "item_sums.npy", np.float64, None)
        counts = read_array(folder / "item_counts.npy", np.float64, len(sums))
        require_range(counts, folder / "item_counts.npy", 0, np.inf)
        factors = RatingFactors(read_array(folder / "item_factors.npy", np.float32, len(sums), None), scalars.noise)
        return cls(scalars.global_mean, scalars.damping, item_sums=sums, item_counts=counts, factors=factors)


class _Scalars(Parameters, frozen=True, kw_only=True):
    """The numbers among `RatingStatistics`, and the noise of its factors."""

    global_mean: Number
    damping: Weight
    noise: Positive


def _novelty(counts: Float64Array) -> Float64Array:
    """1 without ratings, falling with their number."""
    return HALF_NOVEL / (HALF_NOVEL + counts)
