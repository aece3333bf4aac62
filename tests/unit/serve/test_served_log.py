"""What was shown to whom can be read back, and the log never holds a request up."""

import re
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recsys.bundle import Bundle
from recsys.store import ListDetails, Served, StoreError
from serve.bundles.options import Options
from serve.histories.summary import NO_HISTORY
from serve.metrics import Metrics
from serve.recommendations import served_log
from serve.recommendations.answers import RecommendationResponse, Timing
from serve.recommendations.made_lists import MadeList, recommendation_ids
from serve.recommendations.served_log import ServedLog
from tests.support.databases import patient
from tests.support.serving import COLD_USER, get, running
from tests.support.shop_rules import rule, write_rules
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


def test_every_list_has_an_id_of_its_own_by_which_the_log_knows_it(bundle_path: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with running(bundle=bundle_path, store=url) as (client, _):
        answers = [get(client, "user3"), get(client, "user3")]
        answers += client.post("/recommendations", json={"user_ids": ["user3", "user4", "user3"]}).json()["results"]
    ids = [answer["recommendation_id"] for answer in answers]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[0-9a-f]{32}", list_id) for list_id in ids)
    with patient(url) as store:
        assert [row.recommendation_id for row in store.served(0, time.time() + 1)] == ids


def test_without_a_store_lists_have_ids_too(bundle_path: Path) -> None:
    with running(bundle=bundle_path, store="none") as (client, _):
        assert re.fullmatch("[0-9a-f]{32}", get(client, "user3")["recommendation_id"])


def test_the_log_says_how_a_list_was_made(bundle_path: Path, bundle: Bundle, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    rules = write_rules(tmp_path / "rules.yaml", [rule("dear", "hide", "item.price > 20.0", scenario="cart")])
    with running(bundle=bundle_path, store=url, rules=rules) as (client, server):
        eventually(lambda: server.parts.rules.rules.version == 1)
        shown = get(client, "user3", k=5, offset=2, explain="cheap", scenario="cart")
        cold = get(client, COLD_USER, k=4)
    with patient(url) as store:
        first, second = [row.details for row in store.served(0, time.time() + 1)]
    assert first == ListDetails(
        bundle=bundle.manifest.name,
        scenario="cart",
        sources=tuple(item["source"] for item in shown["items"]),
        personal=5,
        explain="cheap",
        history=shown["user"]["interactions"],
        offset=2,
        brands=brands_of(shown),
        rules_version=1,
        milliseconds=shown["timing"]["total_ms"],
    )
    assert second == ListDetails(
        bundle=bundle.manifest.name,
        sources=("popularity",) * 4,
        fallback=NO_HISTORY,
        asked="full",
        brands=brands_of(cold),
        milliseconds=cold["timing"]["total_ms"],
    )


def brands_of(answer: dict[str, Any]) -> int:
    brands = Counter(item["brand"] for item in answer["items"])
    return sum(count if brand is None else 1 for brand, count in brands.items())


@pytest.mark.parametrize(
    ("brands", "expected"),
    [([], 0), (["a", "a"], 1), (["a", None, "b", None], 4), ([None], 1)],
)
def test_an_item_without_a_brand_counts_as_one_of_its_own(brands: list[str | None], expected: int) -> None:
    (made,) = answers(1)
    items = [msgspec.structs.replace(made.answer.items[0], brand=brand) for brand in brands]
    made = made._replace(answer=msgspec.structs.replace(made.answer, items=items))
    assert made.details().brands == expected


def test_the_log_can_be_left_out(bundle_path: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with running(bundle=bundle_path, store=url, served_log=False) as (client, _):
        get(client, "user3")
    with patient(url) as store:
        assert list(store.served(0, time.time() + 1)) == []


def test_a_list_that_somebody_else_looks_at_is_the_same_and_is_not_logged(bundle_path: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with running(bundle=bundle_path, store=url) as (client, _):
        shown = client.get("/recommendations/user3").json()
        looked_at = client.get("/recommendations/user3?logged=false").json()
        session = {"history": ["item1"], "logged": False}
        assert client.post("/recommendations", json=session).status_code == 200
    assert looked_at["items"] == shown["items"]
    with patient(url) as store:
        assert [row.recommendation_id for row in store.served(0, time.time() + 1)] == [shown["recommendation_id"]]


def test_ids_of_lists_begin_with_the_time_and_cannot_be_guessed() -> None:
    before = time.time_ns() // 1_000_000
    earlier, later = recommendation_ids(1000), recommendation_ids(1000)
    after = time.time_ns() // 1_000_000
    assert before <= int(earlier[0][:12], 16) <= int(later[0][:12], 16) <= after
    ends = [list_id[12:] for list_id in earlier + later]
    assert {len(end) for end in ends} == {20}
    assert len(set(ends)) == len(ends)
    for place in range(20):
        assert len({end[place] for end in ends}) == 16, "every digit is drawn"


def test_more_lists_than_a_statement_takes_are_written_together(tmp_path: Path) -> None:
    rows = [
        Served(f"r{n}", "u\0", float(n), "v", "full", ("a", "c\ud800"), (), list_id)
        for n, list_id in enumerate(recommendation_ids(300))
    ]
    with patient(f"sqlite:///{tmp_path}/store.sqlite") as store:
        store.upgrade()
        store.add_served([*rows, rows[0]._replace(request_id="again")])
        kept = list(store.served(0, 1000))
    assert [row.request_id for row in kept] == [f"r{n}" for n in range(300)]
    assert {(row.user_id, row.item_ids) for row in kept} == {("u\ufffd", ("a", "c\ufffd"))}


def answers(count: int) -> list[MadeList]:
    item = {"rank": 1, "item_id": "a", "title": None, "brand": None, "price": None, "score": 1.0, "confidence": 0.5}
    item |= {"retrieval_score": None, "predicted_rating": None, "source": "s", "sources": ["s"], "model_source": "s"}
    user = {"known": True, "interactions": 1, "live_events": 0, "last_interaction_at": None}
    answer = {"user": user, "primary_model": "full", "fallback_used": False, "fallback_reason": None, "shortfall": 0}
    answer |= {"store": "live", "bundle": {"name": "b", "version": "v", "synthetic": True}, "generated_at": "now"}
    answer |= {"timing": dict.fromkeys(Timing.__struct_fields__, 0.0), "items": [item]}
    names = [{"user_id": str(n), "recommendation_id": list_id} for n, list_id in enumerate(recommendation_ids(count))]
    made = msgspec.convert([answer | name for name in names], list[RecommendationResponse])
    return [MadeList(one, Options(), personal=1) for one in made]


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


class Choosy(Stuck):
    """Stands for a store that cannot write one of the rows, whatever the reason."""

    def add_served(self, rows: Sequence[Served]) -> None:
        self.asked.set()
        if rows[0].user_id == "0":
            raise ValueError("no such row")
        self.rows += len(rows)


def test_what_cannot_be_written_is_counted_and_nothing_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served_log, "MAX_ROWS", 1)
    choosy, metrics = Choosy(), Metrics()
    log = ServedLog(choosy, metrics)  # type: ignore[arg-type]
    log.add("r", answers(3))
    log.start()
    log.close()
    assert (choosy.rows, metrics._served_dropped._value.get()) == (2, 1)


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


class Noting(Stuck):
    """Stands for a store that notes how many rows each transaction has, and refuses as many as it is told to."""

    def __init__(self, refusals: int = 0) -> None:
        super().__init__()
        self.refusals, self.transactions = refusals, list[int]()

    def add_served(self, rows: Sequence[Served]) -> None:
        self.transactions.append(len(rows))
        if len(self.transactions) <= self.refusals:
            raise StoreError("a store", "none", "wait")
        self.rows += len(rows)


def test_few_lists_wait_for_others_and_a_full_transaction_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served_log, "MAX_ROWS", 3)
    monkeypatch.setattr(served_log, "INTERVAL_S", 10 * TIMEOUT_S)
    store = Noting()
    log = ServedLog(store, Metrics())  # type: ignore[arg-type]
    log.start()
    log.add("r", answers(2))
    assert store.transactions == []
    log.add("r", answers(2))
    eventually(lambda: store.rows == 4)
    log.add("r", answers(1))
    assert store.rows == 4
    log.close()
    assert store.transactions == [3, 1, 1]


def test_a_store_that_refuses_is_not_asked_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served_log, "MAX_ROWS", 3)
    monkeypatch.setattr(served_log, "INTERVAL_S", 10 * TIMEOUT_S)
    store, metrics = Noting(refusals=1), Metrics()
    log = ServedLog(store, metrics)  # type: ignore[arg-type]
    log.start()
    log.add("r", answers(3))
    eventually(lambda: store.transactions == [3])
    for _ in range(3):
        log.add("r", answers(3))
    assert store.transactions == [3]
    log.close()
    assert store.transactions == [3, 3, 3, 3, 3]
    assert (store.rows, metrics._served_dropped._value.get()) == (12, 0)
