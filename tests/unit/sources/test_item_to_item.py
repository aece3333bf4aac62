from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.core.item_slots import item_slots
from recsys.core.queries import NO_ITEM, Queries
from recsys.core.sort_keys import tie_keys
from recsys.sources.item_to_item.source import ItemToItem, NeighbourReading
from tests.support.bundles import HALF, make_histories


def histories(*lists: list[int], weights: list[float] | None = None) -> Histories:
    rows = np.repeat(np.arange(len(lists)), [len(items) for items in lists])
    items = np.array([item for items in lists for item in items], np.int32)
    return Histories.from_rows(
        len(lists), rows, items, np.arange(len(rows)), weights=None if weights is None else np.array(weights)
    )


def queries(known: Histories) -> Queries:
    return Queries(known, np.full(len(known), -1, np.int32), np.zeros(len(known), np.int64))


def random_lists(n_items: int, k: int, seed: int = 0, size: float = 1) -> ItemToItem:
    """Lists of various lengths, of similarities of both signs, of about the given size."""
    random = np.random.default_rng(seed)
    neighbours = np.full((n_items, k), NO_ITEM, np.int32)
    similarities = np.zeros((n_items, k), np.float32)
    for item in range(n_items):
        length = int(random.integers(0, k + 1))
        neighbours[item, :length] = random.choice(n_items, length, replace=False)
        similarities[item, :length] = np.sort(random.normal(size=length))[::-1]
    return ItemToItem("random", neighbours, size * similarities, decay=0.7)


def naive_scores(model: ItemToItem, known: Histories) -> np.ndarray:
    """The definition, item by item; NaN where there is no score."""
    scores = np.full((len(known), model.n_items), np.nan)
    for row in range(len(known)):
        start, stop = known.indptr[row : row + 2]
        for position in range(start, stop):
            strength = known.weights[position] * model.decay ** (stop - 1 - position)
            item = known.items[position]
            for other, similarity in zip(model.neighbours[item], model.similarities[item], strict=True):
                if other != NO_ITEM:
                    scores[row, other] = np.nan_to_num(scores[row, other]) + strength * similarity
    return scores


def test_scores_follow_the_definition() -> None:
    model, known = random_lists(40, 12), make_histories(25, 40)
    expected = naive_scores(model, known)
    np.testing.assert_allclose(model.score(queries(known)), np.nan_to_num(expected, nan=-np.inf), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_retrieves_the_highest_scores_of_either_sign(exclude_seen: bool) -> None:
    model, known = random_lists(40, 12), make_histories(25, 40)
    expected = np.nan_to_num(naive_scores(model, known), nan=-np.inf)
    if exclude_seen:
        expected[np.repeat(np.arange(25), known.lengths), known.items] = -np.inf
    found = model.propose(queries(known), 30, exclude_seen=exclude_seen)
    np.testing.assert_allclose(found.scores, -np.sort(-expected, axis=1)[:, :30], rtol=1e-5, atol=1e-6)
    assert (found.scores[found.items != NO_ITEM] < 0).any()
    assert (found.items == NO_ITEM).any()


def scores_alone(model: ItemToItem, known: Histories, items: np.ndarray) -> np.ndarray:
    """The scores of items by one source, 0 where there is none."""
    scores = np.full((1, *items.shape), 7, np.float32)
    NeighbourReading([model], queries(known)).write_scores(np.array([0]), np.array([0]), items, scores)
    return scores[0]


def test_scores_of_given_items_are_those_among_all_or_zero() -> None:
    model, known = random_lists(40, 12), make_histories(25, 40)
    expected = np.nan_to_num(naive_scores(model, known), nan=0.0)
    items = np.random.default_rng(1).integers(NO_ITEM, 40, (25, 60)).astype(np.int32)
    assert (items == NO_ITEM).any()
    padded = np.concatenate([expected, np.zeros((25, 1))], axis=1)  # NO_ITEM is the last column
    scores = scores_alone(model, known, items)
    np.testing.assert_allclose(scores, np.take_along_axis(padded, items, axis=1), rtol=1e-5, atol=1e-6)


def several_lists() -> list[ItemToItem]:
    """Each with another scale."""
    lists = [
        random_lists(40, 12, 0),
        random_lists(40, 12, 1, 1e3),
        random_lists(40, 5, 2, 1e-3).with_decay(0.4),
    ]
    assert len({member.scale for member in lists}) == 3
    return lists


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_lists_read_together_propose_what_each_does_alone(exclude_seen: bool) -> None:
    members, known = several_lists(), make_histories(25, 40)
    reading = NeighbourReading(members, queries(known))
    for slots, depths in (([0, 1], [9, 9]), ([1, 0], [4, 12]), ([2], [5])):
        lists = reading.propose(slots, depths, exclude_seen=exclude_seen)
        for slot, depth, candidates in zip(slots, depths, lists, strict=True):
            alone = members[slot].propose(queries(known), depth, exclude_seen=exclude_seen)
            np.testing.assert_array_equal(candidates.items, alone.items)
            np.testing.assert_array_equal(candidates.scores, alone.scores)
    assert not item_slots.of(40).any()


def test_lists_read_together_score_what_is_wanted_of_them() -> None:
    members, known = several_lists(), make_histories(25, 40)
    items = np.random.default_rng(1).integers(NO_ITEM, 40, (25, 60)).astype(np.int32)  # most of them more than once
    scores = np.full((4, *items.shape), 7, np.float32)
    NeighbourReading(members, queries(known)).write_scores(np.array([2, 0]), np.array([3, 1]), items, scores)
    np.testing.assert_array_equal(scores[3], scores_alone(members[2], known, items))
    np.testing.assert_array_equal(scores[1], scores_alone(members[0], known, items))
    assert (scores[[0, 2]] == 7).all()
    assert not item_slots.of(40).any()


def test_what_the_last_item_alone_says() -> None:
    members, known = several_lists(), make_histories(25, 40)
    known = known.select([*range(24), -1])
    assert known.lengths[0] > 1
    items = np.random.default_rng(1).integers(NO_ITEM, 40, (25, 60)).astype(np.int32)
    scores = np.full((3, *items.shape), 7, np.float32)
    NeighbourReading(members, queries(known)).write_last_scores(np.array([0, 1]), np.array([2, 0]), items, scores)
    np.testing.assert_allclose(scores[2], scores_alone(members[0], known.last(1), items), rtol=1e-6)
    np.testing.assert_allclose(scores[0], scores_alone(members[1], known.last(1), items), rtol=1e-6)
    assert (scores[1] == 7).all()
    assert scores[2].any()
    assert not scores[:, known.lengths == 0][[0, 2]].any()


def test_scores_of_empty_histories_and_without_candidates() -> None:
    model = random_lists(10, 3)
    items = np.array([[1, NO_ITEM], [2, 3]], np.int32)
    assert scores_alone(model, histories([], []), items).tolist() == [[0, 0]] * 2
    assert scores_alone(model, histories([1]), np.empty((1, 0), np.int32)).shape == (1, 0)
    assert scores_alone(model, histories(), np.empty((0, 4), np.int32)).shape == (0, 4)


def test_scores_add_up_over_the_history_with_decay_and_weights() -> None:
    neighbours = np.array([[0, 2], [1, 2], [2, NO_ITEM]], np.int32)
    similarities = np.array([[1.0, 0.5], [1.0, 0.25], [1.0, 0.0]], np.float32)
    model = ItemToItem("lists", neighbours, similarities, decay=0.5)
    # History: item 0 (weight 3), item 1 (weight 2), item 1 (weight 1); the last one counts in full.
    scores = model.score(queries(histories([0, 1, 1], weights=[3, 2, 1])))
    first, second, third = 3 * 0.25, 2 * 0.5, 1.0
    assert scores[0].tolist() == pytest.approx([first, second + third, first * 0.5 + (second + third) * 0.25])


def test_recent_items_count_more() -> None:
    model = ItemToItem("lists", np.array([[2], [3], [2], [3]], np.int32), np.ones((4, 1), np.float32), decay=0.6)
    assert model.propose(queries(histories([0, 1], [1, 0])), 1).items.tolist() == [[3], [2]]


def test_items_that_are_nobodys_neighbour_have_no_score() -> None:
    model = ItemToItem("lists", np.array([[1], [0], [2]], np.int32), np.ones((3, 1), np.float32))
    found = model.propose(queries(histories([0])), 3, exclude_seen=False)
    assert found.items.tolist() == [[1, NO_ITEM, NO_ITEM]]
    assert model.score(queries(histories([0])))[0].tolist() == [-np.inf, 1.0, -np.inf]


def test_with_decay_changes_nothing_else() -> None:
    model = random_lists(20, 5)
    other = model.with_decay(0.3)
    assert (other.decay, other.name) == (0.3, "random")
    assert other.neighbours is model.neighbours
    assert other.scaled is model.scaled
    assert other.scale == model.scale


@pytest.mark.parametrize("largest", [1e-12, 0.3, 1.0, 5e8])
def test_similarities_of_any_size_keep_half_precision(largest: float, tmp_path: Path) -> None:
    similarities = (largest * np.array([[1, 0.7], [1e-3, -1e-4], [3e-6, 0]])).astype(np.float32)
    model = ItemToItem("lists", np.array([[1, 2], [0, 2], [0, NO_ITEM]], np.int32), similarities)
    np.testing.assert_allclose(model.similarities, similarities, rtol=HALF)
    scores = model.score(queries(histories([1])))
    np.testing.assert_allclose(scores, [[similarities[1, 0], -np.inf, similarities[1, 1]]], rtol=HALF)
    last = np.empty((1, 1, 3), np.float32)
    NeighbourReading([model], queries(histories([0, 1]))).write_last_scores(
        np.array([0]), np.array([0]), np.array([[0, 1, 2]], np.int32), last
    )
    np.testing.assert_allclose(last[0, 0], [similarities[1, 0], 0, similarities[1, 1]], rtol=HALF)
    model.save(tmp_path)
    np.testing.assert_array_equal(ItemToItem.load(tmp_path).similarities, model.similarities)


def test_lists_without_similarities_keep_their_zeros() -> None:
    model = ItemToItem("lists", np.full((2, 1), NO_ITEM, np.int32), np.zeros((2, 1), np.float32))
    assert not model.similarities.any()


@pytest.mark.parametrize("decay", [0.0, -0.5, 1.5])
def test_decay_outside_its_range_is_refused(decay: float) -> None:
    with pytest.raises(ValueError, match="decay"):
        ItemToItem("lists", np.zeros((1, 1), np.int32), np.zeros((1, 1), np.float32), decay)


def test_name_and_decay_are_kept_on_disk(tmp_path: Path) -> None:
    random_lists(20, 5).with_decay(0.3).save(tmp_path)
    loaded = ItemToItem.load(tmp_path)
    assert (loaded.name, loaded.decay) == ("random", 0.3)


def test_rows_of_a_large_catalogue_change_neither_scores_nor_the_order_of_equal_ones() -> None:
    n_items, width = 300_000, 16
    random = np.random.default_rng(2)
    others = np.sort(random.choice(np.arange(1, n_items, dtype=np.int32), width, replace=False))
    close = np.float32(1) + np.arange(width, dtype=np.float32) // 8 * np.float32(2**-10)  # neighbours in half precision
    neighbours, similarities = np.full((n_items, width), NO_ITEM, np.int32), np.zeros((n_items, width), np.float32)
    neighbours[0], similarities[0] = others, close
    found = ItemToItem("lists", neighbours, similarities).propose(queries(histories([0])), width)
    order = np.lexsort((tie_keys(others), -close))
    assert found.items[0].tolist() == others[order].tolist()
    assert found.scores[0].tolist() == close[order].tolist()


def test_the_share_of_a_position_is_its_term_of_the_sum() -> None:
    neighbours = np.array([[0, 2], [1, 2], [2, NO_ITEM]], np.int32)
    model = ItemToItem("lists", neighbours, np.array([[1.0, 0.5], [1.0, 0.25], [1.0, 0.0]], np.float32), decay=0.5)
    asked = queries(histories([0, 1, 0], [1], weights=[2, 1, 4, 1]))
    shares = model.why(asked, np.array([[2, 0, NO_ITEM], [2, 0, 1]], np.int32))
    assert shares.by_position.tolist() == [
        [[0.25 * 2 * 0.5, 0.5 * 0.25, 4 * 0.5], [0.25 * 2, 0, 4], [0, 0, 0]],
        [[0.25, 0, 0], [0, 0, 0], [1, 0, 0]],
    ]
    assert not shares.rest.any()
