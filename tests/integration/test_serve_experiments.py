"""Experiments of a server of several workers: all give a user the same variant, whatever becomes of them."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support.bundles import make_bundle
from tests.support.server_processes import DIRECT, get, logged_server, metric, post, workers_of
from tests.support.waiting import START_TIMEOUT_S, TIMEOUT_S, eventually

ASKED = 12  # requests on connections of their own: each of two workers answers some of them
USERS = [f"user{number}" for number in range(8)]
TERMS = {"variants": [{"name": "old"}, {"name": "new", "overrides": {"model": "popularity"}}]}


def change(url: str, method: str, path: str, body: Any = None) -> int:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/experiments/e{path}", data, headers, method=method)
    try:
        with DIRECT.open(request, timeout=TIMEOUT_S) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def variants(url: str) -> dict[str, set[str | None]]:
    """Of each user, what all workers say."""
    asked = {user: f"{url}/experiments/e/assignment?user_id={user}" for user in USERS}
    return {user: {get(address).json().get("variant") for _ in range(ASKED)} for user, address in asked.items()}


def agreed(url: str) -> dict[str, str | None]:
    """Of each user, the variant by all workers, once they agree."""
    found: dict[str, set[str | None]] = {}

    def agree() -> bool:
        found.update(variants(url))
        return all(len(said) == 1 for said in found.values()) and None not in set.union(*found.values())

    eventually(agree)
    return {user: next(iter(said)) for user, said in found.items()}


@pytest.mark.slow  # test_serve_variants.py shows experiments of workers that are killed, too
def test_all_workers_assign_alike_whatever_becomes_of_them(tmp_path: Path) -> None:
    log, store = tmp_path / "log", tmp_path / "store.sqlite"
    bundle = make_bundle(tmp_path / "saved_model", name="shop")
    options = ("--bundle", str(bundle), "--port", "0", "--workers", "2", "--store", f"sqlite:///{store}")
    with logged_server(log, *options) as (url, process):
        eventually(lambda: log.read_text().count("Application startup complete") == 2, START_TIMEOUT_S)
        assert change(url, "PUT", "", TERMS) == 200
        assert change(url, "POST", "/start") == 200
        first = agreed(url)
        assert set(first.values()) == {"old", "new"}
        assert metric(url, "recsys_experiments_version") == 2, "of the worker furthest behind"

        # A session that has the other variant logs in; no list of either was served, so the session stays the unit.
        session = next(name for name in map(str, range(99)) if variant_of(url, name) != first["user0"])
        merged = {**first, "user0": variant_of(url, session)}
        assert post(f"{url}/users/user0/merge", {"from": session}).status == 200
        eventually(lambda: agreed(url) == merged)

        victim = workers_of(process)[0]
        victim.kill()
        eventually(lambda: log.read_text().count("Application startup complete") == 3, START_TIMEOUT_S)
        assert agreed(url) == merged, "a new worker gives what the old one gave"
    with logged_server(log, *options) as (url, process):
        eventually(lambda: log.read_text().count("Application startup complete") == 5, START_TIMEOUT_S)
        assert agreed(url) == merged, "and so does another server after a kill of all"
        assert change(url, "POST", "/stop") == 200
        assert change(url, "POST", "/stop") == 409
        eventually(lambda: set.union(*variants(url).values()) == {None})


def variant_of(url: str, user: str) -> str | None:
    variant: str | None = get(f"{url}/experiments/e/assignment?user_id={user}").json()["variant"]
    return variant
