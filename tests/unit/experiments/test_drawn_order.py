"""Orders drawn by Plackett-Luce: their law, against all orders of a few items, and the edges of floats."""

import math
from itertools import permutations
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from recsys.experiments.drawn_order import conditional_chances, draw_order

SCORES = st.lists(st.floats(-50, 50), min_size=1, max_size=6)


def law(scores, temperature):
    """The chance of each order, by the definition."""
    weights = [math.exp(score / temperature) for score in scores]
    chances = {}
    for order in permutations(range(len(scores))):
        left, chance = sum(weights), 1.0
        for item in order:
            chance *= weights[item] / left
            left -= weights[item]
        chances[order] = chance
    return chances


def test_two_items_are_drawn_in_proportion_to_their_weights():
    # Scores whose weights are 3 to 1.
    assert conditional_chances([math.log(3), 0.0]) == pytest.approx([0.75, 1.0])
    assert conditional_chances([0.0, math.log(3)]) == pytest.approx([0.25, 1.0])


def test_each_order_is_drawn_as_often_as_the_law_says():
    scores, temperature, rng = [0.3, -0.2, 0.9, 0.0], 0.7, Random(1)
    expected = law(scores, temperature)
    drawn = dict.fromkeys(expected, 0)
    for _ in range(20_000):
        order, _ = draw_order(scores, temperature, rng)
        drawn[tuple(order)] += 1
    test = chisquare(list(drawn.values()), [20_000 * chance for chance in expected.values()])
    assert test.pvalue > 0.001


@given(SCORES, st.floats(0.5, 5), st.integers(0, 2**32))
def test_chances_multiply_to_the_chance_of_the_whole_order(scores, temperature, seed):
    order, chances = draw_order(scores, temperature, np.random.default_rng(seed))
    assert sorted(order) == list(range(len(scores)))
    top = max(scores)
    expected = 1.0
    for place, item in enumerate(order):
        left = math.fsum(math.exp((scores[other] - top) / temperature) for other in order[place:])
        expected *= math.exp((scores[item] - top) / temperature) / left
    assert math.prod(chances) == pytest.approx(expected, rel=1e-9, abs=1e-300)
    assert chances[-1] == 1.0


@given(SCORES, st.floats(-10, 10), st.integers(0, 2**32))
def test_an_order_says_nothing_of_where_scores_begin(scores, shift, seed):
    order, chances = draw_order(scores, 1.0, Random(seed))
    _, shifted = draw_order([score + shift for score in scores], 1.0, Random(seed))
    assert len(order) == len(scores)
    assert math.prod(shifted) == pytest.approx(math.prod(chances), rel=1e-6, abs=1e-300)


def test_scores_far_apart_keep_their_order_and_chances_above_zero():
    for seed in range(50):
        order, chances = draw_order([1e308, -1e308, 0.0], 1e300, Random(seed))
        assert order == [0, 2, 1]
        assert chances == [1.0, 1.0, 1.0]
    assert conditional_chances([-5000.0, 0.0]) == [math.ulp(0.0), 1.0]


def test_an_empty_list_has_one_order():
    assert draw_order([], 1.0, Random(0)) == ([], [])


class Edges:
    """The least and the greatest number that a generator gives."""

    def __init__(self):
        self.draws = [0.0, math.nextafter(1.0, 0.0)]

    def random(self):
        return self.draws.pop()


def test_the_edges_of_a_generator_give_an_order():
    order, chances = draw_order([0.0, 0.0], 1.0, Edges())
    assert sorted(order) == [0, 1]
    assert chances == [0.5, 1.0]


@pytest.mark.parametrize(
    ("scores", "temperature"), [([math.nan], 1), ([math.inf, 0], 1), ([0.0], 0), ([0.0], math.nan)]
)
def test_scores_and_temperatures_without_a_law_are_refused(scores, temperature):
    with pytest.raises(ValueError, match="expected finite scores"):
        draw_order(scores, temperature, Random(0))
