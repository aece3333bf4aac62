"""With which chance a drawn order has an item at a place: against all orders of a few items."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys.experiments.drawn_order import conditional_chances
from recsys.experiments.off_policy.place_chances import drawn_weights, place_chances

LOGITS = arrays(np.float64, st.integers(1, 5), elements=st.floats(-6, 6))


def by_all_orders(weights):
    chances = np.zeros((len(weights), len(weights)))
    for order in permutations(range(len(weights))):
        chance = 1.0
        for place, item in enumerate(order):
            chance *= weights[item] / math.fsum(weights[other] for other in order[place:])
        for place, item in enumerate(order):
            chances[item, place] += chance
    return chances


def test_two_items_by_hand():
    assert place_chances(np.array([[0.75, 0.25]])).tolist() == [[[0.75, 0.25], [0.25, 0.75]]]


@given(LOGITS)
def test_chances_are_those_of_all_orders(logits):
    weights = np.exp(logits) / np.exp(logits).sum()
    assert place_chances(weights[None])[0] == pytest.approx(by_all_orders(weights), abs=1e-9)


@given(LOGITS)
def test_kept_chances_tell_the_weights_that_an_order_was_drawn_by(logits):
    weights = np.exp(logits) / np.exp(logits).sum()
    kept = np.array([conditional_chances(logits.tolist())])
    assert drawn_weights(kept)[0] == pytest.approx(weights, abs=1e-9)


def test_each_item_has_a_place_and_each_place_an_item():
    weights = np.random.default_rng(0).dirichlet(np.full(10, 0.3), 20)
    chances = place_chances(weights)
    assert chances.sum(axis=1) == pytest.approx(np.ones((20, 10)))
    assert chances.sum(axis=2) == pytest.approx(np.ones((20, 10)))


def test_an_item_of_no_weight_comes_last():
    assert place_chances(np.array([[1.0, 0.0]]))[0] == pytest.approx(np.eye(2))
