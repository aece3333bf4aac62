"""The tables, what is served and logged in them, and what it takes to open a store."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from recsys.store import ItemRow, ItemSearch, Served, Store, StoreError
from recsys.store.tables import SCHEMA_VERSION, metadata
from tests.support.databases import PATIENT_S, engine_of, event, patient

pytest_plugins = "tests.support.store_fixtures"


def test_what_was_served_comes_back_by_time(store: Store) -> None:
    rows = [
        Served("r2", "ü", 20.0, "2024-01-01", "hybrid", ("b", "a"), (0.5, 0.25)),
        Served("r1", None, 10.0, "2024-01-01", "popularity", ()),
        Served("r3", "v", 30.0, "2024-01-02", "two_tower", ("c",)),
        Served("r4", "v", 20.0, "2024-01-02", "two_tower", ("d",)),
    ]
    store.add_served(rows)
    store.add_served([])
    assert list(store.served(0, 100)) == [rows[1], rows[0], rows[3], rows[2]]
    assert list(store.served(10.0, 20.0)) == [rows[1]]
    assert list(store.served(20.0, 30.0)) == [rows[0], rows[3]]
    assert list(store.served(31, 100)) == []


def test_served_refuses_no_text(store: Store) -> None:
    moment = 1700000000.1234567
    first = Served("r\0", "\ud800", moment, "v", "m", ("a\0", "😀"), (float("nan"), 1e-7))
    store.add_served([first, first._replace(item_ids=("\udfff", "b"))])
    row, other = store.served(0, 2e9)
    assert (row.request_id, row.user_id, row.item_ids) == ("r\ufffd", "\ufffd", ("a\0", "😀"))
    assert (row.timestamp, other.item_ids) == (moment, ("\ufffd", "b"))
    np.testing.assert_array_equal(row.scores, [np.nan, 1e-7])


def test_what_was_served_long_ago_is_forgotten_the_oldest_first(store: Store) -> None:
    rows = [Served(str(n), "u", at, "v", "m", ("a",)) for n, at in enumerate((30.0, 10.0, 40.0, 20.0))]
    store.add_served(rows)
    assert store.forget_served(35.0, limit=2) == 2
    assert list(store.served(0, 100)) == [rows[0], rows[2]]
    assert store.forget_served(30.0, limit=9) == 0, "what is as old as that stays"
    assert store.forget_served(35.0, limit=9) == 1
    assert list(store.served(0, 100)) == [rows[2]]


def test_many_served_rows_are_read_in_parts(store: Store) -> None:
    store.add_served([Served(str(n), "u", float(n), "v", "m", ("a",)) for n in range(2500)])
    assert [row.request_id for row in store.served(0, 1e9)] == [str(n) for n in range(2500)]


def test_migrations_make_the_tables_of_the_schema(store: Store, store_url: str) -> None:
    engine = engine_of(store_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    own = ("items_words", "alembic_version")  # the full-text index, which is of one database alone
    assert [change for change in differences if not any(name in str(change) for name in own)] == []


def test_the_version_is_that_of_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "recsys.store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA_VERSION


@pytest.mark.parametrize("version", ["0002", "0003", "0004"])
def test_a_store_of_a_version_before_is_upgraded_with_all_it_holds(store: Store, store_url: str, version: str) -> None:
    store.append([event(1)])
    downgrade(store_url, version)
    with pytest.raises(StoreError, match=r"Store\.upgrade\(\)"):
        store.live_users.version()
    store.upgrade()
    assert store.stats().events == 1
    assert (store.rules.version(), store.items.version(), store.live_users.version()) == (0, 0, 0)


def downgrade(url: str, version: str) -> None:
    """Make a store one of a version before."""
    config = Config()
    config.set_main_option("script_location", "recsys.store:migrations")
    with engine_of(url).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, version)


def test_items_of_a_version_before_are_sorted_and_found(store: Store, store_url: str) -> None:
    shop = [
        ItemRow("a", "Zinc", "Acme", ("All", "x"), 2.0),
        ItemRow("b", "Öl", None, ("All",)),
        ItemRow("c", None, "Acme", (), 1.0),
    ]
    searches = [ItemSearch(sort=sort) for sort in ("price", "-price", "title", "-title")]
    searches += [ItemSearch(brand="Acme"), ItemSearch(category="All"), ItemSearch(min_price=1.5)]
    store.put_items(shop, "v1")
    before = [store.search_items(search, None, 9) for search in searches]
    assert [row.item_id for row in before[1].rows] == ["a", "c", "b"]
    store.close()
    downgrade(store_url, "0005")
    store.upgrade()
    assert [store.search_items(search, None, 9) for search in searches] == before


def test_upgrading_again_changes_nothing(store: Store) -> None:
    store.append([event(1)])
    store.upgrade()
    assert store.stats().events == 1


def test_a_store_without_tables_says_what_to_do(store_url: str) -> None:
    with patient(store_url) as empty:
        for call in (empty.ping, empty.stats, lambda: empty.append([event(1)]), lambda: list(empty.all_events())):
            with pytest.raises(StoreError, match=r"Store\.upgrade"):
                call()
        empty.upgrade()
        empty.ping()


def test_a_store_of_a_newer_version_is_refused(store: Store, store_url: str) -> None:
    engine = engine_of(store_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'tomorrow'"))
    with pytest.raises(StoreError, match="newest version"):
        store.upgrade()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://root:geheim@h/d",
        "mysql://h/d?password=geheim&sslpassword=geheim",
        "http://u:geheim@h/",
        "postgresql://u:geheim@h",
        "://",
    ],
)
def test_a_wrong_url_is_told_without_its_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store.open(url)
    assert "geheim" not in str(caught.value)


def test_a_process_loads_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    with patient(url) as store:
        store.upgrade()
    code = f"""
import sys
from recsys.store import Event, Store
store = Store.open({url!r}, timeout_s={PATIENT_S})
store.upgrade()  # nothing is left to do
store.append([Event("e", "u", "i", "view", 1.0)])
print([name for name in ("alembic", "mako", "psycopg", "numpy", "pandas", "yaml") if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "[]"
