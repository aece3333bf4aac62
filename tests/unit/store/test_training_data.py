"""Preparation straight from a store: the same dataset as from the same events in a file."""

import csv
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from recsys.config import Config, parse_config
from recsys.core.errors import DataError
from recsys.core.events import EVENT_TYPES, EVENT_WEIGHTS, LARGEST_AMOUNT, MAX_POSITION
from recsys.core.values.event_types import normal_event_type
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset
from recsys.store import Event, Store, StoreError, event_log
from serve.events.schemas import EventBody
from tests.support.databases import event, patient, query, seen
from tests.support.postgres import PostgresServer
from tests.support.ready_stores import make_tables

pytest_plugins = "tests.support.store_fixtures"

# The steps after reading do not depend on the database.
ON_ONE_DATABASE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
COLUMNS = ("user_id", "item_id", "event_type", "timestamp", "rating", "price", "quantity")
COLUMNS_WITH_ID = ("event_id", *COLUMNS)
FILES = ("interactions.parquet", "users.parquet", "items.parquet")


def config(folder: Path, kind: str, log: str | Path, **data: Any) -> Config:
    values = {"format": kind, "interactions": [log], "prepared_dir": folder, "k_core_users": 2, "k_core_items": 2}
    return parse_config({"name": "shop", "data": {**values, **data}}, "the test")


def run(folder: Path, kind: str, log: str | Path, **data: Any) -> Path:
    return prepare(config(folder, kind, log, **data), Console(quiet=True))


def shop_events() -> list[Event]:
    """Events of all types with ties in time, fractions of seconds, odd ids, and fields that are missing."""
    draw = random.Random(11)
    users = [*(f"u{n}" for n in range(20)), 'Ü, "x"', "日本", "v w", "1e3"]
    items = [*(f"i{n}" for n in range(12)), "é x", "007", "nul"]
    events = []
    for number in range(900):
        kind = draw.choice(list(EVENT_WEIGHTS))
        events.append(
            Event(
                f"e{draw.random()}",
                draw.choice(users),
                draw.choice(items),
                kind,
                1.7e9 + draw.randrange(60) + draw.choice([0.0, 0.25, 0.999999]),
                rating=draw.choice([1.0, 2.5, 5.0]) if kind == "rating" else None,
                price=draw.choice([None, 19.99, 1e-05, 3.0]) if kind == "purchase" else None,
                quantity=draw.choice([None, 1.0, 2.0]) if number % 3 else None,
            )
        )
    return events


def write_csv(path: Path, events: list[Event], columns: Sequence[str] = COLUMNS) -> Path:
    with path.open("w", encoding="utf8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([getattr(logged, name) for name in columns] for logged in events)
    return path


def test_as_from_the_same_events_in_a_file(store: Store, store_url: str, tmp_path: Path) -> None:
    events = shop_events()
    for start in range(0, len(events), 70):
        store.append(events[start : start + 70])
    catalogue = tmp_path / "items.jsonl"
    catalogue.write_text("".join(json.dumps({"item_id": f"i{n}", "title": f"Item {n}"}) + "\n" for n in range(12)))
    path = store_url.removeprefix("sqlite:///")
    from_store = run(tmp_path / "a", "store", path, metadata=[catalogue])
    from_file = run(
        tmp_path / "b",
        "events",
        write_csv(tmp_path / "events.csv", events),
        metadata=[catalogue],
        event_weights=dict(EVENT_WEIGHTS),
    )
    for name in FILES:
        assert (from_store / name).read_bytes() == (from_file / name).read_bytes()
    manifest, expected = (
        json.loads((folder / "manifest.json").read_text("utf8")) for folder in (from_store, from_file)
    )
    for key in ("interactions", "metadata", "split", "counts", "time_range", "has_ratings", "files"):
        assert manifest[key] == expected[key]
    dataset = PreparedDataset.load(from_store)
    assert {"price", "quantity"} <= set(dataset.interactions.columns)
    assert dataset.interactions["rating"].notna().any()


@ON_ONE_DATABASE
def test_what_is_told_of_lists_is_in_no_dataset(store: Store, store_url: str, tmp_path: Path) -> None:
    store.append(shop_events())
    path = store_url.removeprefix("sqlite:///")
    before = run(tmp_path / "a", "store", path)
    store.append([], [seen(n, user_id=f"u{n % 30}", item_id=f"i{n % 15}", timestamp=1.7e9 + n) for n in range(1000)])
    after = run(tmp_path / "b", "store", path)
    for name in FILES:
        assert (after / name).read_bytes() == (before / name).read_bytes()
    about, expected = (json.loads((one / "manifest.json").read_text("utf8"))["sources"][0] for one in (after, before))
    assert (about["lines"], about["kept"], about["dropped"]) == (expected["lines"], expected["kept"], {})


@ON_ONE_DATABASE
def test_impressions_that_older_servers_took_for_events_are_counted_apart(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    store.append(shop_events())
    query(store_url, "UPDATE events SET event_type = 'impression' WHERE seq % 3 = 0")
    path = store_url.removeprefix("sqlite:///")
    (about,) = json.loads((run(tmp_path, "store", path) / "manifest.json").read_text("utf8"))["sources"]
    assert (about["kept"], about["dropped"]) == (600, {"list_event": 300})


@ON_ONE_DATABASE
def test_the_manifest_tells_what_was_read(store: Store, store_url: str, tmp_path: Path) -> None:
    events = shop_events()
    store.append(events)
    path = store_url.removeprefix("sqlite:///")
    (about,) = json.loads((run(tmp_path, "store", path) / "manifest.json").read_text("utf8"))["sources"]
    assert (about["lines"], about["kept"], about["dropped"]) == (900, 900, {})
    again = json.loads((run(tmp_path, "store", path) / "manifest.json").read_text("utf8"))["sources"][0]
    assert again == about
    store.append([event(1)])
    other = json.loads((run(tmp_path, "store", path) / "manifest.json").read_text("utf8"))["sources"][0]
    assert other["sha256"] != about["sha256"]
    assert other["bytes"] > about["bytes"] > 900


def test_more_events_than_are_read_at_once(
    store: Store, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "ROWS_AT_ONCE", 100)
    store.append([event(n, user_id=f"u{n % 15}", item_id=f"i{n // 15}") for n in range(450)])
    folder = run(tmp_path, "store", store_url.removeprefix("sqlite:///"))
    assert PreparedDataset.load(folder).manifest["counts"]["interactions"] == 450


@ON_ONE_DATABASE
def test_events_that_the_config_does_not_allow_are_counted_and_stop_nothing(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    path = store_url.removeprefix("sqlite:///")
    store.append([event(n, user_id=f"u{n % 3}", item_id=f"i{n // 3}") for n in range(9)])
    store.append([event(10, event_type="rating", rating=7.0), *(event(n, event_type="click") for n in range(11, 41))])
    folder = run(tmp_path, "store", path, max_bad_line_share=0.0, event_weights={"view": 2.0})
    manifest = json.loads((folder / "manifest.json").read_text("utf8"))
    assert manifest["sources"][0]["dropped"] == {"rating_out_of_range": 1, "unknown_event_type": 30}
    assert manifest["sources"][0]["kept"] == 9
    assert any("31 of 40 events" in warning and "data.event_weights" in warning for warning in manifest["warnings"])
    assert PreparedDataset.load(folder).interactions["weight"].unique().tolist() == [2.0]


IDS = st.text(st.characters(codec="utf8", exclude_categories=["Cc"]), min_size=1, max_size=512) | st.sampled_from(
    ["NULL", "nan", "13085.0", " ", "0", "anonymous", "a,b", '"', "\u00a0", "9007199254740993.0"]
)
AMOUNTS = st.none() | st.floats(0, LARGEST_AMOUNT)
BODIES: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    event_id=IDS,
    user_id=IDS,
    item_id=IDS,
    event_type=st.sampled_from([*EVENT_TYPES, " Purchase", "refund", "remove_from_cart"]),
    timestamp=st.floats(0, time.time()),
    rating=st.floats(-LARGEST_AMOUNT, LARGEST_AMOUNT),
    price=AMOUNTS,
    quantity=AMOUNTS,
    recommendation_id=st.none() | IDS,
    position=st.none() | st.integers(1, MAX_POSITION),
)


def _as_stored(body: dict[str, Any]) -> Event:
    named = {name: value for name, value in body.items() if name in Event._fields}
    return Event(**{**named, "event_type": normal_event_type(body["event_type"])})


@settings(max_examples=40, deadline=None)
@given(st.lists(BODIES, min_size=1, max_size=30))
def test_whatever_the_server_takes_can_be_prepared(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    taken = [EventBody.model_validate(body).model_dump() for body in bodies]
    sound = [event(n, user_id=f"u{n % 3}", item_id=f"i{n // 3}", timestamp=1.6e9 + n) for n in range(9)]
    make_tables(f"sqlite:///{folder / 'events.db'}")
    with patient(str(folder / "events.db")) as store:
        store.upgrade()
        stored = store.append([*sound, *(_as_stored(body) for body in taken)])
    manifest = json.loads((run(folder, "store", folder / "events.db") / "manifest.json").read_text("utf8"))
    (source,) = manifest["sources"]
    assert source["lines"] == source["kept"] + sum(source["dropped"].values()) == stored.accepted
    assert source["kept"] >= 9


@ON_ONE_DATABASE
@pytest.mark.parametrize("kind", ["store", "events"])
@pytest.mark.parametrize("store_first", [True, False])
def test_a_log_and_a_store_together(store: Store, store_url: str, tmp_path: Path, kind: str, store_first: bool) -> None:
    events = shop_events()
    store.append(events[300:])
    # The log ends later than the store begins: a hundred events are in both, with their ids.
    log = write_csv(tmp_path / "log.csv", events[:400], COLUMNS_WITH_ID)
    inputs: list[str | Path] = [store_url.removeprefix("sqlite:///"), log]
    both = inputs if store_first else inputs[::-1]
    together = prepare(
        config(tmp_path / "both", kind, both[0], interactions=both, event_weights=dict(EVENT_WEIGHTS)),
        Console(quiet=True),
    )
    manifest = json.loads((together / "manifest.json").read_text("utf8"))
    assert manifest["interactions"]["dropped"]["repeated_event"] == 100
    assert {Path(entry["path"]).name: entry["format"] for entry in manifest["sources"]} == {
        Path(inputs[0]).name: "store",
        "log.csv": "events",
    }
    ordered = [*events[300:], *events[:300]] if store_first else events
    whole = write_csv(tmp_path / "whole.csv", ordered, COLUMNS_WITH_ID)
    alone = run(tmp_path / "alone", "events", whole, event_weights=dict(EVENT_WEIGHTS))
    for name in FILES:
        assert (together / name).read_bytes() == (alone / name).read_bytes()


@ON_ONE_DATABASE
def test_a_store_without_events_is_no_harm_beside_a_log(store: Store, store_url: str, tmp_path: Path) -> None:
    store.upgrade()
    path = store_url.removeprefix("sqlite:///")
    log = write_csv(tmp_path / "log.csv", shop_events())
    folder = run(tmp_path, "events", log, interactions=[log, path], event_weights=dict(EVENT_WEIGHTS))
    assert any("no events yet" in warning for warning in PreparedDataset.load(folder).manifest["warnings"])


def test_inputs_that_are_no_store(tmp_path: Path, postgres: PostgresServer) -> None:
    with pytest.raises(DataError, match="no file"):
        run(tmp_path, "store", tmp_path / "missing.db")
    empty = tmp_path / "empty.db"
    with patient(str(empty)) as store:
        store.upgrade()
    with pytest.raises(DataError, match="none"):
        run(tmp_path, "store", empty)
    other = tmp_path / "events.bin"
    other.write_bytes(bytes(range(256)) * 50)
    with pytest.raises(DataError, match="not a database"):
        run(tmp_path, "store", other)
    with pytest.raises(StoreError, match="upgrade"):
        run(tmp_path, "store", postgres.new_url())


@pytest.mark.parametrize(
    "url", ["postgresql://me:geheim@host/shop", "postgresql://me@host/shop?password=geheim", "postgres://me:geheim@h/d"]
)
def test_no_password_gets_into_a_manifest(tmp_path: Path, url: str) -> None:
    with pytest.raises(DataError, match="PGPASSWORD") as caught:
        run(tmp_path, "store", url)
    assert "geheim" not in str(caught.value)


@ON_ONE_DATABASE
def test_a_store_of_an_older_version_says_what_to_do(store: Store, store_url: str, tmp_path: Path) -> None:
    store.append(shop_events())
    query(store_url, "ALTER TABLE events DROP COLUMN recommendation_id")
    with pytest.raises(DataError, match="start the server on it once if it is of an older version"):
        run(tmp_path, "store", store_url.removeprefix("sqlite:///"))
