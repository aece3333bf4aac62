"""Live items of a server of several workers: each follows what one was told, and knows it when it is replaced."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support.bundles import make_bundle
from tests.support.postgres import PostgresServer
from tests.support.server_processes import DIRECT, get, logged_server, metric, workers_of
from tests.support.waiting import START_TIMEOUT_S, TIMEOUT_S, eventually

pytest_plugins = "tests.support.store_fixtures"
ASKED = 20  # requests on connections of their own: each of two workers answers some of them


def change(url: str, method: str, path: str, fields: object = None) -> dict[str, Any]:
    body = None if fields is None else json.dumps(fields).encode()
    request = urllib.request.Request(f"{url}{path}", body, {"Content-Type": "application/json"}, method=method)
    with DIRECT.open(request, timeout=TIMEOUT_S) as response:
        answer: dict[str, Any] = json.loads(response.read())
        return answer


def firsts(url: str) -> set[str]:
    """The first item of user1's list, as all workers have it."""
    return {get(f"{url}/recommendations/user1?k=1").json()["items"][0]["item_id"] for _ in range(ASKED)}


def states(url: str, item_id: str) -> set[str]:
    """What all workers say of an item."""
    return {get(f"{url}/items/{item_id}").json().get("live", {}).get("state") for _ in range(ASKED)}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_url()


def test_all_workers_follow_what_one_was_told(tmp_path: Path, store: str) -> None:
    log = tmp_path / "log"
    bundle = make_bundle(tmp_path / "saved_model", name="shop", item_encoder=True)
    options = ("--bundle", str(bundle), "--port", "0", "--workers", "2", "--store", store)
    with logged_server(log, *options) as (url, process):
        eventually(lambda: log.read_text().count("Application startup complete") == 2, START_TIMEOUT_S)
        (best,) = firsts(url)
        assert change(url, "PATCH", f"/items/{best}", {"available": False})["item"]["done"] == "patched"
        eventually(lambda: best not in firsts(url))
        (second,) = firsts(url)
        change(url, "PUT", "/items/new", {"title": "Thing 3", "brand": "Brand 3"})
        eventually(lambda: states(url, "new") == {"new"})
        eventually(lambda: metric(url, "recsys_live_items_version") == 2)

        workers_of(process)[0].kill()
        eventually(lambda: log.read_text().count("Application startup complete") == 3, START_TIMEOUT_S)
        assert firsts(url) == {second}, "a new worker knows it from its first list on"
        assert states(url, "new") == {"new"}
        change(url, "PATCH", f"/items/{best}", {"available": True})
        eventually(lambda: firsts(url) == {best})
        change(url, "DELETE", "/items/new")
    with logged_server(log, *options) as (url, _):
        assert [row["state"] for row in get(f"{url}/item-changes").json()["items"]] == ["deleted", "trained"]
