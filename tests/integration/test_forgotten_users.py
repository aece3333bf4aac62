"""What a store says of persons holds for all inputs: who is to be forgotten, and which ids are one person's."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from recsys.config import parse_config
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset
from recsys.store import Event, Store

START, DAY = 1_600_000_000, 86_400


def rows(users: str) -> list[tuple[str, str, int]]:
    """Each of the users has three items, a day after the other."""
    return [(user, item, START + day * DAY) for user in users.split() for day, item in enumerate(("tea", "cup", "pot"))]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    with Store.open(str(path)) as opened:
        opened.upgrade()
    return path


def add_events(store: Path, events: list[tuple[str, str, int]]) -> None:
    with Store.open(str(store)) as opened:
        opened.append([Event(f"{u} {i} {t}", u, i, "purchase", t, None, None, None) for u, i, t in events])


def run(folder: Path, log: list[tuple[str, str, int]], store: Path, **data: Any) -> PreparedDataset:
    path = folder / "log.csv"
    lines = [f"{user},{item},purchase,{time}" for user, item, time in log]
    path.write_text("\n".join(["user_id,item_id,event_type,timestamp", *lines]) + "\n")
    settings = {
        "format": "events",
        "interactions": [path, store],
        "k_core_users": 0,
        "k_core_items": 0,
        "prepared_dir": folder / "prepared",
        **data,
    }
    config = parse_config({"name": "shop", "data": settings}, "the test")
    return PreparedDataset.load(prepare(config, Console(quiet=True)))


def interactions(dataset: PreparedDataset) -> set[tuple[str, str, int]]:
    log = dataset.interactions
    return set(zip(dataset.user_ids[log["user"]], dataset.item_ids[log["item"]], log["timestamp"], strict=True))


def test_a_forgotten_user_is_in_no_input(tmp_path: Path, store: Path) -> None:
    """Of bob all is forgotten, of ann what she did up to the second day; she came back on the third."""
    with Store.open(str(store)) as opened:
        opened.live_users.forget("bob", START + 9 * DAY)
        opened.live_users.forget("ann", START + DAY)
    add_events(store, rows("dee"))
    dataset = run(tmp_path, rows("ann bob cy"), store)
    assert interactions(dataset) == {("ann", "pot", START + 2 * DAY), *rows("cy"), *rows("dee")}
    assert set(dataset.user_ids) == {"ann", "cy", "dee"}
    counts = dataset.manifest["interactions"]
    assert (counts["read"], counts["dropped"]["forgotten_user"], counts["kept"]) == (12, 5, 7)
    assert "bob" not in json.dumps(dataset.manifest)


@pytest.mark.parametrize("setting", ["interactions", "metadata"])
def test_a_store_without_events_says_whom_to_forget(tmp_path: Path, store: Path, setting: str) -> None:
    with Store.open(str(store)) as opened:
        opened.live_users.forget("bob", START + 9 * DAY)
    if setting == "interactions":
        dataset = run(tmp_path, rows("bob cy"), store)
    else:
        dataset = run(tmp_path, rows("bob cy"), store, interactions=[tmp_path / "log.csv"], metadata=[store])
    assert interactions(dataset) == set(rows("cy"))


def test_what_an_alias_did_is_its_users(tmp_path: Path, store: Path) -> None:
    """A session is ann's up to the second day; whoever used the device on the third is somebody else."""
    with Store.open(str(store)) as opened:
        opened.live_users.put("ann", {}, consent=True, who=None, timestamp=START)
        opened.live_users.merge("ann", "session", START + DAY)
    dataset = run(tmp_path, [("ann", "jug", START), *rows("session cy")], store)
    assert interactions(dataset) == {
        ("ann", "jug", START),
        ("ann", "tea", START),
        ("ann", "cup", START + DAY),
        ("session", "pot", START + 2 * DAY),
        *rows("cy"),
    }
    assert dataset.manifest["events_of_aliases"] == 2


def test_with_a_user_an_alias_is_forgotten(tmp_path: Path, store: Path) -> None:
    with Store.open(str(store)) as opened:
        opened.live_users.put("ann", {}, consent=True, who=None, timestamp=START)
        opened.live_users.merge("ann", "session", START + DAY)
        opened.live_users.forget("ann", START + 5 * DAY)
    dataset = run(tmp_path, rows("ann session cy"), store)
    assert interactions(dataset) == {("session", "pot", START + 2 * DAY), *rows("cy")}


def test_what_one_store_forgets_no_other_keeps(tmp_path: Path, store: Path) -> None:
    """One store knows that a session was ann's and how old she is, the other that she is to be forgotten."""
    other = tmp_path / "other.db"
    with Store.open(str(store)) as opened, Store.open(str(other)) as forgetting:
        forgetting.upgrade()
        for user in ("ann", "cy"):
            opened.live_users.put(user, {"age": 40.0}, consent=True, who=None, timestamp=START)
        opened.live_users.merge("ann", "session", START + DAY)
        forgetting.live_users.forget("ann", START + 5 * DAY)
    late = [("ann", item, START + 9 * DAY) for item in ("jug", "can", "mug")]
    settings = {"user_attributes": {"age": "number"}, "interactions": [tmp_path / "log.csv", other, store]}
    dataset = run(tmp_path, [*late, *rows("ann session cy")], store, **settings)
    assert interactions(dataset) == {*late, ("session", "pot", START + 2 * DAY), *rows("cy")}
    ages = dict(zip(dataset.user_ids, dataset.user_attribute_values["age"], strict=True))
    assert ages == {"ann": None, "session": None, "cy": 40.0}
