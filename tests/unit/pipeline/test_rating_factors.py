from __future__ import annotations

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.pipeline.ratings import factors as module
from recsys.pipeline.ratings.factors import DECAYS, RatingFactors

N_USERS, N_ITEMS, DIM = 9, 12, 3


def make_factors(seed: int = 0) -> RatingFactors:
    return RatingFactors(np.random.default_rng(seed).normal(size=(N_ITEMS, DIM)).astype(np.float32), 0.7)


def make_histories(seed: int = 0) -> Histories:
    """Histories of 0 to 8 interactions, a third of them without a rating; the last user has none at all."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(np.arange(N_USERS), np.append(rng.permutation(N_USERS - 1) + 1, 0))
    ratings = np.where(rng.random(len(rows)) < 1 / 3, np.nan, rng.normal(size=len(rows)))
    return Histories.from_rows(N_USERS, rows, rng.integers(0, N_ITEMS, len(rows)), np.arange(len(rows)), ratings)


def residuals_of(histories: Histories) -> tuple[np.ndarray, np.ndarray]:
    return np.nan_to_num(histories.ratings.astype(np.float64)), (~np.isnan(histories.ratings)).astype(np.float64)


def posterior_mean(factors: RatingFactors, items: np.ndarray, ratings: np.ndarray, decay: float) -> np.ndarray:
    """The mean of z ~ N(0, I) given x · z + noise, from the joint normal distribution; oldest rating first.

    A rating of weight w counts as one whose noise has variance noise / w.
    """
    if not len(items):
        return np.zeros(DIM)
    x = factors.vectors[items].astype(np.float64)
    noise = factors.noise / decay ** np.arange(len(items))[::-1]
    return x.T @ np.linalg.solve(x @ x.T + np.diag(noise), ratings)


def test_a_taste_is_the_posterior_mean_given_the_rated_interactions() -> None:
    factors, histories = make_factors(), make_histories()
    tastes = factors.fold_in(histories, *residuals_of(histories))
    assert tastes.shape == (N_USERS, len(DECAYS), DIM)
    for user in range(N_USERS):
        items, ratings = (values[histories.indptr[user] : histories.indptr[user + 1]] for values in _arrays(histories))
        rated = ~np.isnan(ratings)
        for position, decay in enumerate(DECAYS):
            expected = posterior_mean(factors, items[rated], ratings[rated], decay)
            np.testing.assert_allclose(tastes[user, position], expected, rtol=1e-6, atol=1e-9)
    assert not tastes[-1].any()


@pytest.mark.parametrize("block", [1, 4, 4096])
def test_a_prefix_scores_as_the_history_cut_there(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_USERS", block)
    factors, histories = make_factors(), make_histories()
    scores = factors.prefix_scores(histories, *residuals_of(histories))
    assert scores.shape == (len(histories.items), len(DECAYS))
    for user in range(N_USERS):
        start, end = histories.indptr[user], histories.indptr[user + 1]
        for position in range(start, end):
            items, ratings = (values[start:position] for values in _arrays(histories))
            cut = Histories.from_rows(1, np.zeros(position - start), items, np.arange(position - start), ratings)
            tastes = factors.fold_in(cut, *residuals_of(cut))[0]
            expected = tastes @ factors.vectors[histories.items[position]]
            np.testing.assert_allclose(scores[position], expected, rtol=1e-6, atol=1e-9)


def _arrays(histories: Histories) -> tuple[np.ndarray, np.ndarray]:
    return histories.items, histories.ratings.astype(np.float64)
