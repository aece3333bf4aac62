"""Items by brand and price, sorted, counted and page by page, on both databases: as looking at every item says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from recsys.core.words import title_key
from recsys.store import InvalidCursor, ItemRow, ItemSearch, ItemSort, ItemWrite, Store, item_search
from recsys.store.paging import encode

pytest_plugins = "tests.support.store_fixtures"

SORTS: tuple[ItemSort, ...] = get_args(ItemSort)
N = 150


def make_shop() -> list[ItemRow]:
    """Items of few titles, brands and prices, so that there are ties and gaps of every kind."""
    random = np.random.default_rng(7)
    titles = ["Rose soap", "rose Oil", "Öl", "olive soap", "Zinc", "!?", None]
    return [
        ItemRow(
            f"i{number}",
            titles[random.integers(len(titles))],
            [None, "Acme", "Zeta", "b" * 600][random.integers(4)],
            ("All", f"Group {random.integers(5)}"),
            [None, 0.0, 1.5, 2.25, 9.99, 30.0][random.integers(6)],
        )
        for number in range(N)
    ]


SHOP = make_shop()
SEARCHES = [
    ItemSearch(),
    ItemSearch("rose"),
    ItemSearch("o s"),
    ItemSearch(category="Group 3"),
    ItemSearch(brand="Acme"),
    ItemSearch(brand="acme"),
    ItemSearch(min_price=1.5),
    ItemSearch(max_price=2.25),
    ItemSearch(min_price=2.0, max_price=9.99),
    ItemSearch(min_price=3.0, max_price=9.0),
    ItemSearch("so", "All", "Zeta", 1.0, 10.0),
    ItemSearch("zinc", "Group 1"),
    ItemSearch("nothing", "All"),
]


def expected(search: ItemSearch, shop: Sequence[ItemRow] = SHOP) -> list[str]:
    """By looking at every item."""

    def fits(item: ItemRow) -> bool:
        title = title_key(item.title or "") or ""
        words = [*title.split(), (item.brand or "").lower(), *" ".join(item.categories).lower().split(), item.item_id]
        asked = (search.query or "").split()
        bounds = search.min_price is not None or search.max_price is not None
        least = -np.inf if search.min_price is None else search.min_price
        most = np.inf if search.max_price is None else search.max_price
        return (
            all(any(word.startswith(begin) for word in words) for begin in asked)
            and (search.category is None or search.category in item.categories)
            and (search.brand is None or search.brand == item.brand)
            and (not bounds or (item.price is not None and least <= item.price <= most))
        )

    found = [item for item in shop if fits(item)]
    if search.sort == "popularity":
        return [item.item_id for item in found]
    by_price = search.sort.endswith("price")

    def key(item: ItemRow) -> float | str | None:
        return item.price if by_price else title_key(item.title or "")

    keyed = sorted(((key(item), place, item) for place, item in enumerate(found) if key(item) is not None))
    if search.sort.startswith("-"):
        keyed.reverse()
    return [item.item_id for *_, item in keyed] + [item.item_id for item in found if key(item) is None]


def listed(store: Store, search: ItemSearch, limit: int) -> list[str]:
    """All items of a search, page by page."""
    cursor, ids = None, []
    while True:
        page = store.search_items(search, cursor, limit)
        ids += [row.item_id for row in page.rows]
        assert len(page.rows) == limit or page.next_cursor is None
        if page.next_cursor is None:
            return ids
        cursor = page.next_cursor


@pytest.fixture(scope="module")
def shop(unchanged: Store) -> Store:
    unchanged.put_items(SHOP, "v1")
    return unchanged


@pytest.fixture(params=[(2000, 4000, 5000), (0, 10, 20), (20, 30, 40)], ids=str)
def bounds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Few items are sorted, all are gone through, or one after the other; returns how many are counted."""
    few, walk, counted = request.param
    monkeypatch.setattr(item_search, "FEW", few)
    monkeypatch.setattr(item_search, "WALKS", (walk // 2, walk))
    monkeypatch.setattr(item_search, "COUNTED", counted)
    monkeypatch.setattr(item_search, "EXAMINED", counted)
    return int(counted)


@pytest.mark.usefixtures("bounds")
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("search", SEARCHES, ids=range(len(SEARCHES)))
def test_a_search_lists_what_looking_at_every_item_does(shop: Store, search: ItemSearch, sort: ItemSort) -> None:
    wanted = replace(search, sort=sort)
    assert listed(shop, wanted, 13) == expected(wanted)
    assert listed(shop, wanted, N) == expected(wanted)


@pytest.mark.parametrize("search", SEARCHES, ids=range(len(SEARCHES)))
def test_a_total_is_exact_or_said_not_to_be(shop: Store, search: ItemSearch, bounds: int) -> None:
    page, there_are = shop.search_items(search, None, 3), len(expected(search))
    if page.total_exact:
        assert page.total == there_are
    else:
        assert page.total <= there_are
        several = search.category is not None and search.query is not None
        assert there_are > bounds or several, "of several conditions the one that the fewest items fulfil is gone along"
    assert page.total_exact or bounds < N
    if page.next_cursor:
        assert shop.search_items(search, page.next_cursor, 3).total == page.total


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("other", SORTS)
def test_a_cursor_is_one_of_its_order(shop: Store, sort: ItemSort, other: ItemSort) -> None:
    for limit in (1, N - 1):  # the last row of such a page has what is sorted by, or has none
        cursor = shop.search_items(ItemSearch(sort=sort), None, limit).next_cursor
        if sort == other:
            assert shop.search_items(ItemSearch(sort=other), cursor, N).rows
        else:
            with pytest.raises(InvalidCursor):
                shop.search_items(ItemSearch(sort=other), cursor, N)


@pytest.mark.parametrize("words", [None, "o"])
def test_cursors_to_what_no_store_holds(shop: Store, words: str | None) -> None:
    for price in (float("nan"), float("inf"), -float("inf"), -0.0, 1e308):
        search = ItemSearch(words, sort="price")
        assert len(shop.search_items(search, encode("items by price", [price, 0, "a\0"]), N).rows) <= N
    search = ItemSearch(words, sort="title")
    page = shop.search_items(search, encode("items by title", ["\0", 2**61, "a\0"]), N)
    assert {row.item_id for row in page.rows} <= set(expected(search))


def test_items_stand_where_they_belong_as_soon_as_they_change(store: Store) -> None:
    store.put_items([ItemRow("a", "Apple", "Acme", (), 1.0), ItemRow("b", "Bean", "Acme", (), 2.0)], "v1")
    changes = [
        ItemWrite("patch", "a", {"price": 3.0, "title": "Corn"}, known=True),
        ItemWrite("put", "new", {"title": "Élan", "brand": "Acme", "price": 2.5}, known=False),
    ]
    store.items.write(changes, who=None, timestamp=1.0)
    assert listed(store, ItemSearch(sort="price"), 2) == ["b", "new", "a"]
    assert listed(store, ItemSearch(sort="title"), 2) == ["b", "a", "new"]
    assert listed(store, ItemSearch(brand="Acme", min_price=2.5, sort="-price"), 2) == ["a", "new"]
    store.items.write([ItemWrite("patch", "a", {"price": None, "brand": None}, known=True)], who=None, timestamp=2.0)
    assert listed(store, ItemSearch(sort="-price"), 2) == ["new", "b", "a"]
    assert store.search_items(ItemSearch(brand="Acme"), None, 5).total == 2
    assert store.search_items(ItemSearch(), None, 1).total == 3


@pytest.mark.parametrize("title", ["Crème", "CREME", "  crème!  "])
def test_titles_are_sorted_without_case_accents_and_punctuation(title: str) -> None:
    assert title_key(title) == "creme"
    assert title_key("Wi-Fi (2nd)") == "wi fi 2nd"
    assert title_key("...") is None
    assert title_key("x" * 500) == "x" * 100
