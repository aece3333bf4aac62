"""Which live items answers know of: while the store or the bundle changes, or is gone."""

from __future__ import annotations

import gc
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from recsys.bundle.overlay import LiveBundle
from recsys.pipeline.recommendations import Recommendations
from recsys.pipeline.recommender import Recommender
from recsys.store import StoreUnavailable
from recsys.store.live_items import LiveItems
from serve.bundles.loaded import LoadedBundle
from tests.support.bundles import make_bundle
from tests.support.live_items_over_http import delete, item, listed, patch, put
from tests.support.rules_over_http import hide
from tests.support.rules_over_http import put as put_rule
from tests.support.serving import N_ITEMS, N_USERS, running
from tests.support.waiting import eventually

POLL = {"live_items_poll_s": 0.05}


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.sqlite"


@pytest.fixture(scope="module")
def best(bundle_path: Path) -> list[str]:
    """What user1 gets of the bundle alone."""
    with running(bundle=bundle_path, store="none") as (client, _):
        return listed(client)


@contextmanager
def out_of_reach(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The store does not tell its live items meanwhile."""

    def fail(*_: object) -> None:
        raise StoreUnavailable("a store that answers", "none", "wait")

    with monkeypatch.context() as patched:
        patched.setattr(LiveItems, "version", fail)
        yield


def metric(client: TestClient, name: str) -> float:
    (line,) = [line for line in client.get("/metrics").text.splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[-1])


def source(client: TestClient) -> str:
    told: str = client.get("/ready").json()["live_items"]
    return told


def test_servers_of_one_store_follow_each_other(bundle_path: Path, store: str, best: list[str]) -> None:
    with (
        running(bundle=bundle_path, store=store, **POLL) as (one, _),
        running(bundle=bundle_path, store=store, **POLL) as (other, _),
    ):
        patch(one, best[0], {"available": False})
        eventually(lambda: best[0] not in listed(other))
        patch(other, best[0], {"available": True, "price": 5.0})
        eventually(lambda: listed(one) == best)
        assert item(one, best[0])["price"] == 5.0
        eventually(lambda: metric(one, "recsys_live_items_version") == 2)
        assert metric(one, "recsys_live_items") == 1


def test_a_restarted_server_knows_before_its_first_list(bundle_path: Path, store: str, best: list[str]) -> None:
    with running(bundle=bundle_path, store=store) as (client, _):
        delete(client, best[0])
    with running(bundle=bundle_path, store=store, wait=False) as (client, _):
        assert best[0] not in listed(client)


def test_what_was_known_stays_while_the_store_is_gone(
    bundle_path: Path, store: str, best: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(bundle=bundle_path, store=store, **POLL) as (client, _):
        assert source(client) == "live"
        patch(client, best[0], {"stock": 0})
        with out_of_reach(monkeypatch):
            eventually(lambda: metric(client, "recsys_live_items_refresh_failures_total") > 1)
            assert source(client) == "stale"
            assert metric(client, "recsys_live_items_stale") == 1
            assert best[0] not in listed(client)
        eventually(lambda: source(client) == "live")
        assert metric(client, "recsys_live_items_stale") == 0
        assert best[0] not in listed(client)


def test_a_store_brought_back_in_an_older_state_is_followed(
    bundle_path: Path, store: str, tmp_path: Path, best: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(bundle=bundle_path, store=store, **POLL) as (client, _):
        patch(client, best[0], {"available": False})
        with out_of_reach(monkeypatch):
            eventually(lambda: source(client) == "stale")
            with closing(sqlite3.connect(tmp_path / "store.sqlite")) as other, other:
                other.execute("UPDATE live_items SET item_id = ?", (best[1],))
        eventually(lambda: listed(client)[:2] == [best[0], best[2]])


def test_a_start_without_its_store_says_that_live_items_are_missing(
    bundle_path: Path, store: str, best: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(bundle=bundle_path, store=store) as (client, _):
        patch(client, best[0], {"available": False})
    with ExitStack() as stack:
        with out_of_reach(monkeypatch):
            client, _ = stack.enter_context(running(bundle=bundle_path, store=store, **POLL))
            assert (source(client), listed(client)) == ("unread", best)
        eventually(lambda: best[0] not in listed(client))
        assert source(client) == "live"


def test_without_a_store_there_are_none(bundle_path: Path) -> None:
    with running(bundle=bundle_path, store="none") as (client, _):
        assert source(client) == "off"


def test_rules_see_items_as_they_are_now(bundle_path: Path, store: str, best: list[str]) -> None:
    with running(bundle=bundle_path, store=store, **POLL) as (client, _):
        put_rule(client, "dear", hide("item.price >= 1000"))
        assert listed(client) == best
        patch(client, best[0], {"price": 1000})
        assert best[0] not in listed(client)
        patch(client, best[0], {"price": 999})
        assert listed(client) == best


def test_a_fault_of_a_rule_is_told_once_however_often_items_change(
    bundle_path: Path, store: str, caplog: pytest.LogCaptureFixture
) -> None:
    with running(bundle=bundle_path, store=store, **POLL) as (client, server):
        with closing(sqlite3.connect(server.parts.settings.store.removeprefix("sqlite:///"))) as other, other:
            other.execute(
                "INSERT INTO rules VALUES ('odd', ?, 1, 1.0, NULL)",
                ('{"id":"odd","action":{"type":"hide"},"where":"item.nonsense > 1"}',),
            )
            other.execute("UPDATE rules_version SET version = 1")
        eventually(lambda: "odd" in caplog.text)
        for price in range(3):
            patch(client, "item1", {"price": price})
        said = [record for record in caplog.records if record.getMessage().startswith("Rule odd is off")]
        assert len(said) == 1


def test_an_overlay_that_cannot_be_made_replaces_nothing(
    bundle_path: Path, store: str, best: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(bundle=bundle_path, store=store, **POLL) as (client, _):
        patch(client, best[0], {"available": False})
        with monkeypatch.context() as patched:
            patched.setattr("serve.live_items.watch.RETRY_S", 0.05)
            patched.setattr(LoadedBundle, "over", lambda *_: 1 / 0)
            patch(client, best[1], {"available": False})
            eventually(lambda: metric(client, "recsys_overlay_failures_total") > 1)
            assert listed(client)[:2] == best[1:3], "as it was"
        eventually(lambda: listed(client)[:2] == best[2:4])


def test_overlays_are_let_go(bundle_path: Path, store: str) -> None:
    with running(bundle=bundle_path, store=store, **POLL) as (client, server):
        patch(client, "item1", {"price": 1})
        listed(client)
        old = weakref.ref(server.parts.bundles.loaded)
        assert isinstance(server.parts.bundles.loaded.bundle, LiveBundle)
        patch(client, "item1", {"price": 2})
        listed(client)

        def gone() -> bool:
            gc.collect()
            return old() is None

        eventually(gone)


def test_a_request_under_way_keeps_what_it_began_with(
    bundle_path: Path, store: str, best: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that is being made when its first item is deleted shows it, and nothing of it is mixed up."""
    entered, go_on = threading.Event(), threading.Event()
    with running(bundle=bundle_path, store=store, **POLL) as (client, server):
        recommend = Recommender.recommend

        def slow(*given: Any, **named: Any) -> Recommendations:
            entered.set()
            go_on.wait(20)
            return recommend(*given, **named)

        with monkeypatch.context() as patched:
            patched.setattr(Recommender, "recommend", slow)
            answers: list[list[str]] = []
            asking = threading.Thread(target=lambda: answers.append(listed(client)))
            asking.start()
            assert entered.wait(20)
        assert server.parts.link is not None
        server.parts.link.store.items.delete(best[0], timestamp=1.0)
        eventually(lambda: server.parts.bundles.loaded is not server.parts.bundles.base)
        go_on.set()
        asking.join(20)
        assert answers == [best]
        assert best[0] not in listed(client)


def test_a_bundle_that_holds_other_attributes_takes_what_fits(tmp_path: Path, store: str) -> None:
    models = tmp_path / "models"
    make_bundle(models, N_ITEMS, N_USERS, name="shop")
    with running(bundle=models / "shop", store=store, **POLL) as (client, server):
        assert server.parts.link is not None
        odd = {"colour": "red", "available": False, "price": 3.0}
        server.parts.link.store.items.patch("item1", odd, timestamp=1.0)
        eventually(lambda: item(client, "item1")["price"] == 3.0)
        assert item(client, "item1")["attributes"] == {}
        put(client, "item2", {"title": "A"})
