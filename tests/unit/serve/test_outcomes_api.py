"""What came of lists, over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from recsys.core.events import SECONDS_PER_DAY
from recsys.outcomes import DIMENSIONS
from recsys.store import Event, Store
from serve.server import Server
from tests.support.list_logs import put_list_events, seen
from tests.support.serving import Answer, refusal, running
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def shop(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Server]]:
    """A shop with a store."""
    with running(bundle=bundle_path, store=f"sqlite:///{tmp_path_factory.mktemp('store')}/store.sqlite") as served:
        yield served


def told(client: TestClient, **query: Any) -> Answer:
    response = client.get("/stats/outcomes", params=query)
    assert response.status_code == 200, response.text
    answer: Answer = response.json()
    return answer


def test_a_click_on_a_list_is_its_outcome(shop: tuple[TestClient, Server]) -> None:
    client, server = shop
    assert server.parts.link is not None
    store: Store = server.parts.link.store
    answer = client.get("/recommendations/user1?k=4&scenario=home").json()
    eventually(lambda: store.latest_served(1))
    name, items = answer["recommendation_id"], [item["item_id"] for item in answer["items"]]
    now = time.time()
    url = server.parts.settings.store
    put_list_events(url, [seen(n, name, item, now) for n, item in enumerate(items[:2])])
    store.append([Event("e1", "user1", items[0], "click", now, recommendation_id=name)])
    store.append([Event("e2", "user1", items[1], "purchase", now, price=2.5, quantity=2.0)])
    # Until is now at its arrival: the list and the click are of before.
    outcomes = told(client, by=["scenario", "position"])
    total = outcomes["total"]
    assert (total["lists"], total["served"], total["impressions"], total["clicks"]) == (1, 4, 2, 1)
    assert (total["ctr"]["value"], total["ctr_served"]["value"]) == (0.5, 0.25)
    scenario, position = outcomes["tables"]
    assert (scenario["by"], [row["value"] for row in scenario["rows"]]) == ("scenario", ["home"])
    assert [(row["value"], row["clicks"]) for row in position["rows"]] == [("1", 1), ("2", 0), ("3", 0), ("4", 0)]
    assert outcomes["unattributed"] == [{"cause": "no_list_named", "event_type": "purchase", "events": 1}]
    assert (outcomes["settled"], outcomes["complete"], outcomes["kept_since"]) == (False, True, None)


def test_the_same_question_has_one_answer_for_some_seconds(shop: tuple[TestClient, Server]) -> None:
    client, _ = shop
    first = told(client, by="model")
    assert told(client, by="model") == first
    assert told(client)["as_of"] > first["as_of"], "another question is counted anew"


def test_the_window_is_what_was_asked_for(shop: tuple[TestClient, Server]) -> None:
    client, _ = shop
    outcomes = told(client, since="2026-01-01T00:00:00Z", until="2026-01-02T00:00:00+01:00", by=list(DIMENSIONS))
    assert outcomes["window"] == {"since": "2026-01-01T00:00:00.000Z", "until": "2026-01-01T23:00:00.000Z"}
    assert [table["by"] for table in outcomes["tables"]] == list(DIMENSIONS)
    assert outcomes["attribution_days"] == 7.0


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"since": 200.0, "until": 100.0}, "before until"),
        ({"since": time.time() + SECONDS_PER_DAY}, "before until"),
        ({"since": 0.0, "until": 101.0 * SECONDS_PER_DAY}, "at most 100 days"),
        ({"since": 0.0}, "at most 100 days"),
        ({"by": "weather"}, "by"),
        ({"experiment": "no key"}, "experiment"),
        ({"days": 3}, "days"),
    ],
)
def test_a_question_without_an_answer_is_refused(
    shop: tuple[TestClient, Server], query: dict[str, Any], message: str
) -> None:
    client, _ = shop
    assert message in refusal(client.get("/stats/outcomes", params=query), 422)


def test_what_takes_too_long_says_what_to_do(bundle_path: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/store.sqlite"
    with running(bundle=bundle_path, store=store, outcomes_timeout_s=1e-9) as (client, _):
        assert "a shorter one" in refusal(client.get("/stats/outcomes"), 503)


def test_without_a_store_there_are_no_outcomes(bundle_path: Path) -> None:
    with running(bundle=bundle_path, store="none") as (client, _):
        assert "no store" in refusal(client.get("/stats/outcomes"), 503)
