from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from recsys.bundle.catalogue import Catalogue, ItemRecord, write_catalogue
from recsys.core.errors import BundleError
from recsys.core.queries import NO_ITEM

ITEMS = [
    ItemRecord(1, "b'; DROP TABLE items; --", title="Größe 5 – “quoted”", categories=("Café", "日本")),
    ItemRecord(0, "a", title="First", brand="Acme", categories=("All",), price=9.99, image="i.jpg", description="d"),
    ItemRecord(2, "42", price=0.0),
]
USERS = ["u0", "", "ユーザー", "u\x00null"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_catalogue(tmp_path / "catalogue.sqlite", ITEMS, USERS)
    return tmp_path / "catalogue.sqlite"


def test_records_come_back_whole_and_in_the_order_asked_for(path: Path) -> None:
    catalogue = Catalogue(path)
    assert catalogue.items([2, 0, 1, 0]) == [ITEMS[2], ITEMS[1], ITEMS[0], ITEMS[1]]
    assert catalogue.items(np.array([1], np.int32)) == [ITEMS[0]]
    assert catalogue.items([]) == []
    assert (catalogue.n_items, catalogue.n_users) == (3, 4)


def test_rows_and_ids_translate_both_ways(path: Path) -> None:
    catalogue = Catalogue(path)
    assert [catalogue.item_row(item.item_id) for item in ITEMS] == [1, 0, 2]
    assert catalogue.user_rows(USERS) == {user: row for row, user in enumerate(USERS)}
    assert catalogue.item_ids([2, 1]) == ["42", ITEMS[0].item_id]
    assert catalogue.user_ids([3, 0]) == [USERS[3], "u0"]


def test_cards_facets_and_users_in_order(path: Path) -> None:
    catalogue = Catalogue(path)
    cards = catalogue.cards([0, 2, 0, 7])
    assert cards == {0: ("a", "First", "Acme", 9.99), 2: ("42", None, None, 0.0)}
    assert list(catalogue.facets()) == [("Acme", ("All",), 9.99), (None, ("Café", "日本"), None), (None, (), 0.0)]
    assert catalogue.users_after(None, 10) == [("", 1), ("u\x00null", 3), ("u0", 0), ("ユーザー", 2)]
    assert catalogue.users_after("u0", 10) == [("ユーザー", 2)]
    assert catalogue.users_after("u", 2) == [("u\x00null", 3), ("u0", 0)]
    assert catalogue.users_after("\U0010ffff", 2) == []
    assert catalogue.users_after(None, 10, "u") == [("u\x00null", 3), ("u0", 0)]
    assert catalogue.users_after("u\x00null", 10, "u") == [("u0", 0)]
    assert catalogue.users_after(None, 10, "ユ") == [("ユーザー", 2)]
    assert catalogue.users_after(None, 10, "v") == []


@pytest.mark.parametrize("unknown", ["zzz", "A", "' OR 1=1 --", "\ud800", "\U0010ffff", "x" * 100_000, "0"])
def test_an_unknown_id_has_no_row(path: Path, unknown: str) -> None:
    catalogue = Catalogue(path)
    assert catalogue.item_row(unknown) is None
    assert catalogue.user_rows([unknown]) == {}


def test_rows_of_many_ids_at_once(tmp_path: Path) -> None:
    users = [f"u{n}" for n in range(1200)]
    write_catalogue(tmp_path / "catalogue.sqlite", ITEMS, users)
    catalogue = Catalogue(tmp_path / "catalogue.sqlite")
    asked = ["nobody", "\ud800", *reversed(users), "u3"]
    assert catalogue.user_rows(asked) == {user: row for row, user in enumerate(users)}
    assert catalogue.user_rows([]) == {}
    assert catalogue.item_rows([item.item_id for item in ITEMS] + ["none"]) == {
        item.item_id: item.row for item in ITEMS
    }


@pytest.mark.parametrize("row", [NO_ITEM, 3, 10**30])
def test_an_unknown_row_is_an_error(path: Path, row: int) -> None:
    catalogue = Catalogue(path)
    for lookup in (catalogue.items, catalogue.item_ids):
        with pytest.raises(KeyError):
            lookup([0, row])
    with pytest.raises(KeyError):
        catalogue.user_ids([4])


def test_many_rows_at_once(tmp_path: Path) -> None:
    write_catalogue(tmp_path / "c", (ItemRecord(row, f"i{row}") for row in range(50_000)), [])
    rows = np.random.default_rng(0).permutation(50_000)
    assert Catalogue(tmp_path / "c").item_ids(rows) == [f"i{row}" for row in rows]


def test_many_threads_read_at_once(path: Path) -> None:
    catalogue = Catalogue(path)

    def read(turn: int) -> bool:
        return catalogue.items([turn % 3])[0].row == turn % 3 and catalogue.user_rows([USERS[turn % 4]]) == {
            USERS[turn % 4]: turn % 4
        }

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(read, range(2000)))


def test_reading_writes_nothing_and_needs_no_permission(path: Path) -> None:
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        assert Catalogue(path).item_row("a") == 0
        assert [p.name for p in path.parent.iterdir()] == [path.name]
    finally:
        path.parent.chmod(0o755)


def test_a_path_with_characters_that_mean_something_in_a_uri(path: Path, tmp_path: Path) -> None:
    odd = tmp_path / "50% off? #1 ünï"
    odd.mkdir()
    shutil.copy(path, odd / "catalogue.sqlite")
    assert Catalogue(odd / "catalogue.sqlite").item_row("a") == 0


@pytest.mark.parametrize(
    ("items", "users"),
    [
        ([ItemRecord(0, "a"), ItemRecord(1, "a")], []),
        ([ItemRecord(0, "a"), ItemRecord(0, "b")], []),
        ([], ["u", "u"]),
    ],
)
def test_ids_and_rows_must_be_distinct(tmp_path: Path, items: list[ItemRecord], users: list[str]) -> None:
    with pytest.raises(BundleError, match="distinct"):
        write_catalogue(tmp_path / "c", items, users)


def test_a_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="catalogue in"):
        Catalogue(tmp_path / "missing.sqlite")
    assert not (tmp_path / "missing.sqlite").exists()
    (tmp_path / "text").write_text("not a database, but long enough to be read as one" * 100)
    with pytest.raises(BundleError, match="not a database"):
        Catalogue(tmp_path / "text")
