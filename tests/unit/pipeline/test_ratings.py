from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.pipeline.ratings.factors import RatingFactors
from recsys.pipeline.ratings.factors_fit import fit_ratings
from recsys.pipeline.ratings.statistics import FEATURES, PERIODS, RatingStatistics
from tests.support.bundles import make_histories

NAN = float("nan")


def column(features: np.ndarray, name: str) -> np.ndarray:
    return features[..., FEATURES.index(name)]


def histories(rows: list[int], items: list[int], ratings: list[float], n: int = 2) -> Histories:
    return Histories.from_rows(
        n, np.array(rows), np.array(items, np.int32), np.arange(len(rows)), np.array(ratings, np.float32)
    )


def with_gaps(known: Histories) -> Histories:
    """Every third rating unknown, and the moments shuffled between users."""
    ratings, times = known.ratings.copy(), np.empty_like(known.timestamps)
    ratings[::3] = np.nan
    moments = np.random.default_rng(1).permutation(len(times))
    for start, end in zip(known.indptr[:-1], known.indptr[1:], strict=True):
        times[start:end] = np.sort(moments[start:end])
    return Histories(known.indptr, known.items, times, ratings, known.weights)


def fit(known: Histories, n_items: int) -> RatingStatistics:
    return fit_ratings(known, np.random.default_rng(2).normal(size=(n_items, 3)), damping=3)


def test_damped_item_bias_by_hand() -> None:
    fitted = RatingStatistics.fit(np.array([0, 0, 1, 2]), np.array([5.0, 4.0, 3.0, NAN]), 4, damping=2)
    assert fitted.global_mean == 4
    assert fitted.item_biases.tolist() == pytest.approx([(1 + 0) / (2 + 2), -1 / (1 + 2), 0, 0])


def test_without_damping_or_ratings_the_bias_is_zero() -> None:
    fitted = RatingStatistics.fit(np.array([0]), np.array([5.0]), 2, damping=0)
    assert fitted.item_biases.tolist() == [0, 0]


def test_no_ratings_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="no ratings"):
        RatingStatistics.fit(np.array([0, 1]), np.array([NAN, NAN]), 2)


def test_features_of_the_bias_model_by_hand() -> None:
    factors = RatingFactors(np.ones((3, 1), np.float32), 1.0)
    fitted = RatingStatistics(3.0, 1.0, np.array([2.0, 0.0, 0.0]), np.array([1.0, 0.0, 2.0]), factors)
    # Biases 1, 0, 0. User 0 rated items 0 and 2, saw item 1 without rating; user 1 has no history.
    known = histories([0, 0, 0], [0, 1, 2], [5.0, NAN, 2.0])
    features = fitted.features(known, np.array([[0, 2], [1, 2]]))
    assert features.shape == (2, 2, len(FEATURES))
    assert features.dtype == np.float32
    assert column(features, "item_bias").tolist() == [[1, 0], [0, 0]]
    np.testing.assert_allclose(column(features, "item_novelty"), [[2 / 3, 1 / 2], [1, 1 / 2]], rtol=1e-6)
    residuals = (5 - 3 - 1) + (2 - 3 - 0)
    np.testing.assert_allclose(column(features, "taste"), [[residuals / 3] * 2, [0, 0]], rtol=1e-6)
    recent = (0.9 * 1 - 1) / (0.9 + 1 + 1)  # a rating since the first one, none since the last; one of damping
    np.testing.assert_allclose(column(features, "recent_taste"), [[recent] * 2, [0, 0]], rtol=1e-5)


def test_features_are_biases_novelty_and_products_of_taste_and_item_whatever_the_length_of_a_history() -> None:
    n_items, n_users = 15, 12
    known = with_gaps(make_histories(n_users, n_items))
    fitted = fit(known, n_items)
    dim = fitted.factors.vectors.shape[1]
    rated = ~np.isnan(known.ratings)
    counts = np.add.reduceat(np.append(rated, False), known.indptr[:-1]) * (known.lengths > 0)
    assert set(counts) & set(range(dim))  # fewer ratings than factors
    assert counts.max() >= dim
    items = np.random.default_rng(3).integers(-1, n_items, (n_users, 8)).astype(np.int32)
    features = fitted.features(known, items)
    residuals = np.where(rated, known.ratings - fitted.global_mean - fitted.item_biases[known.items], 0)
    tastes = fitted.factors.fold_in(known, residuals, rated.astype(np.float64))
    expected = np.stack(
        [
            fitted.item_biases[items],
            2 / (2 + fitted.item_counts[items]),
            *np.einsum("bkd,bgd->gbk", fitted.factors.vectors[items], tastes),
        ],
        axis=-1,
    )
    expected[items == -1] = np.nan
    assert 0 < np.isnan(expected).sum() < expected.size
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-7)


def test_prefix_features_are_those_of_the_history_so_far_and_of_other_periods() -> None:
    known = with_gaps(make_histories(12, 15))
    fitted = fit(known, 15)
    features = fitted.prefix_features(known)
    period = np.argsort(np.argsort(known.timestamps)) * PERIODS // len(known.items)
    rated = ~np.isnan(known.ratings)
    taste = column(fitted.features(known, np.arange(15)[None].repeat(12, axis=0)), "taste")
    owners = np.repeat(np.arange(12), known.lengths)
    for user in range(12):
        for position in range(known.indptr[user], known.indptr[user + 1]):
            before = slice(known.indptr[user], position)
            prefix = histories([0] * (position - before.start), known.items[before], known.ratings[before], n=1)
            item = known.items[position]
            same = fitted.features(prefix, np.array([[item]]))[0, 0]
            others = (known.items == item) & (period != period[position]) & rated
            left = known.ratings[others] - fitted.global_mean - taste[owners[others], item]
            expected = {
                "item_bias": left.sum() / (others.sum() + 3),
                "item_novelty": 2 / (2 + others.sum()),
                "taste": column(same, "taste"),
                "recent_taste": column(same, "recent_taste"),
            }
            np.testing.assert_allclose(features[position], [expected[name] for name in FEATURES], rtol=1e-4, atol=1e-6)


def test_prefix_features_do_not_know_the_rating_they_serve_to_predict() -> None:
    known = make_histories(10, 15)
    fitted = fit(known, 15)  # held fixed: mean and biases move a little with any rating
    position = int(known.indptr[4])  # any interaction that has one after it
    ratings = known.ratings.copy()
    ratings[position] = 6 - ratings[position] + 0.5
    changed = Histories(known.indptr, known.items, known.timestamps, ratings, known.weights)
    before, after = fitted.prefix_features(known), fitted.prefix_features(changed)
    np.testing.assert_allclose(after[position], before[position], atol=1e-6)
    assert not np.allclose(after[position + 1], before[position + 1])


def test_moments_that_are_all_equal_still_make_periods() -> None:
    known = make_histories(30, 15)
    still = Histories(known.indptr, known.items, np.zeros_like(known.timestamps), known.ratings, known.weights)
    features = fit(still, 15).prefix_features(still)
    assert np.ptp(column(features, "item_bias")) > 0
    assert (column(features, "item_novelty") < 1).mean() > 0.9


def test_load_gives_back_what_was_saved(tmp_path: Path) -> None:
    known = make_histories(12, 15)
    fitted = fit(known, 15)
    fitted.save(tmp_path)
    items = np.arange(15)[None].repeat(12, axis=0)
    loaded = RatingStatistics.load(tmp_path)
    assert loaded.global_mean == fitted.global_mean
    np.testing.assert_array_equal(loaded.features(known, items), fitted.features(known, items))


def test_refitted_biases_without_tastes_by_hand() -> None:
    """Where factors are 0 nobody has a taste: an item's sum is that of its ratings less the mean that was fitted."""
    fitted = RatingStatistics.fit(np.array([0, 0, 1]), np.array([5.0, 4.0, 3.0]), 4, damping=2)
    fitted = replace(fitted, factors=RatingFactors(np.zeros((4, 2), np.float32), 1.0))
    refitted = fitted.with_biases_of(histories([0, 0, 0, 1, 1], [0, 1, 3, 0, 2], [5, 3, 2, 1, NAN]))
    assert refitted.global_mean == fitted.global_mean == 4
    assert refitted.item_counts.tolist() == [2, 1, 0, 1]
    np.testing.assert_allclose(refitted.item_sums, [(5 - 4) + (1 - 4), 3 - 4, 0, 2 - 4], atol=1e-6)
    assert refitted.item_biases.tolist() == pytest.approx([-2 / 4, -1 / 3, 0, -2 / 3])


def test_the_same_ratings_refit_to_the_same_biases() -> None:
    known = with_gaps(make_histories(200, 30))
    fitted = fit(known, 30)
    refitted = fitted.with_biases_of(known)
    np.testing.assert_array_equal(refitted.item_counts, fitted.item_counts)
    np.testing.assert_allclose(refitted.item_biases, fitted.item_biases, atol=0.05)
    assert np.abs(fitted.item_biases).max() > 0.3
