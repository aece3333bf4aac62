from __future__ import annotations

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.pipeline.ratings import factors_fit as module
from recsys.pipeline.ratings.factors_fit import fit_ratings, with_rated_vectors
from recsys.pipeline.ratings.fit_kernels import move_vectors
from recsys.pipeline.ratings.statistics import RatingStatistics

N_USERS, N_ITEMS, NOISE = 400, 60, 0.3
TASTES = np.array([0.4, 0.9, 0.1])  # standard deviations along (1, first vector's axis, second one's)


def simulate(seed: int) -> tuple[Histories, Histories, np.ndarray]:
    """Train and held-out ratings of users whose tastes are linear in the items' vectors, and these unit vectors."""
    rng = np.random.default_rng(seed)
    angles = rng.uniform(0, 2 * np.pi, N_ITEMS)
    vectors = np.column_stack([np.cos(angles), np.sin(angles)])
    biases = rng.normal(scale=0.5, size=N_ITEMS)
    tastes = rng.normal(size=(N_USERS, 3)) * TASTES
    rows = np.repeat(np.arange(N_USERS), 30)
    items = np.concatenate([rng.permutation(N_ITEMS)[:30] for _ in range(N_USERS)])
    likings = (np.column_stack([np.ones(N_ITEMS), vectors])[items] * tastes[rows]).sum(axis=1)
    ratings = 3.5 + biases[items] + likings + rng.normal(scale=NOISE**0.5, size=len(rows))
    train = np.tile(np.arange(30) < 20, N_USERS)

    def part(mask: np.ndarray) -> Histories:
        return Histories.from_rows(N_USERS, rows[mask], items[mask], np.arange(len(rows))[mask], ratings[mask])

    return part(train), part(~train), vectors


def errors(statistics: RatingStatistics, train: Histories, held: Histories) -> np.ndarray:
    """What global mean, item bias and taste leave of the held-out ratings."""
    features = statistics.features(train, held.items.reshape(N_USERS, -1))
    return held.ratings - (statistics.global_mean + features[..., 0] + features[..., 2]).ravel()


def test_noise_and_tastes_of_simulated_ratings_are_found() -> None:
    train, held, vectors = simulate(0)
    fitted = fit_ratings(train, vectors, damping=1.0)
    assert fitted.factors.noise == pytest.approx(NOISE, rel=0.1)
    # The variance of a user's liking of an item is the squared length of the item's vector.
    expected = np.square(np.column_stack([np.ones(N_ITEMS), vectors]) * TASTES).sum(axis=1)
    np.testing.assert_allclose(np.square(fitted.factors.vectors).sum(axis=1), expected, rtol=0.35)
    # Nothing could do better than the noise; the biases alone leave the tastes' variance as well.
    biases = RatingStatistics.fit(train.items, train.ratings, N_ITEMS, damping=1.0)
    assert NOISE < np.square(errors(fitted, train, held)).mean() < 1.3 * NOISE
    assert np.square(errors(biases, train, held)).mean() > 2 * NOISE


def test_without_vectors_a_taste_is_a_bias() -> None:
    train, _, _ = simulate(1)
    fitted = fit_ratings(train, np.zeros((N_ITEMS, 0)), damping=1.0)
    assert fitted.factors.vectors.shape == (N_ITEMS, 1)
    assert np.ptp(fitted.factors.vectors) == 0


def test_only_directions_of_vectors_count() -> None:
    train, _, vectors = simulate(2)
    lengths = np.random.default_rng(0).uniform(0.1, 10, (N_ITEMS, 1))
    one, other = (fit_ratings(train, v, damping=1.0).factors.vectors for v in (vectors, vectors * lengths))
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_rounding_errors_are_no_direction() -> None:
    train, _, vectors = simulate(2)
    vectors[5] *= 1e-17
    assert np.count_nonzero(fit_ratings(train, vectors, damping=1.0).factors.vectors[5]) == 1  # the bias alone


def test_unrated_interactions_change_nothing() -> None:
    train, _, vectors = simulate(3)
    rows = np.repeat(np.arange(N_USERS), train.lengths)
    rated = np.random.default_rng(0).random(len(rows)) < 0.5
    shown = Histories(
        train.indptr, train.items, train.timestamps, np.where(rated, train.ratings, np.nan), train.weights
    )
    kept = Histories.from_rows(N_USERS, rows[rated], train.items[rated], train.timestamps[rated], train.ratings[rated])
    one, other = fit_ratings(shown, vectors, 2.0), fit_ratings(kept, vectors, 2.0)
    np.testing.assert_allclose(one.item_biases, other.item_biases)
    np.testing.assert_allclose(one.factors.vectors, other.factors.vectors)


def test_users_in_blocks_give_what_all_at_once_do(monkeypatch: pytest.MonkeyPatch) -> None:
    train, _, vectors = simulate(4)
    whole = fit_ratings(train, vectors, 2.0)
    monkeypatch.setattr(module, "_BLOCK_USERS", 7)
    parts = fit_ratings(train, vectors, 2.0)
    np.testing.assert_allclose(parts.factors.vectors, whole.factors.vectors, rtol=1e-5)
    np.testing.assert_allclose(parts.item_sums, whole.item_sums, rtol=1e-6, atol=1e-8)


def test_equal_ratings_can_be_fitted() -> None:
    train, _, vectors = simulate(5)
    equal = Histories(train.indptr, train.items, train.timestamps, np.full_like(train.ratings, 4), train.weights)
    fitted = fit_ratings(equal, vectors, 2.0)
    features = fitted.features(equal, np.arange(N_ITEMS)[None].repeat(N_USERS, axis=0))
    np.testing.assert_allclose(features[..., [0, 2, 3]], 0, atol=1e-6)


def test_no_ratings_cannot_be_fitted() -> None:
    train, _, vectors = simulate(6)
    none = Histories(train.indptr, train.items, train.timestamps, np.full_like(train.ratings, np.nan), train.weights)
    with pytest.raises(ValueError, match="no ratings"):
        fit_ratings(none, vectors, 2.0)


def test_a_vector_moves_as_a_ridge_regression_on_uncertain_tastes_says() -> None:
    """The uncertain part of a taste is given as what it stands for: ratings at 0 along its principal axes."""
    rng = np.random.default_rng(7)
    tastes, residuals = rng.normal(size=(8, 3)), rng.normal(size=11)
    raters = np.array([0, 3, 5, 1, 2, 4, 6, 7, 0, 5, 1])
    indptr = np.array([0, 3, 3, 11])
    axes = rng.normal(size=(3, 3))
    vectors, ridge = rng.normal(size=(3, 3)), 1.7
    expected = vectors.copy()
    for item in (0, 2):
        part = slice(indptr[item], indptr[item + 1])
        known = tastes[raters[part]]
        unsure = np.sqrt(len(known)) * axes
        rows = np.concatenate([known, unsure, np.sqrt(ridge) * np.eye(3)])
        targets = np.concatenate([residuals[part] - known @ vectors[item], -unsure @ vectors[item], np.zeros(3)])
        expected[item] += np.linalg.lstsq(rows, targets)[0]
    moved = vectors.copy()
    move_vectors(indptr, raters, residuals, tastes, axes.T @ axes, ridge, moved)
    np.testing.assert_allclose(moved, expected)
    np.testing.assert_array_equal(moved[1], vectors[1])  # nobody rated it


def test_refitted_vectors_know_what_the_given_ones_do_not() -> None:
    """Half of what tells the items apart is hidden from the given vectors; ratings show it."""
    train, held, vectors = simulate(8)
    fitted = fit_ratings(train, vectors[:, :1], damping=1.0)
    refitted = with_rated_vectors(fitted, train)
    before, after = (np.square(errors(s, train, held)).mean() for s in (fitted, refitted))
    assert after < before - 0.005
    everything = fit_ratings(train, vectors, damping=1.0)
    assert np.square(errors(with_rated_vectors(everything, train), train, held)).mean() < 1.3 * NOISE
    assert refitted.global_mean == fitted.global_mean
    assert refitted.factors.noise == fitted.factors.noise


def test_where_items_have_few_ratings_nothing_changes() -> None:
    train, _, vectors = simulate(10)
    few = train.where(train.rows < 290)  # 97 ratings an item
    fitted = fit_ratings(few, vectors, damping=1.0)
    assert with_rated_vectors(fitted, few) is fitted
    enough = train.where(train.rows < 310)
    assert with_rated_vectors(fitted, enough) is not fitted


def test_what_nobody_rated_keeps_its_vector_and_has_no_bias() -> None:
    train, _, vectors = simulate(9)
    fitted = fit_ratings(train, vectors, damping=1.0)
    unrated = Histories(
        train.indptr, train.items, train.timestamps, np.where(train.items < 5, np.nan, train.ratings), train.weights
    )
    refitted = with_rated_vectors(fitted, unrated)
    np.testing.assert_array_equal(refitted.factors.vectors[:5], fitted.factors.vectors[:5])
    assert not refitted.item_biases[:5].any()
    assert (refitted.factors.vectors[5:] != fitted.factors.vectors[5:]).any(axis=1).all()


def test_equal_ratings_move_no_vector_to_nothing() -> None:
    train, _, vectors = simulate(5)
    equal = Histories(train.indptr, train.items, train.timestamps, np.full_like(train.ratings, 4), train.weights)
    refitted = with_rated_vectors(fit_ratings(equal, vectors, 2.0), equal)
    assert np.isfinite(refitted.factors.vectors).all()
    np.testing.assert_allclose(refitted.item_biases, 0, atol=1e-6)
