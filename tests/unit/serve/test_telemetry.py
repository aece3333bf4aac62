"""Every request has an id, is measured, and can be logged as JSON."""

import asyncio
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serve import logs
from serve.logs import JsonFormatter
from serve.metrics import Metrics
from serve.recommendations.made_lists import MadeList
from serve.recommendations.queue import RecommendationQueue
from serve.recommendations.service import RecommendationRequest
from serve.server import Server
from serve.settings import Settings
from tests.support.server_processes import ROOT
from tests.support.serving import request_for, running
from tests.support.waiting import START_TIMEOUT_S


@contextmanager
def service_queue(bundle: Path, **settings: Any) -> Iterator[tuple[RecommendationQueue, Metrics]]:
    """The queue of a server without HTTP, and its metrics."""
    server = Server(Settings(bundle=bundle, store="none", **settings))
    server.start()
    try:
        server.parts.bundles.first.result(START_TIMEOUT_S)
        yield server.recommendations, server.parts.metrics
    finally:
        server.close()


def sample(client: TestClient, name: str) -> float:
    """A metric's value; 0 if it has none yet."""
    text = client.get("/metrics").text
    match = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(match.group(1)) if match else 0.0


@pytest.mark.parametrize("sent", ["abc-123", "A.b:c_9", "x" * 128])
def test_the_clients_request_id_is_kept(client: TestClient, sent: str) -> None:
    for path in ("/health", "/nowhere", "/recommendations/user3?k=0"):
        assert client.get(path, headers={"X-Request-ID": sent}).headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, '"}{', "ü"])
def test_an_unsound_request_id_is_replaced(client: TestClient, sent: str) -> None:
    ids = {client.get("/health", headers={"X-Request-ID": sent.encode()}).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch("[0-9a-f]{24}", found) for found in ids)


def test_requests_are_counted_by_route(client: TestClient) -> None:
    names = [
        'recsys_http_requests_total{method="GET",route="/recommendations/{user_id:id}",status="200"}',
        'recsys_http_requests_total{method="GET",route="/items/{item_id:item}",status="404"}',
        'recsys_http_requests_total{method="other",route="none",status="404"}',
        'recsys_http_request_seconds_count{route="/recommendations/{user_id:id}"}',
    ]
    before = [sample(client, name) for name in names]
    client.get("/recommendations/user3")
    client.get("/recommendations/user4")
    client.get("/items/nix")
    client.request("BREW", "/nowhere")
    after = [sample(client, name) for name in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == [2, 1, 1, 2]


def test_stages_and_outcomes_are_counted(client: TestClient) -> None:
    names = [
        'recsys_stage_seconds_count{stage="store"}',
        'recsys_stage_seconds_count{stage="query_tower"}',
        'recsys_stage_seconds_count{stage="ann"}',
        'recsys_stage_seconds_count{stage="ranking"}',
        'recsys_candidates_sum{source="two_tower"}',
        "recsys_batch_users_sum",
        'recsys_fallbacks_total{reason="unknown user"}',
        "recsys_shortfalls_total",
        'recsys_events_total{event_type="click"}',
        'recsys_list_events_total{event_type="impression"}',
        "recsys_event_duplicates_total",
        "recsys_event_lag_seconds_count",
    ]
    before = [sample(client, name) for name in names]
    client.post("/recommendations", json={"user_ids": ["user3"], "k": 5})
    client.post("/recommendations", json={"user_ids": ["nobody", "user49"], "k": 5, "brand": "none such"})
    client.post("/recommendations", json={"user_ids": ["nobody"], "k": 5})
    event = {"event_id": "counted once", "user_id": "c", "item_id": "item1", "event_type": "click"}
    client.post("/events", json=[event, event, {**event, "event_type": "impression"}])
    after = [sample(client, name) for name in names]
    expected = [3, 3, 3, 3, 50, 4, 1, 2, 2, 1, 1, 2]
    assert [b - a for a, b in zip(before, after, strict=True)] == pytest.approx(
        expected
    )  # one of them is a sum of means
    assert sample(client, "recsys_store_up") == 1
    assert re.search(r'^recsys_bundle_workers\{name="tiny",version="[^"]+"\} 1.0$', client.get("/metrics").text, re.M)


def test_a_line_of_the_log_is_json() -> None:
    token = logs.request_id.set("r1")
    try:
        raise ValueError('a "quoted"\nbug')
    except ValueError as error:
        record = logging.LogRecord(
            "serve.x", logging.ERROR, "f", 1, "it %s", ("failed",), (type(error), error, error.__traceback__)
        )
    finally:
        logs.request_id.reset(token)
    record.status = 500
    token = logs.request_id.set("r1")
    line = JsonFormatter().format(record)
    logs.request_id.reset(token)
    assert "\n" not in line
    entry = json.loads(line)
    assert entry["message"] == "it failed"
    assert (entry["level"], entry["logger"], entry["status"], entry["request_id"]) == ("error", "serve.x", 500, "r1")
    assert 'a "quoted"\nbug' in entry["exception"]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", entry["time"])


def test_an_access_line_has_the_requests_id(bundle_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(bundle=bundle_path, store="none", access_log=True) as (client, _), caplog.at_level(logging.INFO):
        client.get("/recommendations/user3?k=2", headers={"X-Request-ID": "r7"})
    (record,) = (record for record in caplog.records if record.name == "serve.access")
    token = logs.request_id.set("r7")
    entry = json.loads(JsonFormatter().format(record))
    logs.request_id.reset(token)
    assert entry["message"] == "GET /recommendations/user3 200"
    assert (entry["route"], entry["status"], entry["request_id"]) == ("/recommendations/{user_id:id}", 200, "r7")
    assert entry["ms"] > 0


def test_a_worker_that_has_just_begun_to_count_spoils_no_sum(tmp_path: Path) -> None:
    """Its file is there before anything is in it."""
    code = """
from pathlib import Path
from serve.metrics import Metrics
metrics = Metrics()
metrics.refused("rate")
metrics.no_store()
Path("counter_99999.db").touch()
print(metrics.render().decode())
"""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert 'recsys_refused_total{cause="rate"} 1.0' in ended.stdout
    assert "recsys_store_up NaN" in ended.stdout


def test_users_who_wait_are_told_when_a_batch_begins(bundle_path: Path) -> None:
    with service_queue(bundle_path, max_batch=4) as (queue, metrics):
        told = []
        recommend = queue.service.recommend

        def noted(requests: Sequence[RecommendationRequest]) -> list[list[MadeList] | Exception]:
            told.append(metrics.waiting_users._value.get())
            return recommend(requests)

        queue.service.recommend = noted  # type: ignore[method-assign]

        async def all_at_once() -> None:
            await asyncio.gather(*(queue.submit("", request_for(f"user{n}")) for n in range(10)))

        asyncio.run(all_at_once())
        assert told == [6, 2, 0]  # 10 users, four at a time
