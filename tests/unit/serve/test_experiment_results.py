"""What came of experiments, over HTTP."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from recsys.store import AssignedVariant, ListDetails, Served
from serve.experiments import queue
from serve.experiments.answers import ResultsResponse
from serve.experiments.results import ResultsRequest, results
from serve.parts import Parts
from serve.server import Server
from serve.store.link import StoreLink
from tests.support.experiments_over_http import assignment, define, start, taken
from tests.support.serving import refusal

pytest_plugins = "tests.support.experiment_fixtures"
URL = "/experiments/e"


def test_results_of_what_was_never_started_say_so(shop: TestClient) -> None:
    define(shop)
    results = taken(shop.get(f"{URL}/results"))
    assert (results["experiment"]["status"], results["verdict"], results["observed"]) == ("draft", None, None)


def test_results_say_how_many_lists_they_are_of(served: tuple[TestClient, Server]) -> None:
    shop, server = served
    started = start(shop, least_users=2)
    assert server.parts.link is not None
    rows = []
    for number in range(6):
        variant = assignment(shop, f"u{number}")["variant"]
        details = ListDetails(variants=(AssignedVariant("e", 1, variant),), brands=1, milliseconds=1.0)
        rows.append(Served("r", f"u{number}", 4e9, "v", "m", ("i",), (), f"{number:032}", details))
    server.parts.link.store.add_served(rows)
    now = taken(shop.get(f"{URL}/results"))
    assert now["observed"]["lists"] == 0, "those lists are not of before now"
    assert now["verdict"]["state"] == "too_early"
    later = taken(shop.get(f"{URL}/results", params={"as_of": 4e9 + 60}))
    assert later["observed"] == {"lists": 6, "crossovers": 0, "left_out": 0, "reaches_back": True}
    assert sum(later["verdict"]["users"].values()) == 6
    assert later["experiment"] == started["experiment"]
    again = taken(shop.get(f"{URL}/results", params={"as_of": 4e9 + 60}))
    assert again == later, "computed once, within a short time"
    taken(shop.post(f"{URL}/stop"))
    assert taken(shop.get(f"{URL}/results", params={"as_of": 4e9 + 60}))["experiment"]["status"] == "stopped"


def test_results_of_an_earlier_version_are_of_its_lists(served: tuple[TestClient, Server]) -> None:
    shop, server = served
    start(shop, least_users=2, title="first")
    assert server.parts.link is not None
    rows = []
    for version, count in ((1, 3), (2, 5)):
        for number in range(count):
            details = ListDetails(variants=(AssignedVariant("e", version, "new"),))
            name = f"{version}-{number}"
            rows.append(Served("r", f"u{name}", 4e9, "v", "m", ("i",), (), f"{name:032}", details))
    server.parts.link.store.add_served(rows)
    define(shop, least_users=2, salt="other", title="second")
    asked = {"as_of": 4e9 + 60}
    second = taken(shop.get(f"{URL}/results", params=asked))
    assert (second["observed"]["lists"], second["experiment"]["terms"]["title"]) == (5, "second")
    assert taken(shop.get(f"{URL}/results", params={**asked, "version": 2})) | {"seconds": 0, "computed_at": ""} == (
        second | {"seconds": 0, "computed_at": ""}
    )
    first = taken(shop.get(f"{URL}/results", params={**asked, "version": 1}))
    assert (first["observed"]["lists"], first["experiment"]["terms"]["title"]) == (3, "first")
    assert first["verdict"]["version"] == 1
    assert "no version 3" in refusal(shop.get(f"{URL}/results", params={"version": 3}), 404)


def test_nothing_later_counts_for_one_that_was_stopped_long_ago(served: tuple[TestClient, Server]) -> None:
    shop, server = served
    start(shop)
    taken(shop.post(f"{URL}/stop"))
    assert server.parts.link is not None
    store = server.parts.link.store

    def long_ago(texts: Any) -> str:
        before: str = texts["e"].body
        said = {**json.loads(before), "started_at": 1e9, "stopped_at": 1.1e9}
        return json.dumps(said)

    store.experiments.revise("e", long_ago, who=None, timestamp=1.0, most=9)
    server.parts.experiments_watch.look()  # type: ignore[union-attr]
    results = taken(shop.get(f"{URL}/results"))
    assert results["as_of"] == "2004-11-16T11:34:20.000Z", "1.1e9 s, seven days and a minute"


def test_who_asks_the_same_at_once_waits_for_one_answer(shop: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks something else, or after a change, or later, gets an answer of its own."""
    start(shop)
    asked: list[ResultsRequest] = []

    def counted(parts: Parts, link: StoreLink, request: ResultsRequest) -> ResultsResponse:
        asked.append(request)
        return results(parts, link, request)

    monkeypatch.setattr(queue, "results", counted)
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: taken(shop.get(f"{URL}/results")), range(6)))
    assert asked == [ResultsRequest("e")]
    assert all(answer == answers[0] for answer in answers)
    taken(shop.get(f"{URL}/results", params={"as_of": 4e9}))
    assert asked[1:] == [ResultsRequest("e", None, 4e9)]
    define(shop, title="changed")
    taken(shop.get(f"{URL}/results"))
    assert len(asked) == 3, "another title is another answer"
    monkeypatch.setattr(queue, "KEPT_S", 0.0)
    monkeypatch.setattr(queue, "SHARE", 0)
    for _ in range(2):
        taken(shop.get(f"{URL}/results", params={"as_of": 5e9}))
    assert len(asked) == 5
