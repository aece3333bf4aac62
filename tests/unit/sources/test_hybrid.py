from __future__ import annotations

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.sources import hybrid, leads
from recsys.sources.exact import top_k
from recsys.sources.hybrid import Hybrid, above_floor
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.popularity.source import Popularity
from tests.support.fixed_scores import FixedScores

NONE = -np.inf


def fixed(*rows: list[float]) -> FixedScores:
    return FixedScores(np.array(rows, np.float32))


def queries(*histories: list[int]) -> Queries:
    rows = np.repeat(np.arange(len(histories)), [len(items) for items in histories])
    items = np.array([item for items in histories for item in items], np.int32)
    known = Histories.from_rows(len(histories), rows, items, np.arange(len(rows)))
    return Queries(known, np.arange(len(histories), dtype=np.int32), np.zeros(len(histories), np.int64))


@pytest.fixture
def floor_at_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hybrid, "FLOOR_RANK", 3)
    monkeypatch.setattr(leads, "FLOOR_RANK", 3)


@pytest.mark.usefixtures("floor_at_three")
def test_scores_above_the_floor_by_hand() -> None:
    scores = np.array(
        [
            [5.0, 1, 4, 2, 3],  # the third highest is 3
            [-5, -1, -4, -2, -3],  # -3
            [NONE, 2, 7, NONE, NONE],  # fewer than three scored, none below 0
            [NONE, -2, 7, NONE, NONE],  # the lowest
            [NONE, 2, 7, 1, NONE],  # three: the third highest
            [NONE] * 5,
        ],
        np.float32,
    )
    expected = [
        [2, 0, 1, 0, 0],
        [0, 2, 0, 1, 0],
        [0, 2, 7, 0, 0],
        [0, 0, 9, 0, 0],
        [0, 1, 6, 0, 0],
        [0, 0, 0, 0, 0],
    ]
    contributions = above_floor(scores)
    assert contributions.dtype == np.float32
    np.testing.assert_array_equal(contributions, expected)


def test_the_floor_leaves_a_thousand_items_their_lead() -> None:
    scores = np.random.default_rng(0).permutation(5000).astype(np.float32)[None]
    contributions = above_floor(scores)
    assert (contributions > 0).sum() == 999
    assert contributions.max() == 999
    np.testing.assert_array_equal(above_floor(scores - 7777), contributions)


def test_the_weighted_sum_by_hand() -> None:
    blend = Hybrid(
        {"a": fixed([1, NONE, 3, NONE], [NONE, 2, NONE, NONE]), "b": fixed([NONE, 2, 1, NONE], [1, 1, NONE, NONE])},
        {"a": 0.5, "b": 2.0},
    )
    np.testing.assert_array_equal(
        blend.score(queries([3], [3])), np.array([[0.5, 4, 3.5, NONE], [2, 3, NONE, NONE]], np.float32)
    )
    candidates = blend.propose(queries([3], [1]), 3)
    assert candidates.items.tolist() == [[1, 2, 0], [0, NO_ITEM, NO_ITEM]]
    assert candidates.scores.tolist() == [[4, 3.5, 0.5], [2, NONE, NONE]]


def test_parts_by_hand_are_the_members_shares_of_a_score() -> None:
    members = {"a": fixed([1, NONE, 3, NONE], [NONE, 2, NONE, NONE]), "b": fixed([-3, 2, 1, NONE], [1, 1, NONE, NONE])}
    blend = Hybrid(members, {"a": 0.5, "b": 2.0})
    parts = blend.parts(queries([3], []), np.array([[1, 0, 3, NO_ITEM], [0, 1, 2, 3]], np.int32))
    assert parts.tolist() == [
        [[0, 0.5, 0, 0], [0] * 4],
        [[10, 0, 0, 0], [0] * 4],
    ]  # b's floor is -3; no history, no score


@pytest.mark.usefixtures("floor_at_three")
@pytest.mark.parametrize("exclude_seen", [True, False])
def test_candidates_are_the_best_of_the_scores_of_the_whole_catalogue(exclude_seen: bool) -> None:
    random = np.random.default_rng(1)
    dense = random.normal(size=(30, 12)).round(1)  # rounded: scores tie
    sparse = np.where(random.random(dense.shape) < 0.2, random.random(dense.shape), NONE)
    blend = Hybrid({"a": fixed(*dense.tolist()), "b": fixed(*sparse.tolist())}, {"a": 0.3, "b": 0.7})
    asked = queries(*[list(range(row % 4)) for row in range(30)])
    found = blend.propose(asked, 8, exclude_seen=exclude_seen)
    scores = blend.score(asked)
    if exclude_seen:
        scores[asked.histories.rows, asked.histories.items] = NONE
    expected = top_k(scores, 8)
    np.testing.assert_array_equal(found.items, expected.items)
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert (found.items[0] == NO_ITEM).all()
    assert 0 < (found.items != NO_ITEM).mean() < 1


def test_seen_items_compete_unless_removed() -> None:
    blend = Hybrid({"a": fixed([1, 5, 3])}, {"a": 1})
    assert blend.propose(queries([1]), 2, exclude_seen=False).items.tolist() == [[1, 2]]
    assert blend.propose(queries([1]), 2).items.tolist() == [[2, 0]]


def test_an_empty_history_gets_nothing_even_from_popularity() -> None:
    blend = Hybrid({"popularity": Popularity(np.array([3, 2, 1], np.float32))}, {"popularity": 1})
    assert (blend.score(queries([], [2]))[0] == NONE).all()
    assert blend.propose(queries([], [2]), 2).items.tolist() == [[NO_ITEM, NO_ITEM], [0, 1]]


def test_a_member_of_weight_zero_is_not_kept() -> None:
    blend = Hybrid({"a": fixed([1, 2]), "b": fixed([9, 1]), "c": fixed([9, 1])}, {"a": 1, "b": 0})
    assert list(blend.members) == list(blend.weights) == ["a"]
    assert blend.score(queries([0])).tolist() == [[1, 2]]


def test_blocks_of_queries_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    blend = Hybrid({name: fixed(*random.normal(size=(9, 6)).tolist()) for name in "ab"}, {"a": 0.3, "b": 0.7})
    asked = queries(*[[row % 6] for row in range(9)])
    whole, best = blend.score(asked), blend.propose(asked, 4)
    monkeypatch.setattr("recsys.sources.exact.BLOCK_ENTRIES", 12)
    monkeypatch.setattr(hybrid, "_QUERIES", 2)
    np.testing.assert_array_equal(blend.score(asked), whole)
    np.testing.assert_array_equal(blend.propose(asked, 4).items, best.items)


@pytest.mark.parametrize("weights", [{}, {"a": 0.0}, {"a": -1.0, "b": 2.0}])
def test_weights_must_not_be_negative_or_all_zero(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weights must be 0 or more and not all 0"):
        Hybrid({"a": fixed([1, 2]), "b": fixed([1, 2])}, weights)


def test_a_weight_needs_its_member() -> None:
    with pytest.raises(ValueError, match="weights of no member: z"):
        Hybrid({"a": fixed([1, 2])}, {"a": 1, "z": 1})


def test_members_share_a_catalogue() -> None:
    with pytest.raises(ValueError, match=r"sizes \[2, 3\]"):
        Hybrid({"a": fixed([1, 2]), "b": fixed([1, 2, 3])}, {"a": 1, "b": 1})


def test_shares_by_hand_are_those_of_the_members_by_weight_less_their_floors() -> None:
    neighbours = np.array([[1, 2], [2, 3], [NO_ITEM, NO_ITEM], [NO_ITEM, NO_ITEM]], np.int32)
    members = {
        "lists": ItemToItem("lists", neighbours, np.array([[1, 0.5], [0.25, 2], [0, 0], [0, 0]]), decay=0.5),
        "minus": fixed([-3, -1, NONE, NONE]),
        "popular": Popularity(np.array([3, 1, 2, 5], np.float32)),
    }
    blend = Hybrid(members, {"lists": 2, "minus": 1, "popular": 0.1})
    shares = blend.why(queries([0, 1]), np.array([[2, 1, 0, NO_ITEM]], np.int32))
    np.testing.assert_allclose(shares.by_position[0], [[2 * 0.5 * 0.5, 2 * 0.25], [2 * 0.5, 0], [0, 0], [0, 0]])
    np.testing.assert_allclose(shares.rest[0], [0.2, 0.1 + (-1 + 3), 0.3, 0])
