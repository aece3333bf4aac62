"""Team drafts: who picks what, and that neither ranker is favoured, by all falls of the coins."""

from collections import defaultdict
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.experiments.interleaving import team_draft

HEADS, TAILS = 0.25, 0.75
RANKINGS = st.lists(st.integers(0, 6), max_size=7)


class Coins:
    """Falls as told, and tells how often it was thrown."""

    def __init__(self, *falls):
        self.falls = list(falls)

    def random(self):
        return self.falls.pop(0)


def drafts(first, second, k):
    """Of each possible draft its chance."""
    chances = defaultdict(float)
    for falls in product((HEADS, TAILS), repeat=k):
        items, teams = team_draft(first, second, k, Coins(*falls))
        chances[tuple(items), tuple(teams)] += 0.5**k
    return chances


@pytest.mark.parametrize(
    ("falls", "items", "teams"),
    [
        ((HEADS, HEADS), ["a", "c", "b", "d"], [0, 1, 0, 1]),
        ((HEADS, TAILS), ["a", "c", "d", "b"], [0, 1, 1, 0]),
        ((TAILS, HEADS), ["c", "a", "b", "d"], [1, 0, 0, 1]),
        ((TAILS, TAILS), ["c", "a", "d", "b"], [1, 0, 1, 0]),
    ],
)
def test_each_team_picks_its_best_item_that_is_left_in_the_order_of_the_coin(falls, items, teams):
    assert team_draft(["a", "b", "c"], ["c", "a", "d"], 4, Coins(*falls)) == (items, teams)


def test_who_picks_second_takes_the_next_item_of_one_that_both_want():
    assert team_draft(["a", "b"], ["a", "c"], 2, Coins(HEADS)) == (["a", "c"], [0, 1])
    assert team_draft(["a", "b"], ["a", "c"], 2, Coins(TAILS)) == (["a", "b"], [1, 0])


def test_the_last_place_of_an_odd_list_goes_to_who_wins_the_coin():
    assert team_draft(["a", "b"], ["c", "d"], 3, Coins(HEADS, TAILS)) == (["a", "c", "d"], [0, 1, 1])


def test_what_only_one_ranker_has_fills_the_list_up_and_is_nobodys():
    assert team_draft(["a", "b", "c", "d"], ["e"], 4, Coins(HEADS)) == (["a", "e", "b", "c"], [0, 1, None, None])
    assert team_draft(["a", "b"], [], 5, Coins()) == (["a", "b"], [None, None])
    assert team_draft(["a", "b"], ["a"], 5, Coins()) == (["a", "b"], [None, None])
    assert team_draft([], [], 5, Coins()) == ([], [])


def test_an_item_that_a_ranker_names_twice_counts_once():
    assert team_draft(["a", "a", "b"], ["c", "c", "d"], 4, Coins(HEADS, HEADS)) == (["a", "c", "b", "d"], [0, 1, 0, 1])


@given(RANKINGS, RANKINGS, st.integers(0, 5))
def test_a_list_holds_as_many_items_as_there_are_without_repeats(first, second, k):
    for items, teams in drafts(first, second, k):
        assert len(items) == len(set(items)) == min(k, len({*first, *second}))
        assert len(teams) == len(items)
        assert abs(teams.count(0) - teams.count(1)) <= 1
        for ranking, team in ((first, 0), (second, 1)):
            assert {item for item, by in zip(items, teams, strict=True) if by == team} <= set(ranking)


@given(RANKINGS, RANKINGS, st.integers(1, 5))
def test_each_place_of_a_list_is_as_likely_the_one_teams_as_the_others(first, second, k):
    # Who clicks by the place alone, whatever is there, must prefer neither.
    share = defaultdict(float)
    for (_, teams), chance in drafts(first, second, k).items():
        for place, team in enumerate(teams):
            share[place, team] += chance
    for place in range(k):
        assert share[place, 0] == share[place, 1]


@given(RANKINGS, RANKINGS, st.integers(1, 5))
def test_rankers_that_change_places_change_teams_and_nothing_else(first, second, k):
    swapped = {0: 1, 1: 0, None: None}
    turned = {
        (items, tuple(swapped[team] for team in teams)): chance
        for (items, teams), chance in drafts(second, first, k).items()
    }
    one_way = drafts(first, second, k)
    nobodys = [key for key in one_way if None in key[1]]
    for key in nobodys:  # what fills up follows the first ranker
        one_way.pop(key)
    assert one_way == {key: chance for key, chance in turned.items() if None not in key[1]}


@given(RANKINGS, RANKINGS, st.integers(0, 6), st.integers(0, 2**32))
def test_with_equal_coins_a_shorter_list_is_the_beginning_of_a_longer_one(first, second, k, seed):
    items, teams = team_draft(first, second, 12, Random(seed))
    assert team_draft(first, second, k, Random(seed)) == (items[:k], teams[:k])


@given(RANKINGS, st.integers(1, 5))
def test_of_equal_rankings_each_item_is_as_likely_the_one_teams_as_the_others(ranking, k):
    share = defaultdict(float)
    for (items, teams), chance in drafts(ranking, ranking, k).items():
        for item, team in zip(items, teams, strict=True):
            share[item, team] += chance
    for item in set(ranking):
        assert share[item, 0] == share[item, 1]
