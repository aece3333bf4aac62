"""The sample-ratio test: against the closed form of SciPy, and that evidence is a fair bet."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import dirichlet_multinomial, multinomial

from recsys.experiments.statistics.split import CONCENTRATION, p_of_evidence, split_evidence

COUNTS = st.lists(st.integers(0, 300), min_size=2, max_size=4)


@given(COUNTS, st.data())
def test_evidence_is_the_ratio_of_two_likelihoods(counts, data):
    weights = data.draw(st.lists(st.integers(1, 9), min_size=len(counts), max_size=len(counts)))
    shares = np.array(weights) / sum(weights)
    users = sum(counts)
    expected = dirichlet_multinomial.logpmf(counts, CONCENTRATION * shares, users) - multinomial.logpmf(
        counts, users, shares
    )
    assert split_evidence(counts, weights) == pytest.approx(expected, abs=1e-6)


@given(COUNTS)
def test_the_next_user_changes_evidence_by_nothing_on_average(counts):
    # What makes it valid at all looks: with the right proportions it is a martingale.
    shares = [1 / len(counts)] * len(counts)
    now = split_evidence(counts, shares)
    after = 0.0
    for variant, share in enumerate(shares):
        one_more = [count + (variant == which) for which, count in enumerate(counts)]
        after += share * math.exp(split_evidence(one_more, shares) - now)
    assert after == pytest.approx(1.0, rel=1e-6)


def test_nobody_is_no_evidence():
    assert split_evidence([0, 0], [1, 1]) == pytest.approx(0)
    assert p_of_evidence(0.0) == 1.0


def test_a_mismatch_is_found_and_an_even_split_is_not():
    assert p_of_evidence(split_evidence([5200, 4800], [1, 1])) < 0.01
    assert p_of_evidence(split_evidence([130, 70], [1, 1])) < 0.01
    assert p_of_evidence(split_evidence([5050, 4950], [1, 1])) == 1.0
    assert p_of_evidence(split_evidence([7500, 2500], [3, 1])) == 1.0


def test_even_splits_are_blocked_at_most_as_rarely_as_said():
    users, experiments, allowed = 400, 3000, 0.02
    first = np.random.default_rng(4).integers(0, 2, (experiments, users)).cumsum(axis=1)
    table = np.array(
        [[split_evidence([count, look - count], [1, 1]) for count in range(look + 1)] + [0] * (users - look)
         for look in range(1, users + 1)]
    )  # fmt: skip
    worst = table[np.arange(users), first].max(axis=1)
    blocked = int((worst > -math.log(allowed)).sum())
    assert 0 < blocked <= allowed * experiments
