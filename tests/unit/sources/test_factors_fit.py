from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from recsys.core.histories import Histories
from recsys.core.queries import Queries
from recsys.sources.factors.fit import fit_als, fit_bpr
from recsys.sources.factors.source import ImplicitFactors

N_USERS, N_ITEMS, GROUPS = 200, 80, 10


def grouped_histories() -> Histories:
    """1 to 8 distinct items each, mostly of group user % 10; item i is of group i % 10."""
    random = np.random.default_rng(0)
    lists = []
    for user in range(N_USERS):
        likely = np.where(np.arange(N_ITEMS) % GROUPS == user % GROUPS, 20.0, 1.0)
        lists.append(random.choice(N_ITEMS, random.integers(1, 9), replace=False, p=likely / likely.sum()))
    rows = np.repeat(np.arange(N_USERS), [len(items) for items in lists])
    return Histories.from_rows(N_USERS, rows, np.concatenate(lists), np.arange(len(rows)))


KNOWN = grouped_histories()
EVERYONE = Queries(KNOWN, np.arange(N_USERS, dtype=np.int32), np.zeros(N_USERS, np.int64))
Fit = Callable[..., ImplicitFactors]
FITS = [
    pytest.param(partial(fit_als, factors=10, regularization=0.1, alpha=10.0, iterations=8), id="als"),
    pytest.param(partial(fit_bpr, factors=10, learning_rate=0.1, regularization=0.01, iterations=60), id="bpr"),
]


def parts(fitted: ImplicitFactors) -> list[np.ndarray]:
    bias = np.zeros(0) if fitted.item_bias is None else fitted.item_bias
    return [fitted.item_factors, bias]


def same(one: ImplicitFactors, other: ImplicitFactors) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(parts(one), parts(other), strict=True))


@pytest.mark.parametrize("fit", FITS)
def test_users_of_a_group_are_offered_the_group(fit: Fit) -> None:
    fitted = fit(KNOWN, N_ITEMS, seed=0)
    candidates = fitted.propose(EVERYONE, 3)
    in_group = candidates.items % GROUPS == EVERYONE.users[:, None] % GROUPS
    assert in_group.mean() > 0.5, "by chance one in ten"


@pytest.mark.parametrize("fit", FITS)
def test_the_seed_decides(fit: Fit) -> None:
    first = fit(KNOWN, N_ITEMS, seed=1)
    assert same(first, fit(KNOWN, N_ITEMS, seed=1))
    assert not same(first, fit(KNOWN, N_ITEMS, seed=2))


@pytest.mark.parametrize("fit", FITS)
def test_the_number_of_threads_does_not_matter(fit: Fit) -> None:
    with threadpool_limits(1):
        alone = fit(KNOWN, N_ITEMS, seed=1)
    with threadpool_limits(4):
        together = fit(KNOWN, N_ITEMS, seed=1)
    assert same(alone, together)


@pytest.mark.parametrize("fit", FITS)
def test_an_item_nobody_took_has_no_score(fit: Fit) -> None:
    fitted = fit(KNOWN, N_ITEMS + 1, seed=0)
    scores = fitted.score(EVERYONE)
    assert (scores[:, N_ITEMS] == -np.inf).all()
    assert np.isfinite(scores[:, :N_ITEMS]).all()


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.filterwarnings("error")
def test_fitting_is_silent(fit: Fit, capfd: pytest.CaptureFixture[str]) -> None:
    fit(KNOWN, N_ITEMS, seed=0)
    assert capfd.readouterr() == ("", "")


def test_als_reads_weights_times_alpha_as_confidence() -> None:
    fit = partial(fit_als, n_items=N_ITEMS, factors=8, regularization=0.1, iterations=3, seed=0)
    heavy = replace(KNOWN, weights=KNOWN.weights * 6)
    assert same(fit(heavy, alpha=1.0), fit(KNOWN, alpha=6.0))
    assert not same(fit(heavy, alpha=1.0), fit(KNOWN, alpha=1.0))


def test_als_adds_up_the_weights_of_a_repeated_item() -> None:
    fit = partial(fit_als, n_items=4, factors=2, regularization=0.1, alpha=2.0, iterations=3, seed=0)
    repeated = Histories.from_rows(2, np.array([0, 0, 0, 1]), np.array([1, 2, 1, 2]), np.arange(4))
    once = Histories.from_rows(
        2, np.array([0, 0, 1]), np.array([1, 2, 2]), np.arange(3), weights=np.array([2.0, 1.0, 1.0])
    )
    assert same(fit(repeated), fit(once))


def test_als_fits_the_preferences() -> None:
    fitted = fit_als(KNOWN, N_ITEMS, factors=60, regularization=0.01, alpha=20.0, iterations=10, seed=0)
    scores = fitted.score(EVERYONE)
    wanted = np.zeros(scores.shape, bool)
    wanted[np.repeat(np.arange(N_USERS), KNOWN.lengths), KNOWN.items] = True
    assert scores[wanted].mean() > 0.9, "preference 1"
    assert abs(scores[~wanted].mean()) < 0.1, "preference 0"


def test_bpr_knows_no_weights() -> None:
    fit = partial(fit_bpr, n_items=N_ITEMS, factors=8, learning_rate=0.1, regularization=0.01, iterations=5, seed=0)
    assert same(fit(KNOWN), fit(replace(KNOWN, weights=KNOWN.weights * 6)))


def test_bpr_gives_popular_items_a_higher_bias() -> None:
    rows = np.repeat(np.arange(60), 2)
    items = np.ravel([[0, 1 + user % 12] for user in range(60)])
    fitted = fit_bpr(Histories.from_rows(60, rows, items, np.arange(120)), 13, factors=4, learning_rate=0.05, seed=0)
    assert fitted.item_bias is not None
    assert fitted.item_bias.argmax() == 0
