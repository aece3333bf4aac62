from __future__ import annotations

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM
from recsys.sources.item_to_item import transitions_fit
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.item_to_item.transitions_fit import fit_transitions
from tests.support.bundles import HALF, make_histories

DAY = 86_400


def histories(*lists: list[int], times: list[float] | None = None, weights: list[float] | None = None) -> Histories:
    """Histories of items at `times` in days, by default a day apart."""
    rows = np.repeat(np.arange(len(lists)), [len(items) for items in lists])
    items = np.array([item for items in lists for item in items], np.int32)
    days = np.arange(len(rows)) if times is None else np.array(times)
    return Histories.from_rows(
        len(lists), rows, items, (days * DAY).astype(np.int64), weights=None if weights is None else np.array(weights)
    )


def raw(known: Histories, n_items: int, **settings: float | None) -> np.ndarray:
    """The transitions as a matrix, without popularity."""
    return matrix(fit_transitions(known, n_items, k=n_items, source_power=0, target_power=0, **settings))


def matrix(model: ItemToItem) -> np.ndarray:
    values = np.zeros((model.n_items, model.n_items + 1))
    np.put_along_axis(values, model.neighbours.astype(np.int64), model.similarities.astype(np.float64), axis=1)
    return values[:, :-1]  # the last column took what stood beside NO_ITEM


def test_weights_of_one_history_by_hand() -> None:
    expected = [[0, 1, 1 / 2], [0.25, 0, 1], [0.125, 0.25, 0]]
    np.testing.assert_allclose(raw(histories([0, 1, 2]), 3, reverse=0.25), expected)


def test_where_people_choose_the_same_again_an_item_leads_to_itself() -> None:
    np.testing.assert_allclose(raw(histories([0, 1, 0]), 2, reverse=0), [[0, 1], [1, 0]])
    np.testing.assert_allclose(raw(histories([0, 1, 0]), 2, reverse=0, itself=True), [[1 / 2, 1], [1, 0]])


def test_nothing_leads_from_one_user_to_the_next() -> None:
    np.testing.assert_allclose(raw(histories([0, 1], [2]), 3, reverse=1), [[0, 1, 0], [1, 0, 0], [0, 0, 0]])


def test_without_reverse_nothing_leads_back() -> None:
    model = fit_transitions(histories([0, 1, 2]), 3, reverse=0, k=2)
    assert model.neighbours.tolist() == [[1, 2], [2, NO_ITEM], [NO_ITEM, NO_ITEM]]
    assert model.name == "transitions"


def test_popularity_of_source_and_target_holds_back() -> None:
    # Item 0 and item 1 occur twice, item 2 and item 3 once: 0 -> 1 once, 0 -> 3 once, 2 -> 1 once.
    known = histories([0, 1], [2, 1], [0, 3])
    model = fit_transitions(known, 4, reverse=0, source_power=0.5, target_power=0.3, k=4)
    found = matrix(model)
    assert found[0, 1] == pytest.approx(2**-0.5 * 2**-0.3, HALF)
    assert found[0, 3] == pytest.approx(2**-0.5, HALF)
    assert found[2, 1] == pytest.approx(2**-0.3, HALF)
    assert (found > 0).sum() == 3


def test_events_weigh_where_a_transition_arrives() -> None:
    found = raw(histories([0, 1], weights=[2, 5]), 2, reverse=0.5)
    np.testing.assert_allclose(found, [[0, 5], [1, 0]])


def test_time_between_lowers_the_weight() -> None:
    found = raw(histories([0, 1, 2], times=[0, 1, 4]), 3, reverse=0, days=2)
    np.testing.assert_allclose(found[0], [0, np.exp(-0.5), np.exp(-2) / 2], rtol=HALF)
    np.testing.assert_allclose(found[1], [0, 0, np.exp(-1.5)], rtol=HALF)


def test_events_of_one_moment_have_no_direction() -> None:
    # Items 0 and 1 at once, then 2. Either could be the neighbour of 2: both are one and a half positions away.
    found = raw(histories([0, 1, 2], times=[0, 0, 1]), 3, reverse=0.5)
    expected = [[0, 0.75, 1 / 1.5], [0.75, 0, 1 / 1.5], [0.5 / 1.5, 0.5 / 1.5, 0]]
    np.testing.assert_allclose(found, expected, rtol=HALF)


def test_the_file_order_of_one_moment_does_not_matter() -> None:
    times = [0, 1, 1, 1, 1, 2, 2, 3]
    found = raw(histories([5, 0, 1, 2, 3, 6, 7, 4], times=times), 8, reverse=0.3)
    shuffled = raw(histories([5, 3, 1, 0, 2, 7, 6, 4], times=times), 8, reverse=0.3)
    np.testing.assert_allclose(found, shuffled, rtol=1e-6)
    # Two of four places in a row are 5/3 apart in the mean.
    assert found[0, 3] == found[3, 0] == pytest.approx(0.65 / (5 / 3), HALF)


def test_an_item_does_not_lead_to_itself() -> None:
    model = fit_transitions(histories([0, 0, 1, 0]), 2, k=2)
    assert model.neighbours.tolist() == [[1, NO_ITEM], [0, NO_ITEM]]


def test_pairs_beyond_the_window_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transitions_fit, "WINDOW", 2)
    np.testing.assert_allclose(raw(histories([0, 1, 2, 3]), 4, reverse=0)[0], [0, 1, 1 / 2, 0])


def test_agrees_with_a_loop_over_all_pairs() -> None:
    known = make_histories(40, 30)
    counts = np.bincount(known.items, minlength=30)
    expected = np.zeros((30, 30))
    for row in range(40):
        items = known.items[known.indptr[row] : known.indptr[row + 1]]
        for p in range(len(items)):
            for q in range(p + 1, len(items)):
                elapsed = (known.timestamps[known.indptr[row] + q] - known.timestamps[known.indptr[row] + p]) / DAY
                weight = np.exp(-elapsed / 5) / (q - p)
                expected[items[p], items[q]] += weight
                expected[items[q], items[p]] += 0.4 * weight
    expected /= np.maximum(counts, 1)[:, None] ** 0.5 * np.maximum(counts, 1) ** 0.2
    model = fit_transitions(known, 30, k=5, reverse=0.4, target_power=0.2, days=5, decay=0.9)
    np.testing.assert_allclose(model.similarities, -np.sort(-expected, axis=1)[:, :5], rtol=HALF)
    np.testing.assert_allclose(matrix(model)[matrix(model) > 0], expected[matrix(model) > 0], rtol=HALF)
    assert model.decay == 0.9


@pytest.mark.parametrize("lists", [[], [[]], [[3]]])
def test_histories_without_pairs(lists: list[list[int]]) -> None:
    assert (fit_transitions(histories(*lists), 5, k=3).neighbours == NO_ITEM).all()


def test_lists_do_not_depend_on_the_blocks_that_they_are_made_in(monkeypatch: pytest.MonkeyPatch) -> None:
    known = make_histories(40, 30)
    whole = fit_transitions(known, 30, k=5, reverse=0.4, days=5)
    monkeypatch.setattr("recsys.sources.item_to_item.neighbours_fit._BLOCK_ITEMS", 7)
    in_blocks = fit_transitions(known, 30, k=5, reverse=0.4, days=5)
    np.testing.assert_array_equal(in_blocks.neighbours, whole.neighbours)
    np.testing.assert_array_equal(in_blocks.similarities, whole.similarities)
