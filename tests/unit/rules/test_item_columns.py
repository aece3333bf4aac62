"""The fields of items, compared with the catalogue and the histories that they come from."""

import gc
import weakref
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from recsys.bundle import Attributes, Bundle, open_bundle
from recsys.core.queries import Queries
from recsys.rules.columns import TextColumn
from recsys.rules.expressions import check, evaluate, parse
from recsys.rules.item_columns import ItemColumns
from tests.support.bundles import make_bundle

N = 60
DAY = 86_400
STOCK = [None if row % 7 == 0 else float(row % 5) for row in range(N)]
SELLERS = [None if row % 11 == 0 else f"seller{row % 3}" for row in range(N)]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder: Path = tmp_path_factory.mktemp("columns")
    attributes = Attributes.of({"stock": "number", "seller": "text"}, {"stock": STOCK, "seller": SELLERS})
    return open_bundle(make_bundle(folder, n_items=N, n_users=12, attributes=attributes))


@pytest.fixture(scope="module")
def items(bundle: Bundle) -> ItemColumns:
    return ItemColumns(bundle)


def texts_of(column: TextColumn) -> list[str | None]:
    return [None if code < 0 else str(column.names[code]) for code in column.codes.tolist()]


def test_texts_are_those_of_the_catalogue(bundle: Bundle, items: ItemColumns) -> None:
    records = bundle.catalogue.items(range(N))
    assert texts_of(items.texts("id")) == [record.item_id for record in records]
    assert texts_of(items.texts("title")) == [record.title or None for record in records]
    assert texts_of(items.texts("brand")) == [record.brand or None for record in records]
    assert texts_of(items.texts("category")) == [
        record.categories[-1] if record.categories else None for record in records
    ]
    assert texts_of(items.texts("top_category")) == [
        record.categories[0] if record.categories else None for record in records
    ]
    lists = items.text_lists("categories")
    for record in records:
        codes = lists.codes[lists.indptr[record.row] : lists.indptr[record.row + 1]]
        assert tuple(lists.names[codes].tolist()) == record.categories
    assert {len(record.categories) for record in records} != {1}
    assert any(record.brand is None for record in records)


def test_prices_are_of_single_precision(bundle: Bundle, items: ItemColumns) -> None:
    prices = [record.price for record in bundle.catalogue.items(range(N))]
    expected = np.array([np.nan if price is None else price for price in prices], np.float32)
    assert items.numbers("price").dtype == np.float32
    np.testing.assert_array_equal(items.numbers("price"), expected)
    assert np.isnan(expected).any()


def test_popularity_counts_interactions_and_ranks_are_of_popular_lists(bundle: Bundle, items: ItemColumns) -> None:
    counts = Counter(bundle.histories.items.tolist())
    assert items.numbers("popularity").tolist() == [counts[row] for row in range(N)]
    popular = bundle.source("popularity").propose(Queries.nobody(), N).items[0]
    assert items.numbers("popularity_rank")[popular].tolist() == list(range(1, N + 1))


def test_ages_are_days_since_the_first_interaction(bundle: Bundle, items: ItemColumns) -> None:
    histories = bundle.histories
    first = {row: int(histories.timestamps[histories.items == row].min()) for row in set(histories.items.tolist())}
    day = int(np.median(list(first.values()))) // DAY
    begin, end = day * DAY, (day + 1) * DAY
    expected = [max(begin - first[row], 0) / DAY if row in first and first[row] < end else np.nan for row in range(N)]
    ages = items.on(day).numbers("age")
    np.testing.assert_array_equal(ages, expected)
    assert np.isnan(ages).any()
    assert (ages > 0).any()
    assert texts_of(items.on(day).texts("id")) == texts_of(items.texts("id"))


def test_what_was_first_seen_today_is_new(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    items, today = ItemColumns(bundle), 20_000
    first = np.full(N, np.nan)
    first[:5] = np.array([today, today + 0.5, today + 1 - 1 / DAY, today + 1, today - 13.5]) * DAY
    monkeypatch.setitem(items.__dict__, "first_interactions", first)
    np.testing.assert_array_equal(items.on(today).numbers("age")[:6], [0, 0, 0, np.nan, 13.5, np.nan])
    condition = check(parse("item.age < 14"), "where", items.types)
    new = evaluate(condition, items.on(today), float(today * DAY)).true
    assert np.flatnonzero(new).tolist() == [0, 1, 2, 4]


def test_attributes_of_the_catalogue_are_fields(items: ItemColumns) -> None:
    assert items.types["stock"] == "number"
    assert items.types["seller"] == "text"
    condition = check(parse('item.seller == "seller1" && item.stock > 2'), "where", items.types)
    outcome = evaluate(condition, items.on(0), 0.0)
    expected = [
        seller == "seller1" and stock is not None and stock > 2 for seller, stock in zip(SELLERS, STOCK, strict=True)
    ]
    assert outcome.true.tolist() == expected
    assert any(expected)


def test_columns_are_kept(items: ItemColumns) -> None:
    for field, kind in items.types.items():
        if kind == "text":
            assert items.texts(field) is items.texts(field)
    assert items.numbers("price") is items.numbers("price")
    assert items.text_lists("categories") is items.text_lists("categories")


def test_columns_hold_their_bundle_no_longer_than_they_are_used(bundle: Bundle) -> None:
    columns = ItemColumns(bundle)
    columns.numbers("price"), columns.numbers("popularity_rank"), columns.texts("category")
    gone = weakref.ref(columns)
    gc.disable()
    try:
        del columns
        assert gone() is None
    finally:
        gc.enable()
