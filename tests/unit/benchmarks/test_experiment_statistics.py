"""How often verdicts are wrong, in a few hundred simulated experiments; bounds are exact ones of the binomial."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks.experiment_statistics import ALPHA, every
from benchmarks.simulated_experiments import Shoppers, simulated
from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.observations import UnitDay
from recsys.experiments.statistics.estimates import MetricLooks, Sides
from recsys.experiments.statistics.totals import FIELDS, Totals
from recsys.experiments.verdict import verdict

RUNS = 250
FEW = Shoppers(users=600, visits=0.4)
BY_CHANCE = 1e-3
"""Chance that a bound of a sound test is exceeded; of seeds that are fixed, it is or it is not."""


def at_most(runs, share):
    """The most of `runs` that a chance of `share` still explains."""
    return binom.ppf(1 - BY_CHANCE, runs, share)


def at_least(runs, share):
    """The fewest that it explains."""
    return binom.ppf(BY_CHANCE, runs, share)


@pytest.fixture(scope="module")
def no_difference():
    return every(FEW, RUNS, 0, "ctr")


def test_daily_looks_at_a_sequence_find_no_difference_that_is_not_there(no_difference):
    assert sum(of.found_on() is not None for of in no_difference) <= at_most(RUNS, ALPHA)


def test_one_look_by_user_is_wrong_as_often_as_its_level(no_difference):
    found = sum(of.by_user(peeking=False) for of in no_difference)
    assert at_least(RUNS, ALPHA) <= found <= at_most(RUNS, ALPHA)


def test_daily_looks_by_user_and_looks_by_impression_are_wrong_more_often(no_difference):
    # The simulation would otherwise be too tame to try the sequence on.
    assert sum(of.by_user(peeking=True) for of in no_difference) > at_most(RUNS, ALPHA)
    assert sum(of.by_impression(peeking=False) for of in no_difference) > at_most(RUNS, ALPHA)


def test_intervals_of_all_days_hold_the_true_difference_and_it_is_found():
    shoppers = replace(FEW, lift=1.5)
    found = every(shoppers, RUNS // 2, 1, "ctr")
    assert sum(of.holds(shoppers.difference) for of in found) >= at_least(RUNS // 2, 1 - ALPHA)
    assert sum(of.holds_once(shoppers.difference) for of in found) >= at_least(RUNS // 2, 1 - ALPHA)
    assert sum(of.found_on() is not None for of in found) > 0.8 * RUNS // 2
    assert all(of.estimates[-1].difference > 0 for of in found if of.found_on())


def test_a_covariate_narrows_intervals_and_keeps_the_level():
    found = every(FEW, RUNS // 2, 2, "clicks_per_user", covariate=True)
    assert sum(of.found_on() is not None for of in found) <= at_most(RUNS // 2, ALPHA)
    assert np.mean([of.estimates[-1].variance_saved for of in found]) > 0.3


def test_revenue_of_a_heavy_tail_keeps_the_level():
    found = every(FEW, RUNS // 2, 3, "revenue_per_user")
    assert sum(of.found_on() is not None for of in found) <= at_most(RUNS // 2, ALPHA)


@pytest.mark.parametrize("is_kept", [True, False], ids=["one draft for good", "a draft a day"])
def test_equal_teams_of_interleaved_lists_keep_the_level(is_kept):
    runs, found = 200, 0
    for number in range(runs):
        rng = np.random.default_rng([6, number])
        daily = np.diff(simulated(FEW, 6, number).sums, axis=0, prepend=0)
        clicks = FIELDS.index("clicks")
        # Of a draft, chance decides how much of what a user likes is the first team's.
        share = rng.beta(2, 2, daily.shape[1]) if is_kept else rng.beta(2, 2, daily.shape[:2])
        first = daily.copy()
        first[:, :, clicks] = rng.binomial(daily[:, :, clicks].astype(int), share)
        second = daily.copy()
        second[:, :, clicks] -= first[:, :, clicks]
        looks = MetricLooks("ctr", ALPHA, paired=True, least_users=100)
        for day, (one, other) in enumerate(zip(first.cumsum(axis=0), second.cumsum(axis=0), strict=True)):
            looks.look(day, Sides(Totals(one, None), Totals(other, None), None))
        found += looks.p <= ALPHA
    assert found <= at_most(runs, ALPHA)


def test_equal_seeds_simulate_equal_experiments():
    one, same, other = (simulated(FEW, 0, number) for number in (0, 0, 1))
    assert (one.sums == same.sums).all()
    assert (one.sums != other.sums).any()


def unit_days(run, names):
    """The observations of a simulated experiment, its users dealt to variants at random."""
    rows = []
    daily = np.diff(run.sums, axis=0, prepend=0)
    dealt = np.random.default_rng(len(names)).integers(0, len(names), daily.shape[1])
    for day, user in zip(*np.nonzero(daily[:, :, FIELDS.index("lists")]), strict=True):
        rows.append(UnitDay(f"u{user}", names[dealt[user]], int(day), *daily[day, user].tolist()))
    return rows


@pytest.mark.slow  # a thousand experiments of 900 users, observation by observation
def test_verdicts_over_several_variants_are_wrong_at_most_as_often_as_alpha():
    names, runs, wrong = ("old", "new", "other"), 1000, 0
    experiment = Experiment(key="home", variants=tuple(Variant(name=name) for name in names))
    for number in range(runs):
        found = verdict(experiment, unit_days(simulated(replace(FEW, users=900), 4, number), names))
        wrong += any(look.state in {"better", "worse"} for variant in found.variants for look in variant.looks)
    assert wrong <= at_most(runs, ALPHA)


@pytest.mark.slow  # two thousand experiments of 2,000 users
def test_daily_looks_at_large_experiments_are_wrong_at_most_as_often_as_alpha():
    for metric in ("ctr", "purchases_per_user"):
        found = every(Shoppers(), 2000, 5, metric)
        assert sum(of.found_on() is not None for of in found) <= at_most(2000, ALPHA)
