from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.measure.explanations.fidelity import (
    DELETION,
    DRAWS,
    EXPLANATION,
    INSERTION,
    RANDOM,
    RECENCY,
    fidelity,
    random_orders,
)
from recsys.measure.explanations.reruns import Reruns
from recsys.pipeline.propose import Proposer
from recsys.pipeline.recommender import Recommender
from recsys.sources.popularity.source import Popularity
from tests.support.additive import Additive

N_ITEMS = 8
# The histories hold items of 0, 1 and 2; item 3 is explained: they give it 4, 2 and 1. Item 4 gets 1.6 from each of
# them, item 5 gets 1.5 of item 2 alone. Item 0, where it is left out, has a score far above all others.
GIVES = np.zeros((N_ITEMS, N_ITEMS), np.float32)
GIVES[:3, 3] = 4, 2, 1
GIVES[:3, 4] = 1.6
GIVES[2, 5] = 1.5
GIVES[1:3, 0] = 100
TRUE, RECENT = (0, 1, 2), (2, 1, 0)
SECOND, THIRD = 1 / math.log2(3), 0.5
# Without 0 item 3 has 3 and item 4 has 3.2; without 0 and 1 they have 1 and 1.6, and item 5 has 1.5.
TRUE_DELETION = [1, SECOND, THIRD, 0]
# Without 2 it has 6 against 3.2, without 1 also 4 against 1.6.
RECENT_DELETION = [1, 1, 1, 0]
# Each of the ways back goes through what the other one leaves, since both orders are each other's reverse.
TRUE_INSERTION, RECENT_INSERTION = RECENT_DELETION[::-1], TRUE_DELETION[::-1]


def trapezia(heights: list[float]) -> float:
    return sum((a + b) / 2 for a, b in itertools.pairwise(heights)) / (len(heights) - 1)


def reruns(*histories: tuple[int, ...], exclude_seen: bool = True) -> Reruns:
    rows = np.repeat(np.arange(len(histories)), [len(history) for history in histories])
    items = np.array([item for history in histories for item in history])
    queries = Queries(
        Histories.from_rows(len(histories), rows, items, np.arange(len(items))),
        np.full(len(histories), -1, np.int32),
        np.full(len(histories), 100),
    )
    popularity = Popularity(np.arange(1, N_ITEMS + 1, dtype=np.float32))
    recommender = Recommender([Proposer(Additive(GIVES), N_ITEMS)], popularity)
    return Reruns(recommender, queries, N_ITEMS, exclude_seen)


def test_ranks_and_scores_without_parts_of_a_history() -> None:
    parts = [frozenset(part) for part in [(), (0,), (0, 1), (0, 1, 2)]]
    items = np.tile(np.int32([3, 5, NO_ITEM]), (4, 1))
    places = reruns((2, 1, 0)).places(np.zeros(4, int), parts, items)
    # Item 0 is the first of what is recommended where it is left out, and not counted.
    assert places.ranks.tolist() == [[1, 3, 0], [2, 3, 0], [3, 2, 0], [0, 0, 0]]
    assert places.scores[:, 0] == pytest.approx([7, 3, 1, np.nan], nan_ok=True)


def test_where_lists_hold_items_of_the_history_these_count() -> None:
    places = reruns((2, 1, 0), exclude_seen=False).places(np.zeros(1, int), [frozenset()], np.int32([[3]]))
    assert places.ranks.tolist() == [[2]]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    users, parts = np.array([1, 0, 1, 0]), [frozenset({0}), frozenset({1}), frozenset(), frozenset({1, 2})]
    asked = reruns((0, 1, 2), (2, 0)), np.full((4, 1), 3, np.int32)
    whole = asked[0].places(users, parts, asked[1])
    monkeypatch.setattr("recsys.measure.explanations.reruns._BLOCK_QUERIES", 3)
    parted = asked[0].places(users, parts, asked[1])
    assert whole.ranks.tolist() == parted.ranks.tolist() == [[3], [1], [1], [1]]


def test_areas_and_curves_by_hand() -> None:
    orders = {EXPLANATION: [[TRUE]], RECENCY: [[RECENT]]}
    found = fidelity(reruns((0, 1, 2)), np.int32([3]), orders, samples=10, seed=0)
    areas = {name: {m: e["mean"] for m, e in order["figures"].items()} for name, order in found["orders"].items()}
    assert areas[EXPLANATION][DELETION] == pytest.approx(trapezia(TRUE_DELETION))
    assert areas[EXPLANATION][INSERTION] == pytest.approx(trapezia(TRUE_INSERTION))
    assert areas[RECENCY][DELETION] == pytest.approx(trapezia(RECENT_DELETION))
    assert areas[RECENCY][INSERTION] == pytest.approx(trapezia(RECENT_INSERTION))
    at = np.interp(found["shares"], np.arange(4) / 3, TRUE_DELETION)
    assert found["orders"][EXPLANATION]["curves"][DELETION] == pytest.approx(at)
    gaps = {(row["order"], row["other"], row["metric"]): row["mean"] for row in found["differences"]}
    gap = trapezia(TRUE_DELETION) - trapezia(RECENT_DELETION)
    assert gaps[EXPLANATION, RECENCY, DELETION] == pytest.approx(gap)


def test_no_order_is_better_than_that_of_what_each_item_gives() -> None:
    every = {str(order): [[order]] for order in itertools.permutations(TRUE)}
    found = fidelity(reruns((0, 1, 2)), np.int32([3]), every, samples=10, seed=0)["orders"]
    areas = {m: {name: order["figures"][m]["mean"] for name, order in found.items()} for m in (DELETION, INSERTION)}
    assert areas[DELETION][str(TRUE)] == pytest.approx(min(areas[DELETION].values()))
    assert areas[INSERTION][str(TRUE)] == pytest.approx(max(areas[INSERTION].values()))
    assert areas[DELETION][str(TRUE)] < areas[DELETION][str(RECENT)]


def test_whether_it_stays_in_the_list_without_the_first_items() -> None:
    short = reruns((0, 1, 2))
    short = Reruns(short.recommender, short.queries, 3, short.exclude_seen)
    found = fidelity(short, np.int32([3]), {EXPLANATION: [[TRUE]], RECENCY: [[RECENT]]}, samples=10, seed=0)
    listed = {
        name: [order["figures"][f"listed_without_{few}"]["mean"] for few in (1, 2, 3)]
        for name, order in found["orders"].items()
    }
    # This recommender ranks three items. Without 0 they are 0, 4 and 3; without 0 and 1 they are 0, 4 and 5.
    assert listed == {EXPLANATION: [1, 0, 0], RECENCY: [1, 1, 0]}


def test_several_orders_of_a_user_count_as_their_mean_and_users_weigh_alike() -> None:
    # To the second user, who has item 1 alone, item 0 is new and the first; item 3 is the second.
    orders = {RANDOM: [[TRUE, RECENT], [(1,), (1,)]]}
    found = fidelity(reruns((0, 1, 2), (1,)), np.int32([3, 3]), orders, samples=200, seed=0)["orders"][RANDOM]
    first, second = (trapezia(TRUE_DELETION) + trapezia(RECENT_DELETION)) / 2, SECOND / 2
    figure = found["figures"][DELETION]
    assert figure["mean"] == pytest.approx((first + second) / 2)
    # Of two users, one in four resamples holds the one alone, one in four the other.
    assert (figure["low"], figure["high"]) == pytest.approx((second, first))


def test_the_same_seed_gives_the_same_orders_and_intervals() -> None:
    histories = [(0, 1, 2), (2, 1)]
    first, again, other = (random_orders(histories, seed) for seed in (3, 3, 4))
    assert first == again != other
    assert {len(orders) for orders in first} == {DRAWS}
    assert all(
        sorted(order) == sorted(history) for orders, history in zip(first, histories, strict=True) for order in orders
    )
    asked = [fidelity(reruns(*histories), np.int32([3, 3]), {RANDOM: first}, samples=20, seed=1) for _ in range(2)]
    assert asked[0] == asked[1]
