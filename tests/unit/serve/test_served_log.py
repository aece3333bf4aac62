"""What was shown to whom can be read back, and the log never holds a request up."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from recsys.bundle import Bundle
from recsys.store import Served
from serve.metrics import Metrics
from serve.recommendations import served_log
from serve.recommendations.answers import RecommendationResponse, Timing
from serve.recommendations.served_log import ServedLog
from tests.support.databases import patient
from tests.support.serving import get, running
from tests.support.waiting import TIMEOUT_S, eventually


def test_what_was_shown_is_read_back(bundle_path: Path, bundle: Bundle, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    before = time.time()
    with running(bundle=bundle_path, store=url) as (client, _):
        shown = get(client, "user3", k=3)["items"]
        body = {"user_ids": ["nobody", "user4"], "k": 2, "model": "transitions"}
        results = client.post("/recommendations", json=body, headers={"X-Request-ID": "r9"}).json()["results"]
        session = client.post("/recommendations", json={"history": ["item3"], "k": 1}).json()["results"]
        client.get("/recommendations/user3?k=0")  # refused: nothing was shown
    with patient(url) as store:
        rows = list(store.served(before, time.time()))
    assert [row.user_id for row in rows] == ["user3", "nobody", "user4", None]
    assert [row.model for row in rows] == ["full", "popularity", "transitions", "full"]
    assert {row.bundle_version for row in rows} == {bundle.version}
    for row, items in zip(rows, [shown, *(r["items"] for r in results), session[0]["items"]], strict=True):
        assert row.item_ids == tuple(item["item_id"] for item in items)
        assert row.scores == tuple(item["score"] for item in items)
    assert rows[1].request_id == rows[2].request_id == "r9"


def test_the_log_can_be_left_out(bundle_path: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with running(bundle=bundle_path, store=url, served_log=False) as (client, _):
        get(client, "user3")
    with patient(url) as store:
        assert list(store.served(0, time.time() + 1)) == []


def answers(count: int) -> list[RecommendationResponse]:
    item = {"rank": 1, "item_id": "a", "title": None, "brand": None, "price": None, "score": 1.0, "confidence": 0.5}
    item |= {"retrieval_score": None, "predicted_rating": None, "source": "s", "sources": ["s"], "model_source": "s"}
    user = {"known": True, "interactions": 1, "live_events": 0, "last_interaction_at": None}
    answer = {"user": user, "primary_model": "full", "fallback_used": False, "fallback_reason": None, "shortfall": 0}
    answer |= {"store": "live", "bundle": {"name": "b", "version": "v", "synthetic": True}, "generated_at": "now"}
    answer |= {"timing": dict.fromkeys(Timing.__struct_fields__, 0.0), "items": [item]}
    return msgspec.convert([{**answer, "user_id": str(n)} for n in range(count)], list[RecommendationResponse])


def test_what_the_store_does_not_take_waits_and_what_is_too_much_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_log, "MAX_WAITING", 1000)
    monkeypatch.setattr(served_log, "MAX_ROWS", 100)
    store = patient(f"sqlite:///{tmp_path}/store.sqlite")  # without tables: every write fails
    metrics = Metrics()
    log = ServedLog(store, metrics)
    log.start()
    for _ in range(10):
        log.add("r", answers(100))
    eventually(lambda: log._waiting.qsize() == 1000 - served_log.MAX_ROWS)  # the others are on their way
    for _ in range(8):
        log.add("r", answers(100))
    dropped = metrics._served_dropped._value.get()
    assert dropped == 1800 - 1000 - served_log.MAX_ROWS
    store.upgrade()
    log.close()
    assert metrics._served_dropped._value.get() == dropped
    rows: list[Served] = list(store.served(0, time.time() + 1))
    assert len(rows) == 1800 - dropped, "what waited is written at the end"
    assert [int(str(row.user_id)) for row in rows[:200]] == [*range(100), *range(100)]
    store.close()


class Stuck:
    """Stands for a store that takes its time."""

    def __init__(self) -> None:
        self.asked, self.go_on = threading.Event(), threading.Event()
        self.rows = 0

    def add_served(self, rows: Sequence[Served]) -> None:
        self.asked.set()
        assert self.go_on.wait(TIMEOUT_S)
        self.rows += len(rows)


def test_a_slow_store_holds_no_request_up() -> None:
    stuck = Stuck()
    log = ServedLog(stuck, Metrics())  # type: ignore[arg-type]
    log.start()
    log.add("r", answers(1))
    assert stuck.asked.wait(TIMEOUT_S)
    for _ in range(5):
        log.add("r", answers(1))  # returns although the store has not
    assert stuck.rows == 0
    stuck.go_on.set()
    log.close()
    assert stuck.rows == 6
