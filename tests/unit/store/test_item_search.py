"""The listing and search of items, on both databases."""

import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.store import Appended, FoundItems, InvalidRecord, ItemRow, ItemSearch, Page, Store, item_search
from tests.support.databases import event, query

pytest_plugins = "tests.support.store_fixtures"


def ids(page: Page[ItemRow]) -> list[str]:
    return [row.item_id for row in page.rows]


SHOP = [
    ItemRow("B1", "Crème Brûlée Torch", "Flambé & Co", ("Kitchen", "Tools"), 24.5, "http://x/1.jpg"),
    ItemRow("A2", "Torchlight 3000", "lumen", ("Tools",), 9.0),
    ItemRow("C3", "Wi-Fi shampoo/conditioner", None, ("Beauty", "Hair Care"), None),
    ItemRow("D4"),
]


@pytest.fixture(scope="module")
def shop(unchanged: Store) -> Store:
    unchanged.put_items(SHOP, "v1")
    return unchanged


@pytest.mark.parametrize(
    ("words", "item_ids"),
    [
        (None, ["B1", "A2", "C3", "D4"]),
        ("", ["B1", "A2", "C3", "D4"]),
        ("  ", ["B1", "A2", "C3", "D4"]),
        ("torch", ["B1", "A2"]),
        ("TORCH", ["B1", "A2"]),
        ("torchl", ["A2"]),
        ("creme brulee", ["B1"]),
        ("CRÈME", ["B1"]),
        ("torch creme", ["B1"]),
        ("creme nothing", []),
        ("rch", []),  # a query matches beginnings of words
        ("conditioner", ["C3"]),
        ("wi-fi", ["C3"]),
        ("fi", ["C3"]),
        ("hair", ["C3"]),
        ("flambe", ["B1"]),
        ("3000", ["A2"]),
        ("d4", ["D4"]),
        ("?!", []),
        ("torch OR conditioner", []),  # no operators
        ("NOT torch", []),
        ("torch*", ["B1", "A2"]),
        ('"torch"', ["B1", "A2"]),
        ("title:torch", []),
        ("torch' & 'x", []),
    ],
)
def test_search(shop: Store, words: str | None, item_ids: list[str]) -> None:
    assert ids(shop.search_items(ItemSearch(words), None, 10)) == item_ids


def test_search_within_a_category(shop: Store) -> None:
    assert ids(shop.search_items(ItemSearch(category="Tools"), None, 10)) == ["B1", "A2"]
    assert ids(shop.search_items(ItemSearch("torchlight", "Tools"), None, 10)) == ["A2"]
    assert ids(shop.search_items(ItemSearch("torchlight", "Kitchen"), None, 10)) == []
    for category in ("tools", "Tool", "", "%", "Hair", "a\0", "\ud800"):
        assert ids(shop.search_items(ItemSearch(category=category), None, 10)) == []
    assert shop.search_items(ItemSearch("brulee"), None, 10).rows == SHOP[:1]
    assert shop.search_items(ItemSearch(category="Hair Care"), None, 10).rows == SHOP[2:3]


NAMES = ["a", 'a"', '"a', ', "a', '", "a', "[a", "\\", "é", "A"]


@pytest.mark.parametrize("few", [2_000, 0], ids=["few", "many"])
def test_a_category_is_one_name_as_a_whole(store: Store, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_search, "FEW", few)
    store.put_items([ItemRow(str(number), "word", None, ("x", name)) for number, name in enumerate(NAMES)], "v1")
    for number, name in enumerate(NAMES):
        assert ids(store.search_items(ItemSearch("word", name), None, 20)) == [str(number)]
    assert len(ids(store.search_items(ItemSearch("word", "x"), None, 20))) == len(NAMES)


@given(words=st.text(max_size=60) | st.text(alphabet="\"'*():&|!<->^\\ abNEARORANDNOT", max_size=60))
@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_no_query_is_an_error(store: Store, words: str) -> None:
    if store.items_version() is None:
        store.put_items([*SHOP, ItemRow("own", "")], "v1")
    assert set(ids(store.search_items(ItemSearch(words), None, 10))) <= {"B1", "A2", "C3", "D4", "own"}


@given(title=st.text(min_size=1, max_size=40))
@settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_an_item_is_found_by_its_own_title(store: Store, title: str) -> None:
    version = int(store.items_version() or 0) + 1
    store.put_items([ItemRow("only", title)], str(version))
    if any(char.isalnum() for char in unicodedata.normalize("NFKD", title).casefold()):
        assert ids(store.search_items(ItemSearch(title), None, 10)) == ["only"]


def test_long_words_and_texts_are_no_error(store: Store) -> None:
    long = "x" * 5000
    many = " ".join(f"w{n}" for n in range(5000))
    store.put_items([ItemRow("a", long), ItemRow("b", many, categories=("c" * 5000, "d"))], "v1")
    assert ids(store.search_items(ItemSearch(long), None, 10)) == ["a"]
    assert ids(store.search_items(ItemSearch("w1 " * 3000), None, 10)) == ["b"]
    assert ids(store.search_items(ItemSearch(category="d"), None, 10)) == ["b"]
    assert store.search_items(ItemSearch(category="c" * 5000), None, 10).rows == []


def test_items_whose_texts_no_database_holds(store: Store) -> None:
    store.put_items([ItemRow("a", "x\0y", "\ud800", ("\0",), float("nan"), "i\0")], "v1")
    assert store.search_items(ItemSearch(), None, 5).rows == [
        ItemRow("a", "x\ufffdy", "\ufffd", ("\ufffd",), None, "i\ufffd")
    ]


def test_items_are_replaced_as_a_whole(store: Store) -> None:
    assert store.items_version() is None
    assert store.search_items(ItemSearch(), None, 5) == FoundItems([])

    def new_ones() -> Iterator[ItemRow]:
        for number in range(1200):
            if number in (0, 700, 1199):
                assert ids(store.search_items(ItemSearch(), None, 10)) == ["B1", "A2", "C3", "D4"]
                assert ids(store.search_items(ItemSearch("torch", "Tools"), None, 10)) == ["B1", "A2"]
                assert store.items_version() == "v1"
                assert store.stats().items == 4
                assert store.append([event(number)]) == Appended(1, 0)
            yield ItemRow(f"n{number}", "torch", categories=("Tools",))

    store.put_items(SHOP, "v1")
    store.put_items(new_ones(), "v2")
    assert ids(store.search_items(ItemSearch("torch", "Tools"), None, 3)) == ["n0", "n1", "n2"]
    assert ids(store.search_items(ItemSearch("creme"), None, 3)) == []
    assert (store.items_version(), store.stats().items) == ("v2", 1200)
    store.put_items(iter([]), "v2")  # they are of this version already
    assert store.stats().items == 1200


def test_a_replacement_that_fails_leaves_the_old_items(store: Store, store_url: str) -> None:
    store.put_items(SHOP, "v1")

    def broken() -> Iterator[ItemRow]:
        yield from (ItemRow(f"n{number}", "torch", categories=("Tools",)) for number in range(600))
        raise OSError("the bundle has gone")

    with pytest.raises(OSError, match="gone"):
        store.put_items(broken(), "v2")
    with pytest.raises(InvalidRecord, match="occurs twice"):
        store.put_items([ItemRow("a"), ItemRow("a")], "v3")
    with pytest.raises(InvalidRecord, match="item_id of item 1"):
        store.put_items([ItemRow("a"), ItemRow("a\0")], "v4")
    assert ids(store.search_items(ItemSearch("torch"), None, 10)) == ["B1", "A2"]
    assert store.items_version() == "v1"
    # What they left behind goes with the next one.
    store.put_items(SHOP[:1], "v5")
    assert query(store_url, "SELECT count(*) FROM items") == [(1,)]
    assert query(store_url, "SELECT kind, count(*) FROM item_keys GROUP BY kind ORDER BY kind") == [
        ("brand", 1),
        ("category", 2),
        ("price", 1),
        ("title", 1),
    ]
    assert query(store_url, "SELECT version FROM catalogues") == [("v5",)]


def test_of_two_replacements_at_once_the_one_that_began_later_stays(store: Store, store_url: str) -> None:
    def slow() -> Iterator[ItemRow]:
        yield ItemRow("slow")
        store.put_items([ItemRow("quick", "torch")], "quick")

    store.put_items(SHOP, "v1")
    store.put_items(slow(), "slow")
    assert ids(store.search_items(ItemSearch(), None, 10)) == ["quick"]
    assert store.items_version() == "quick"
    store.put_items(SHOP, "v2")
    assert query(store_url, "SELECT count(*) FROM items") == [(4,)]


@pytest.mark.parametrize(("words", "category"), [(None, None), ("torch", None), (None, "Tools"), ("tor", "Tools")])
def test_items_page_by_page_while_others_come(store: Store, words: str | None, category: str | None) -> None:
    def put(numbers: list[int], version: int) -> None:
        store.put_items([ItemRow(f"i{n}", "torch", categories=("Tools",)) for n in numbers], f"v{version}")

    numbers = list(range(10))
    put(numbers, 0)
    page = store.search_items(ItemSearch(words, category), None, 3)
    seen = ids(page)
    for version in (1, 2, 3):
        # New ones at every end, and the last item shown may go.
        numbers = [100 * version, *numbers, 100 * version + 1]
        put(numbers, version)
        page = store.search_items(ItemSearch(words, category), page.next_cursor, 3)
        seen += ids(page)
    assert seen == ["i0", "i1", "i2", "i3", "i4", "i5", "i6", "i7", "i8", "i9", "i101", "i201"]
    assert page.next_cursor is not None


def test_a_page_after_an_item_that_is_gone(store: Store) -> None:
    store.put_items([ItemRow(name) for name in "abcdef"], "v1")
    cursor = store.search_items(ItemSearch(), None, 3).next_cursor
    store.put_items([ItemRow(name) for name in "abdef"], "v2")
    assert ids(store.search_items(ItemSearch(), cursor, 3)) == ["e", "f"]  # c was the last item shown
