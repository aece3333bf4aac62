"""What every store does with a shop's live items, whatever its database."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from recsys.core.item_changes import ItemChange
from recsys.store import (
    MISSING,
    UNCHANGED,
    InvalidCursor,
    InvalidRecord,
    ItemConflict,
    ItemRow,
    ItemSearch,
    ItemWrite,
    LiveItem,
    Store,
)
from recsys.store.live_item_records import MAX_FIELDS_CHARS
from recsys.store.live_items import ROWS_AT_ONCE
from recsys.store.paging import encode
from tests.support.databases import patient

pytest_plugins = "tests.support.store_fixtures"

VERSION = "shop/1"
NO_FIELDS = dict.fromkeys(("title", "brand", "description", "image", "categories", "price"))
CATALOGUE = [
    ItemRow("a", "Argan shampoo", "Arganics", ("Beauty", "Hair"), 9.5, "a.jpg"),
    ItemRow("b", "Barber's soap", "Barber", ("Beauty",), 3.0),
    ItemRow("c", "Comb", None, ("Hair",), 1.0),
]


def put(store: Store, item_id: str, fields: dict[str, Any], timestamp: float = 1.0, who: str | None = "shop") -> Any:
    return store.items.put(item_id, fields, who=who, timestamp=timestamp)


def patch(store: Store, item_id: str, fields: dict[str, Any], timestamp: float = 1.0, *, known: bool = True) -> Any:
    return store.items.patch(item_id, fields, known=known, who="shop", timestamp=timestamp)


def found(store: Store, query: str | None = None, category: str | None = None) -> list[str]:
    return [row.item_id for row in store.search_items(ItemSearch(query, category), None, 100).rows]


def test_a_new_store_holds_no_live_items(store: Store) -> None:
    assert store.items.version() == 0
    assert list(store.items.changes_since()) == []
    assert store.items.read() == []
    assert store.items.find(["a"]) == {}
    assert store.items.page(None, 10).rows == []


def test_an_item_is_kept_with_all_that_is_said_of_it(store: Store) -> None:
    fields = {"title": "Ü\u0001😀", "price": 1.5, "categories": ("A", "B"), "available": False, "stock": None, "n": 2}
    item, done = put(store, "a", fields, 3.0, "boss\0")
    change = ItemChange("a", {**NO_FIELDS, **fields}, deleted=False, version=1, timestamp=3.0)
    assert (item, done) == (LiveItem(change, 1, 3.0, "boss\ufffd"), "created")
    assert store.items.find(["b", "a", "\ud800"]) == {"a": item}
    assert store.items.read() == [change]
    assert isinstance(store.items.read()[0].fields["available"], bool)


def test_fields_are_put_as_a_whole_and_patched_one_by_one(store: Store) -> None:
    put(store, "a", {"title": "x", "price": 1.0})
    item, done = patch(store, "a", {"price": None, "stock": 3.0}, 2.0)
    assert done == "patched"
    assert item.change == ItemChange("a", {**NO_FIELDS, "title": "x", "stock": 3.0}, version=2, timestamp=2.0)
    assert (item.first_version, item.since) == (1, 1.0)
    item, done = put(store, "a", {"price": 2.0}, 3.0)
    assert (item.change.fields, item.change.version, done) == ({**NO_FIELDS, "price": 2.0}, 3, "replaced")


def test_what_says_the_same_is_no_change(store: Store) -> None:
    first, _ = put(store, "a", {"price": 1.0, "title": "x"})
    assert put(store, "a", {"title": "x", "price": 1.0}, 2.0, "other") == (first, "nothing")
    assert patch(store, "a", {"title": "x"}, 2.0) == (first, "nothing")
    assert store.items.version() == 1
    assert patch(store, "a", {"price": True}).done == "patched", "a truth value is no number"


def test_what_is_deleted_is_remembered_and_may_come_back(store: Store) -> None:
    put(store, "a", {"title": "x"})
    item, done = store.items.delete("a", who=None, timestamp=2.0)
    assert (item.change, done) == (ItemChange("a", {}, deleted=True, version=2, timestamp=2.0), "deleted")
    assert store.items.read() == [item.change]
    with pytest.raises(ItemConflict) as caught:
        store.items.delete("a", timestamp=3.0)
    assert caught.value.missing == {0}
    with pytest.raises(ItemConflict):
        patch(store, "a", {"price": 1.0})
    item, done = put(store, "a", {"title": "y"}, 4.0)
    assert (item.change.version, item.first_version, item.since, done) == (3, 1, 1.0, "created")


def test_items_of_the_bundle_are_patched_and_deleted_others_are_not(store: Store) -> None:
    assert patch(store, "trained", {"price": 1.0}).done == "patched"
    assert store.items.delete("other", known=True, timestamp=1.0).done == "deleted"
    with pytest.raises(ItemConflict, match="there is no item 'none'"):
        patch(store, "none", {"price": 1.0}, known=False)
    with pytest.raises(ItemConflict):
        store.items.delete("none", known=False, timestamp=1.0)
    assert store.items.version() == 2


def test_all_of_a_batch_is_written_or_nothing(store: Store) -> None:
    put(store, "a", {"price": 1.0})
    writes = [
        ItemWrite("patch", "a", {"price": 2.0}),
        ItemWrite("patch", "none", {"price": 2.0}),
        ItemWrite("put", "b", {"price": 2.0}, expected=4),
        ItemWrite("put", "c", {"price": 2.0}),
    ]
    with pytest.raises(ItemConflict) as caught:
        store.items.write(writes, who=None, timestamp=2.0)
    assert (sorted(caught.value.faults), caught.value.missing) == ([1, 2], {1})
    assert store.items.version() == 1
    assert store.items.read()[0].fields["price"] == 1.0
    written = store.items.write([writes[0], writes[3], ItemWrite("delete", "c")], who=None, timestamp=2.0)
    assert [(item.change.item_id, item.change.version, done) for item, done in written] == [
        ("a", 2, "patched"),
        ("c", 3, "created"),
        ("c", 4, "deleted"),
    ]
    assert [(change.item_id, change.version) for change in store.items.read()] == [("a", 2), ("c", 4)]


def test_an_item_is_changed_as_the_version_that_was_read(store: Store) -> None:
    def attempt(action: Any, item_id: str, expected: int, *, known: bool = False) -> int:
        write = ItemWrite(action, item_id, {} if action == "delete" else {"price": 5.0}, known, expected)
        return store.items.write([write], who=None, timestamp=2.0)[0].item.change.version

    put(store, "a", {"price": 1.0})
    for action, item_id, expected, known in (
        ("put", "a", 9, False),
        ("put", "a", UNCHANGED, False),
        ("put", "a", MISSING, False),
        ("delete", "a", 9, False),
        ("put", "trained", MISSING, True),
        ("patch", "trained", 1, True),
    ):
        with pytest.raises(ItemConflict):
            attempt(action, item_id, expected, known=known)
    assert store.items.version() == 1, "nothing was changed"
    assert attempt("patch", "a", 1) == 2
    assert attempt("patch", "trained", UNCHANGED, known=True) == 3
    assert attempt("put", "new", MISSING) == 4
    assert attempt("delete", "a", 2) == 5
    assert attempt("put", "a", MISSING) == 6, "what is deleted is missing"


@pytest.mark.parametrize(
    ("item_id", "fields"),
    [
        ("", {}),
        ("a\0", {}),
        ("x" * 513, {}),
        ("a", {"title": "\0"}),
        ("a", {"\ud800": 1.0}),
        ("a", {"categories": ("a", "\udfff")}),
        ("a", {"title": "x" * MAX_FIELDS_CHARS}),
    ],
)
def test_what_cannot_be_stored_is_refused(unchanged: Store, item_id: str, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidRecord):
        unchanged.items.write([ItemWrite("put", "b"), ItemWrite("put", item_id, fields)], who=None, timestamp=1.0)
    assert unchanged.items.version() == 0


def test_changes_are_read_from_where_one_stopped(store: Store) -> None:
    for number in range(5):
        put(store, "abc"[number % 3], {"price": float(number)})
    assert [change.version for change in store.items.read()] == [3, 4, 5]
    (part,) = store.items.changes_since(3)
    assert [(item.change.item_id, item.change.version) for item in part] == [("a", 4), ("b", 5)]
    assert list(store.items.changes_since(5)) == []


def test_many_changes_are_read_in_parts(store: Store) -> None:
    count = ROWS_AT_ONCE + 5
    for start in range(0, count, 1000):
        writes = [ItemWrite("put", f"i{n}") for n in range(start, min(start + 1000, count))]
        store.items.write(writes, who=None, timestamp=1.0)
    parts = list(store.items.changes_since())
    assert [len(part) for part in parts] == [ROWS_AT_ONCE, 5]
    assert [change.item_id for change in store.items.read()] == [f"i{n}" for n in range(count)]


def test_live_items_are_listed_page_by_page(store: Store) -> None:
    for number in range(5):
        put(store, f"i{number}", {"price": 1.0})
    first = store.items.page(None, 2)
    put(store, "i4", {"price": 2.0})
    second = store.items.page(first.next_cursor, 2)
    third = store.items.page(second.next_cursor, 2)
    versions = [[item.change.version for item in page.rows] for page in (first, second, third)]
    assert (versions, third.next_cursor) == ([[5, 4], [3, 2], [1]], None)
    for cursor in ("x", encode("users", ["a"]), encode("live items", ["a"])):
        with pytest.raises(InvalidCursor):
            store.items.page(cursor, 2)


def test_writers_who_read_before_they_write_lose_nothing(store: Store, store_url: str) -> None:
    """Each of four adds to one price ten times, and reads it again whenever another was faster."""
    put(store, "a", {"price": 0.0})

    def add() -> None:
        with patient(store_url) as own:
            done = 0
            while done < 10:
                change = own.items.find(["a"])["a"].change
                price = float(change.fields["price"] or 0)  # type: ignore[arg-type]
                write = ItemWrite("patch", "a", {"price": price + 1}, expected=change.version)
                with suppress(ItemConflict):
                    own.items.write([write], who=None, timestamp=1.0)
                    done += 1

    with ThreadPoolExecutor(4) as threads:
        for writer in [threads.submit(add) for _ in range(4)]:
            writer.result()
    (change,) = store.items.read()
    assert (change.version, change.fields["price"]) == (41, 40.0)


def test_search_finds_what_changes_say(store: Store) -> None:
    store.put_items(CATALOGUE, VERSION)
    patch(store, "b", {"title": "Beard oil", "price": 4.0, "categories": ("Care",)})
    store.items.delete("c", timestamp=1.0)
    put(store, "new", {"title": "Nail oil", "categories": ("Care", "Hands")})
    assert found(store) == ["a", "b", "new"], "an item stays where it stood, new ones come last"
    assert (found(store, "soap"), found(store, "oil"), found(store, "comb")) == ([], ["b", "new"], [])
    assert (found(store, None, "Beauty"), found(store, None, "Care"), found(store, "oil", "Hands")) == (
        ["a"],
        ["b", "new"],
        ["new"],
    )
    assert store.search_items(ItemSearch("beard"), None, 9).rows == [
        ItemRow("b", "Beard oil", "Barber", ("Care",), 4.0)
    ]
    assert store.stats().items == 3
    first = store.search_items(ItemSearch("oil"), None, 1)
    assert [row.item_id for row in store.search_items(ItemSearch("oil"), first.next_cursor, 1).rows] == ["new"]
    put(store, "b", {"title": "Oil"})
    assert store.search_items(ItemSearch("oil"), None, 1).rows == [ItemRow("b", "Oil")]
    put(store, "c", {"title": "Comb"})
    assert (found(store, "comb"), store.stats().items) == (["c"], 4)


def test_items_of_the_next_bundle_are_searched_as_they_are_changed(store: Store) -> None:
    put(store, "new", {"title": "Nail oil"})
    patch(store, "b", {"title": "Beard oil"})
    store.items.delete("a", timestamp=1.0)
    store.items.delete("gone", timestamp=1.0)
    assert found(store) == []
    store.put_items(CATALOGUE, VERSION)
    assert found(store) == ["b", "c", "new"]
    assert found(store, "oil") == ["b", "new"]
    store.put_items([*CATALOGUE, ItemRow("new", "From the catalogue")], "shop/2")
    assert store.search_items(ItemSearch(), None, 9).rows == [
        ItemRow("b", "Beard oil", "Barber", ("Beauty",), 3.0),
        ItemRow("c", "Comb", None, ("Hair",), 1.0),
        ItemRow("new", "Nail oil"),
    ]
    assert store.stats().items == 3


def test_items_changed_while_others_are_put_are_found_as_changed(store: Store) -> None:
    def rows() -> Any:
        yield from CATALOGUE[:2]
        patch(store, "a", {"title": "Meanwhile"})
        store.items.delete("b", timestamp=1.0)
        yield CATALOGUE[2]

    store.put_items(rows(), VERSION)
    assert (found(store), found(store, "meanwhile"), found(store, "argan")) == (["a", "c"], ["a"], ["a"])


def test_a_text_is_encoded_by_one_alone(store: Store) -> None:
    vectors = store.text_vectors
    assert vectors.claim("e", ["x", "y", "x"], timestamp=100.0, stale_s=30.0) == ["x", "y"]
    assert vectors.claim("e", ["y", "z"], timestamp=101.0, stale_s=30.0) == ["z"]
    assert vectors.find("e", ["x", "y"]) == {}, "they are being encoded"
    vectors.keep("e", {"x": b"\0\1"}, timestamp=102.0)
    assert vectors.find("e", ["x", "y", "none"]) == {"x": b"\0\1"}
    assert vectors.find("other", ["x"]) == {}
    assert vectors.claim("other", ["x"], timestamp=102.0, stale_s=30.0) == ["x"]
    assert vectors.claim("e", ["x", "y", "z"], timestamp=130.5, stale_s=30.0) == ["y"], "whoever began has gone"
    assert vectors.claim("e", ["y"], timestamp=131.0, stale_s=30.0) == []
    assert vectors.claim("e", ["y"], timestamp=130.0, stale_s=30.0) == [], "asked before, but had to wait"
    assert vectors.claim("e", ["y"], timestamp=90.0, stale_s=30.0) == ["y"], "a clock was ahead"


def test_old_vectors_are_forgotten(store: Store) -> None:
    store.text_vectors.keep("e", {"x": b"x"}, timestamp=10.0)
    store.text_vectors.keep("e", {"y": b"y"}, timestamp=20.0)
    assert store.latest_text_vectors(9) == [20.0, 10.0]
    assert store.text_vectors.forget(20.0, 9) == 1
    assert store.text_vectors.find("e", ["x", "y"]) == {"y": b"y"}
    store.text_vectors.keep("e", {"z": b"z"}, timestamp=5.0)
    assert store.text_vectors.forget(15.0, 9, until=100.0) == 0, "it arrived after one that stays"
