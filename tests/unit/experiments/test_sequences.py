"""Confidence sequences: their constants against an optimiser, and how often chance crosses them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import beta, norm

from recsys.experiments.statistics.sequences import best_tau, first_tau, fixed_multiplier, multiplier, p_value

LEVELS = st.floats(0.0005, 0.2)


def test_a_bound_by_hand():
    # At tau 1: (1 + 1) x (log 2 + 2 log 20) = 2 x (.6931 + 5.9915) = 13.369.
    assert multiplier(1.0, 0.05) == pytest.approx(math.sqrt(13.3692), rel=1e-5)
    assert fixed_multiplier(0.05) == pytest.approx(norm.ppf(0.975))


@given(LEVELS)
def test_the_clock_starts_where_a_week_of_equal_days_is_tightest(level):
    tightest = minimize_scalar(lambda log_tau: multiplier(math.exp(log_tau), level), bounds=(0, 6), method="bounded")
    assert multiplier(best_tau(level), level) == pytest.approx(tightest.fun, rel=1e-3)
    assert multiplier(7 * first_tau(level), level) == pytest.approx(tightest.fun, rel=1e-3)


@given(st.floats(0.01, 1000), LEVELS)
def test_a_p_value_is_the_level_whose_interval_ends_at_zero(tau, level):
    assert p_value(multiplier(tau, level), tau) == pytest.approx(level)
    assert p_value(-multiplier(tau, level), tau) == pytest.approx(level)


def test_no_difference_has_a_p_value_of_one():
    assert p_value(0.0, 5.0) == 1.0


@given(st.floats(0.01, 1e4), LEVELS)
def test_an_interval_for_all_looks_is_wider_than_one_for_a_single_look(tau, level):
    assert multiplier(tau, level) > fixed_multiplier(level)


def crossings(steps, level, persistence):
    """The share of null experiments that any of many looks calls different.

    steps: (experiments, looks) of independent noise. persistence: share of the noise that is a user's own, the same at
    every look.
    """
    experiments, looks = steps.shape
    own = np.random.default_rng(9).standard_normal((experiments, 1))
    sums = np.sqrt(1 - persistence) * steps.cumsum(axis=1) + np.sqrt(persistence) * own * np.arange(1, looks + 1)
    times = np.arange(1, looks + 1)
    variances = (1 - persistence) * times + persistence * times**2
    taus = first_tau(level) * variances / variances[0]
    bounds = np.array([multiplier(tau, level) for tau in taus])
    return int((np.abs(sums) / np.sqrt(variances) > bounds).any(axis=1).sum())


@pytest.mark.parametrize("persistence", [0.0, 0.3, 1.0])
def test_chance_crosses_a_sequence_at_most_as_often_as_its_level_however_much_users_repeat_themselves(persistence):
    experiments, level = 20_000, 0.1
    steps = np.random.default_rng(3).standard_normal((experiments, 60))
    crossed = crossings(steps, level, persistence)
    # The exact binomial bound from below: were it above the level, the level would be broken.
    assert beta.ppf(0.001, crossed, experiments - crossed + 1) < level
    if persistence == 0:
        assert crossed > 0.02 * experiments  # it is no bound that nothing could cross
