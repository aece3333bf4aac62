from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.pipeline.attributes import NO_VALUE, ItemAttributes

NAN = float("nan")


def histories(items: list[int]) -> Histories:
    """One user who took these items at times 0, 1, 2 …"""
    return Histories.from_rows(1, np.zeros(len(items), int), np.array(items, int), np.arange(len(items)))


def attributes(known: Histories, n_items: int) -> ItemAttributes:
    return ItemAttributes.fit(known, np.full(n_items, NAN), [None] * n_items, [None] * n_items)


def test_prices_brands_and_categories_by_hand() -> None:
    fitted = ItemAttributes.fit(
        histories([0]),
        np.array([10.0, NAN, 0.0, -3.0, np.inf]),
        ["Acme", None, "", "Bolt", "Acme"],
        [["All", "Hats"], [], None, ["Hats", "Hats"], ["Hats", "All"]],
    )
    np.testing.assert_allclose(fitted.log_price, [np.log(10), NAN, NAN, NAN, NAN], rtol=1e-6)
    acme, none, empty, bolt, again = fitted.brand.tolist()
    assert none == empty == NO_VALUE
    assert acme == again
    assert len({acme, bolt, NO_VALUE}) == 3
    rows = [set(row.tolist()) - {NO_VALUE} for row in fitted.categories]
    assert rows[0] == rows[4]
    assert [len(row) for row in rows] == [2, 0, 0, 1, 2]
    assert rows[3] < rows[0]
    assert (fitted.categories[3] != NO_VALUE).sum() == 1, "a name counts once"


def test_counts_and_trend_by_hand() -> None:
    # Ten interactions, of which the last is the latest tenth: item 0. Item 3 was never taken.
    fitted = attributes(histories([1, 1, 1, 1, 1, 2, 2, 0, 0, 0]), 4)
    np.testing.assert_allclose(fitted.log_count, np.log([4, 6, 3, 1]), rtol=1e-6)
    expected = [2 / (0.1 * 3 + 1), 1 / (0.1 * 5 + 1), 1 / (0.1 * 2 + 1), 1]
    np.testing.assert_allclose(fitted.trend, np.log(expected), rtol=1e-6)


def test_nothing_known_is_neutral() -> None:
    fitted = attributes(histories([]), 3)
    for values in (fitted.log_count, fitted.trend, fitted.brand, fitted.categories[:, 0]):
        assert values.tolist() == [0, 0, 0]


def test_items_keep_their_attributes_under_another_numbering() -> None:
    random = np.random.default_rng(0)
    items = random.integers(0, 20, 200)
    new_row = random.permutation(20)
    prices = random.uniform(1, 50, 20)
    before = ItemAttributes.fit(histories(items), prices, [None] * 20, [[]] * 20)
    old_row = np.argsort(new_row)
    after = ItemAttributes.fit(histories(new_row[items]), prices[old_row], [None] * 20, [[]] * 20)
    for name in ("log_price", "log_count", "trend"):
        np.testing.assert_array_equal(getattr(after, name)[new_row], getattr(before, name))


def test_load_gives_back_what_was_saved(tmp_path: Path) -> None:
    fitted = ItemAttributes.fit(
        histories([0, 1, 1]),
        np.array([1.0, NAN, 3.0]),
        ["a", None, "b"],
        [["x"], ["x", "y"], None],
        np.eye(3, dtype=np.float32),
    )
    fitted.save(tmp_path)
    loaded = ItemAttributes.load(tmp_path)
    for name in ("log_price", "brand", "categories", "log_count", "trend"):
        values = getattr(loaded, name)
        assert values.dtype == getattr(fitted, name).dtype
        np.testing.assert_array_equal(values, getattr(fitted, name))
    assert loaded.loans.borrowers.tolist() == fitted.loans.borrowers.tolist() == [2]


def test_what_nobody_chose_yet_borrows_count_and_trend() -> None:
    text = np.array([[1, 0.1, 0], [0, 1, 0.2], [0, 0.9, 0.1], [0.2, 0, 1]], np.float32)
    columns = (np.full(4, NAN), [None] * 4, [None] * 4)
    alone = ItemAttributes.fit(histories([0, 1, 1, 1, 3]), *columns)
    fitted = ItemAttributes.fit(histories([0, 1, 1, 1, 3]), *columns, text)
    assert fitted.loans.borrowers.tolist() == [2]
    assert fitted.loans.lenders[0, 0] == 1
    for name in ("log_count", "trend"):
        before, after = getattr(alone, name), getattr(fitted, name)
        np.testing.assert_allclose(after[2], fitted.loans.weights[0] @ before[fitted.loans.lenders[0]], rtol=1e-6)
        np.testing.assert_array_equal(np.delete(after, 2), np.delete(before, 2))


@pytest.mark.parametrize("categories", [[[], []], [None, None]])
def test_a_catalogue_without_categories_has_one_empty_column(categories: list[list[str] | None]) -> None:
    fitted = ItemAttributes.fit(histories([0]), np.full(2, NAN), [None, None], categories)
    assert fitted.categories.tolist() == [[NO_VALUE], [NO_VALUE]]
