from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.dataset.histories import Histories
from recsys.ranking.ratings import FEATURES, RatingStatistics
from tests.bundle_factory import make_histories

NAN = float("nan")


def column(features: np.ndarray, name: str) -> np.ndarray:
    return features[..., FEATURES.index(name)]


def histories(rows: list[int], items: list[int], ratings: list[float], n: int = 2) -> Histories:
    return Histories.from_rows(
        n, np.array(rows), np.array(items, np.int32), np.arange(len(rows)), np.array(ratings, np.float32)
    )


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


def test_user_features_by_hand() -> None:
    fitted = RatingStatistics(3.0, 1.0, item_sums=np.array([2.0, 0.0, 0.0]), item_counts=np.array([1.0, 0.0, 2.0]))
    # Biases 1, 0, 0. User 0 rated items 0 and 2, saw item 1 without rating; user 1 has no history.
    known = histories([0, 0, 0], [0, 1, 2], [5.0, NAN, 2.0])
    features = fitted.features(known, np.array([[0, 2], [1, 2]]))
    assert features.shape == (2, 2, len(FEATURES))
    assert features.dtype == np.float32
    assert column(features, "item_bias").tolist() == [[1, 0], [0, 0]]
    np.testing.assert_allclose(column(features, "item_log_count"), np.log1p([[1, 2], [0, 2]]), rtol=1e-6)
    residuals = (5 - 3 - 1) + (2 - 3 - 0)
    np.testing.assert_allclose(column(features, "user_bias"), [[residuals / 3] * 2, [0, 0]], rtol=1e-6)
    np.testing.assert_allclose(column(features, "user_log_count"), np.log1p([[2, 2], [0, 0]]), rtol=1e-6)
    recent = (0.9 * 1 - 1) / (0.9 + 1 + 1)  # a rating since the first one, none since the last; one of damping
    np.testing.assert_allclose(column(features, "user_recent_bias"), [[recent] * 2, [0, 0]], rtol=1e-5)


def with_gaps(known: Histories) -> Histories:
    """Every third rating unknown."""
    ratings = known.ratings.copy()
    ratings[::3] = np.nan
    return Histories(known.indptr, known.items, known.timestamps, ratings, known.weights)


def test_prefix_features_are_those_of_the_history_so_far_without_the_own_rating() -> None:
    known = with_gaps(make_histories(12, 15))
    fitted = RatingStatistics.fit(known.items, known.ratings, 15, damping=3)
    features = fitted.prefix_features(known)
    for user in range(12):
        for place in range(known.indptr[user], known.indptr[user + 1]):
            before = slice(known.indptr[user], place)
            prefix = histories([0] * (place - before.start), known.items[before], known.ratings[before], n=1)
            item = known.items[place]
            same = fitted.features(prefix, np.array([[item]]))[0, 0]
            others = (known.items == item) & (np.arange(len(known.items)) != place) & ~np.isnan(known.ratings)
            deviations = known.ratings[others] - fitted.global_mean
            expected = {
                "item_bias": deviations.sum() / (others.sum() + 3),
                "item_log_count": np.log1p(others.sum()),
                "user_bias": column(same, "user_bias"),
                "user_log_count": column(same, "user_log_count"),
                "user_recent_bias": column(same, "user_recent_bias"),
            }
            np.testing.assert_allclose(features[place], [expected[name] for name in FEATURES], rtol=1e-4, atol=1e-6)


def test_prefix_features_do_not_know_the_rating_they_serve_to_predict() -> None:
    known = make_histories(10, 15)
    place = int(known.indptr[4])  # any interaction that has one after it
    changed = known.ratings.copy()
    changed[place] = 6 - changed[place]

    # The fitted global mean moves a little with any rating; hold it fixed to see the rest.
    def features(ratings: np.ndarray) -> np.ndarray:
        deviations = (ratings - 3.0).astype(np.float64)
        sums, counts = np.bincount(known.items, deviations, 15), np.bincount(known.items, minlength=15).astype(float)
        shown = Histories(known.indptr, known.items, known.timestamps, ratings, known.weights)
        return RatingStatistics(3.0, 5.0, sums, counts).prefix_features(shown)

    before, after = features(known.ratings), features(changed)
    np.testing.assert_allclose(after[place], before[place], atol=1e-6)
    assert not np.allclose(after, before)


def test_load_gives_back_what_was_saved(tmp_path: Path) -> None:
    known = make_histories(12, 15)
    fitted = RatingStatistics.fit(known.items, known.ratings, 15)
    fitted.save(tmp_path)
    items = np.arange(15)[None].repeat(12, axis=0)
    loaded = RatingStatistics.load(tmp_path)
    assert loaded.global_mean == fitted.global_mean
    np.testing.assert_array_equal(loaded.features(known, items), fitted.features(known, items))
