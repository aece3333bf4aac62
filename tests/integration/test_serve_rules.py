"""Rules of a server of several workers: each follows what is put to one of them, and keeps it when it is replaced."""

import json
import urllib.request
from pathlib import Path

import pytest

from tests.support.bundles import make_bundle
from tests.support.server_processes import DIRECT, get, logged_server, metric, workers_of
from tests.support.waiting import START_TIMEOUT_S, TIMEOUT_S, eventually

ASKED = 20  # requests on connections of their own: each of two workers answers some of them


def change(url: str, method: str, rule_id: str, terms: object = None) -> int:
    body = None if terms is None else json.dumps(terms).encode()
    request = urllib.request.Request(
        f"{url}/rules/{rule_id}", body, {"Content-Type": "application/json"}, method=method
    )
    with DIRECT.open(request, timeout=TIMEOUT_S) as response:
        status: int = response.status
        return status


def firsts(url: str) -> set[str]:
    """The first item of user1's list, as all workers have it."""
    return {get(f"{url}/recommendations/user1?k=1").json()["items"][0]["item_id"] for _ in range(ASKED)}


@pytest.mark.slow  # live items reach all workers the same way, which test_serve_live_items.py shows
def test_all_workers_go_by_what_one_was_told(tmp_path: Path) -> None:
    log, store = tmp_path / "log", tmp_path / "store.sqlite"
    bundle = make_bundle(tmp_path / "saved_model", name="shop")
    options = ("--bundle", str(bundle), "--port", "0", "--workers", "2", "--store", f"sqlite:///{store}")
    with logged_server(log, *options) as (url, process):
        eventually(lambda: log.read_text().count("Application startup complete") == 2, START_TIMEOUT_S)
        (best,) = firsts(url)
        assert change(url, "PUT", "recalled", {"action": {"type": "hide"}, "where": f'item.id == "{best}"'}) == 200
        eventually(lambda: best not in firsts(url))
        (second,) = firsts(url)
        assert metric(url, "recsys_rules_version") == 1, "of the worker furthest behind"

        victim = workers_of(process)[0]
        victim.kill()
        eventually(lambda: log.read_text().count("Application startup complete") == 3, START_TIMEOUT_S)
        assert firsts(url) == {second}, "a new worker starts with the rules"

        assert change(url, "DELETE", "recalled") == 200
        eventually(lambda: firsts(url) == {best})
    with logged_server(log, *options) as (url, _):
        assert get(f"{url}/rules").json()["rules"] == []
        trail = get(f"{url}/rule-changes").json()["changes"]
        assert [entry["action"] for entry in trail] == ["deleted", "created"]
