"""Explanations of a server as it is started: lists, other items, sessions, strangers, the past, events as they come."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.bundles import make_bundle
from tests.support.server_processes import get, logged_server, metric, post
from tests.support.waiting import eventually

Answer = dict[str, Any]
# Nobody listens there.
ABSENT = ("--language-model", "openai", "--language-model-url", "http://127.0.0.1:1/v1", "--language-model-name", "m")


@pytest.fixture(scope="module")
def bundle_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("saved_model"), name="shop")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "log"


@pytest.fixture(scope="module")
def url(bundle_path: Path, log: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of two workers, with a store that both read."""
    store = f"sqlite:///{tmp_path_factory.mktemp('store')}/store.sqlite"
    options = ("--bundle", str(bundle_path), "--port", "0", "--store", store, "--workers", "2", "--access-log", "true")
    with logged_server(log, *options) as (url, _):
        eventually(lambda: get(f"{url}/ready").json()["store"] == "live")
        yield url
        assert "Traceback" not in log.read_text()


def explain(url: str, item_id: str, **wanted: object) -> Answer:
    response = post(f"{url}/explanations", {"item_id": item_id, **wanted})
    assert response.status == 200, response.body
    answer: Answer = json.loads(response.body, parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))
    return answer


def listed(url: str, user: str, **wanted: object) -> list[Answer]:
    query = "&".join(f"{name}={value}" for name, value in wanted.items())
    items: list[Answer] = get(f"{url}/recommendations/{user}?{query}").json()["items"]
    return items


def test_every_item_of_a_list_and_those_behind_it(url: str) -> None:
    items = listed(url, "user1")
    for item in items:
        answer = explain(url, item["item_id"], user_id="user1")
        assert (answer["stage"], answer["rank"], answer["item"]["item_id"]) == ("listed", item["rank"], item["item_id"])
        total = sum(part["value"] for part in answer["contributions"])
        assert total == pytest.approx(answer["score"] - answer["reference"]["score"], abs=1e-4)
        assert answer["text"].endswith(".")
    behind = explain(url, answer["reference"]["item_id"], user_id="user1")
    assert (behind["stage"], behind["rank"]) == ("ranked", len(items) + 1)
    assert str(len(items) + 1) in behind["text"]
    assert explain(url, behind["history"][0]["item_id"], user_id="user1")["stage"] == "forbidden"
    assert post(f"{url}/explanations", {"user_id": "user1", "item_id": "nix"}).status == 404


def test_sessions_and_strangers(url: str) -> None:
    history = ["item21", "item198", "item71"]
    (answer,) = post(f"{url}/recommendations", {"history": history, "k": 3}).json()["results"]
    first = answer["items"][0]["item_id"]
    explained = explain(url, first, history=history, k=3)
    assert (explained["stage"], explained["rank"], explained["user_id"]) == ("listed", 1, None)
    assert {reason["item_id"] for reason in explained["history"]} == set(history)
    popular = listed(url, "nobody")[0]
    filled = explain(url, popular["item_id"], user_id="nobody")
    assert (filled["stage"], filled["fallback_reason"], filled["history"]) == ("filled", "unknown user", [])
    assert [fact["kind"] for fact in filled["facts"]] == ["popularity"]


def test_an_event_is_a_reason_at_once_in_every_worker(url: str) -> None:
    event = {"user_id": "anna", "item_id": "item33", "event_type": "purchase"}
    assert explain(url, "item13", user_id="anna")["history"] == []
    assert post(f"{url}/events", event).status == 200
    for _ in range(10):  # on connections of their own: each worker answers some
        (reason,) = explain(url, "item13", user_id="anna", depth="cheap")["history"]
        assert (reason["item_id"], reason["action"]) == ("item33", "purchase")
    first = listed(url, "anna")[0]["item_id"]
    answer = explain(url, first, user_id="anna")
    assert (answer["stage"], answer["counterfactual"]["without"][0]["item_id"]) == ("listed", "item33")
    assert "“Thing 33, size 3”, which you bought" in " ".join(answer["reasoning_factors"])
    before = explain(url, first, user_id="anna", as_of="2020-01-01T00:00:00Z")
    assert (before["history"], before["user"]["interactions"]) == ([], 0)


def test_blurbs(url: str) -> None:
    answer = get(f"{url}/items/item13/blurb").json()
    assert "Brand 3" in answer["text"]
    assert get(f"{url}/items/by-id/blurb?item_id=item13").json() == answer


def test_what_is_measured_and_logged(url: str, log: Path) -> None:
    before = metric(url, 'recsys_explanations_total{depth="full",stage="listed"}')
    explain(url, listed(url, "user2")[0]["item_id"], user_id="user2")
    assert metric(url, 'recsys_explanations_total{depth="full",stage="listed"}') == before + 1
    lines = [line for line in log.read_text().splitlines() if "/explanations" in line]
    assert lines
    assert not [line for line in lines if "item" in line or "anna" in line]


def test_without_the_language_model_there_is_the_rules_text(bundle_path: Path, tmp_path: Path) -> None:
    options = ("--bundle", str(bundle_path), "--port", "0", *ABSENT)
    with logged_server(tmp_path / "log", *options, LANGUAGE_MODEL_API_KEY="secret-key") as (url, _):
        first = listed(url, "user1")[0]["item_id"]
        answer = explain(url, first, user_id="user1")
        assert answer["text"].endswith(".")
        assert (answer["text_source"], answer["guard"]["state"]) == ("rule", "no_answer")
        assert answer["guard"]["reasons"]
        blurb = get(f"{url}/items/item13/blurb").json()
        assert (blurb["text_source"], blurb["cached"]) == ("rule", False)
        assert "Brand 3" in blurb["text"]
    assert "secret-key" not in (tmp_path / "log").read_text()
    assert "Traceback" not in (tmp_path / "log").read_text()
