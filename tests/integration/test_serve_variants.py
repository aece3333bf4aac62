"""Variants of two bundles and several workers: each list is its variant's or says so, whatever becomes of workers."""

import time
from pathlib import Path
from typing import Any

from tests.support.databases import patient
from tests.support.server_processes import get, logged_server, metric, post, put, workers_of
from tests.support.serving import answer_to, service_of
from tests.support.versions import make_versions, publish
from tests.support.waiting import START_TIMEOUT_S, eventually

ASKED = 8  # requests on connections of their own: each of two workers answers some of them
USERS = [f"user{row}" for row in range(7)] + ["nobody"]
ONCE = "Application startup complete"


def lists_of(version: Path) -> dict[str, list[str]]:
    """What a server of one version lists for each user."""
    with service_of(version) as service:
        return {user: [item["item_id"] for item in answer_to(service, user)["items"]] for user in USERS}


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in answer["items"]]


def test_each_list_is_its_variants_or_says_that_it_is_not(tmp_path: Path) -> None:
    log, url_of_store = tmp_path / "log", f"sqlite:///{tmp_path}/store.sqlite"
    versions = make_versions(tmp_path / "made", 3, n_items=60)
    expected = {version.name: lists_of(version) for version in versions}
    old, new, newest = (version.name for version in versions)
    shop = tmp_path / "shop"
    publish(shop, versions[0], current=False)
    publish(shop, versions[1])

    def delivered(url: str, served: str) -> bool:
        """Whether all lists are delivered; each is what it must be in any case."""
        all_delivered = True
        for user in USERS:
            for _ in range(ASKED):
                answer = get(f"{url}/recommendations/{user}").json()
                (one,) = answer["experiments"]
                version = old if one["variant"] == "past" and one["delivered"] else answer["bundle"]["version"]
                assert answer["bundle"]["version"] == version
                assert ids(answer) == expected[version][user]
                all_delivered &= one["delivered"] and version in (old, served)
        return all_delivered

    options = ("--bundle", str(shop), "--port", "0", "--workers", "2", "--store", url_of_store)
    terms = {"variants": [{"name": "present"}, {"name": "past", "overrides": {"bundle": old}}]}
    with logged_server(log, *options, "--reload-poll-s", "0.2") as (url, process):
        eventually(lambda: log.read_text().count(ONCE) == 2, START_TIMEOUT_S)
        experiment = f"{url}/experiments/e"
        lost = {"variants": [{"name": "a"}, {"name": "b", "overrides": {"bundle": "lost"}}]}
        assert put(experiment, lost).status == 200
        assert post(f"{experiment}/start").status == 409
        assert put(experiment, terms).status == 200
        assert post(f"{experiment}/start").status == 200
        eventually(lambda: metric(url, "recsys_experiments_version") == 3)  # of the worker furthest behind
        eventually(lambda: delivered(url, new))
        visitor = {"history": ["item1", "item2"], "visitor_id": "v1"}
        (session,) = post(f"{url}/recommendations", visitor).json()["results"]
        assert session["user_id"] is None
        assert [one["experiment"] for one in session["experiments"]] == ["e"]

        with patient(url_of_store) as store:  # a worker that is killed takes with it what it has not written yet
            eventually(lambda: any(row.user_id == "v1" for row in store.served(0, time.time() + 10)))

        publish(shop, versions[2])
        eventually(lambda: delivered(url, newest))
        workers_of(process)[0].kill()
        eventually(lambda: log.read_text().count(ONCE) == 3, START_TIMEOUT_S)
        eventually(lambda: delivered(url, newest))

        # Nobody is shown what is sold out, whatever the list is made from.
        gone = expected[old]["user1"][0]
        before = {user: ids(get(f"{url}/recommendations/{user}").json()) for user in USERS}
        assert any(gone in listed for listed in before.values())
        with patient(url_of_store) as store:
            store.items.patch(gone, {"available": False}, timestamp=time.time())
        eventually(
            lambda: (
                not any(
                    gone in ids(get(f"{url}/recommendations/{user}").json()) for user in USERS for _ in range(ASKED)
                )
            )
        )
    with logged_server(log, *options) as (url, _):  # after a kill of all
        eventually(lambda: log.read_text().count(ONCE) == 5, START_TIMEOUT_S)
        eventually(lambda: get(f"{url}/recommendations/user1").json()["experiments"][0]["delivered"])
    with patient(url_of_store) as store:
        rows = list(store.served(0, time.time() + 10))
    assert any(row.user_id == "v1" for row in rows)
    for row in rows:
        assert row.details is not None
        if row.details.variants:
            (one,) = row.details.variants
            is_past = one.variant == "past" and not row.details.undelivered
            assert (row.bundle_version == old) == is_past
