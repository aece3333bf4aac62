"""The scenario buy_again over HTTP: what a user bought and is due, told by live purchases, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.bundles import DAY, make_bundle
from tests.support.serving import get, running

# Of the made bundle: item 4 is bought again after 14 days, item 6 after 16; of item 5 nothing is known: after 30.
Told = tuple[str, str, float]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("again")
    bundle = make_bundle(folder / "saved_model", n_items=60, n_users=5)
    with running(bundle=bundle, store=f"sqlite:///{folder}/events.sqlite") as (client, _):
        yield client


def answer_to(live: TestClient, user: str, *events: Told, **wanted: object) -> dict[str, Any]:
    """The answer to a user who did all that, each so many days ago."""
    now = time.time()
    for kind, item, days in events:
        event = {"user_id": user, "item_id": item, "event_type": kind, "timestamp": now - days * DAY}
        assert live.post("/events", json=event).status_code == 200
    return get(live, user, **{"scenario": "buy_again", "k": 50, **wanted})


def listed(live: TestClient, user: str, *events: Told, **wanted: object) -> list[str]:
    return sorted(item["item_id"] for item in answer_to(live, user, *events, **wanted)["items"])


def test_what_is_due_is_listed_and_nothing_else(live: TestClient) -> None:
    events = [("purchase", "item4", 14.1), ("purchase", "item5", 29.9), ("purchase", "item6", 15.9)]
    assert listed(live, "a", *events) == ["item4"]
    assert listed(live, "b", ("purchase", "item5", 30.1), ("purchase", "item6", 16.1)) == ["item5", "item6"]


def test_a_live_purchase_moves_the_clock_and_a_view_does_not(live: TestClient) -> None:
    assert listed(live, "c", ("purchase", "item4", 20), ("purchase", "item6", 20)) == ["item4", "item6"]
    assert listed(live, "c", ("view", "item4", 2), ("add_to_cart", "item6", 1)) == ["item4", "item6"]
    assert listed(live, "c", ("purchase", "item4", 1)) == ["item6"]
    assert listed(live, "c", ("return", "item4", 0.5)) == ["item4", "item6"]


def test_what_was_only_viewed_is_not_bought_again(live: TestClient) -> None:
    assert listed(live, "d", ("view", "item4", 50), ("click", "item6", 50)) == []


@pytest.mark.parametrize("exclude_seen", ["true", "false", "purchases"])
def test_it_does_not_depend_on_what_other_lists_leave_out(live: TestClient, exclude_seen: str) -> None:
    user = f"e {exclude_seen}"
    assert listed(live, user, ("purchase", "item4", 20), ("purchase", "item6", 1), exclude_seen=exclude_seen) == [
        "item4"
    ]


def test_a_list_of_nothing_says_why(live: TestClient) -> None:
    answer = answer_to(live, "f", ("purchase", "item4", 1), k=10)
    assert answer["items"] == []
    assert answer["shortfall"] == 10
    assert answer["shortened_by"] == {"reason": "nothing else that the user bought is due", "rules": []}
    assert answer["fallback_used"] is False


def test_other_scenarios_know_nothing_of_it(live: TestClient) -> None:
    assert "item4" not in listed(live, "g", ("purchase", "item4", 20), scenario="home")
