"""What production does to a server: killed processes, new bundles, too much load, stops. All for real."""

import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import psutil
import pytest

from recsys.bundle.layout import CURRENT_FILE
from tests.support.bundles import make_bundle
from tests.support.server_processes import (
    ROOT,
    Response,
    environment,
    get,
    logged_server,
    metric,
    post,
    wait_until_ready,
    workers_of,
)
from tests.support.waiting import TIMEOUT_S, eventually

LOST = (urllib.error.URLError, HTTPException, OSError)  # the connection, not the request, failed


@pytest.fixture(scope="module")
def bundle_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("saved_model"), name="shop")


@dataclass
class Pair:
    """A server of two workers with a store and a bundle of its own, which tests may replace."""

    url: str
    process: subprocess.Popen[str]
    bundle: Path
    store: Path
    log: Path


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """One for all tests that may kill its workers: the server replaces them."""
    folder = tmp_path_factory.mktemp("pair")
    path = make_bundle(folder, name="shop", keep=10)
    store = folder / "store.sqlite"
    options = ("--bundle", str(path), "--port", "0", "--workers", "2", "--reload-poll-s", "0")
    with logged_server(folder / "log", *options, "--store", f"sqlite:///{store}") as (url, process):
        yield Pair(url, process, path, store, folder / "log")


def port_of(url: str) -> str:
    return url.rpartition(":")[2]


class Stream:
    """Sends events from several threads, each until it is acknowledged, and remembers those that were."""

    def __init__(self, url: str, name: str, threads: int = 3) -> None:
        self.url, self.name = url, name
        self.acknowledged: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(threads)]

    def __enter__(self) -> "Stream":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _send(self, number: int) -> None:
        for count in range(1_000_000):
            if self._over.is_set():
                return
            batch = [
                {
                    "event_id": f"{self.name}-{number}-{count}-{part}",
                    "user_id": f"{self.name}-{number}",
                    "item_id": f"item{count % 200}",
                    "event_type": "view",
                }
                for part in range(2)
            ]
            while not self._acknowledged(batch):
                if self._over.is_set():
                    return  # never acknowledged: it may be there or not
                time.sleep(0.01)

    def _acknowledged(self, batch: list[dict[str, str]]) -> bool:
        try:
            response = post(f"{self.url}/events", batch)
        except LOST:
            return False
        assert response.status in (200, 503), response.body
        if response.status == 200:
            self.acknowledged += [event["event_id"] for event in batch]
        return response.status == 200


def stored_ids(store: Path) -> Counter[str]:
    with sqlite3.connect(store) as connection:
        return Counter(event_id for (event_id,) in connection.execute("SELECT event_id FROM events"))


def check_nothing_lost(store: Path, streams: list[Stream]) -> None:
    stored = stored_ids(store)
    acknowledged = Counter(event_id for stream in streams for event_id in stream.acknowledged)
    assert acknowledged
    assert not acknowledged - stored, "every acknowledged event is in the store"
    assert set(stored.values()) == {1}, "none is there twice"
    assert set(acknowledged.values()) == {1}


def kill_workers(pair: Pair, rounds: int) -> None:
    """Kill workers while events stream in; the server replaces them."""
    process = pair.process
    with Stream(pair.url, "w") as stream:
        for turn in range(rounds):
            eventually(lambda: len(workers_of(process)) == 2)
            seen = len(stream.acknowledged)
            eventually(lambda seen=seen: len(stream.acknowledged) > seen + 10)
            victim = random.choice(workers_of(process))
            victim.kill()
            eventually(lambda victim=victim: victim.pid not in {worker.pid for worker in workers_of(process)})
            seen = len(stream.acknowledged)
            eventually(lambda seen=seen: len(stream.acknowledged) > seen + 10)
            user = get(f"{pair.url}/recommendations/w-{turn % 3}").json()["user"]
            assert user["live_events"] > 0
        eventually(lambda: len(workers_of(process)) == 2)
    check_nothing_lost(pair.store, [stream])


def kill_servers(bundle_path: Path, folder: Path, rounds: int, workers: int) -> None:
    """Kill all processes of the server at once while events stream in, and start it again."""
    store = folder / "store.sqlite"
    streams = []
    port = "0"
    for turn in range(rounds):
        options = ("--bundle", str(bundle_path), "--port", port, "--workers", str(workers))
        options += ("--store", f"sqlite:///{store}")
        with logged_server(folder / "log", *options) as (url, process):
            port = port_of(url)
            with Stream(url, f"s{turn}") as stream:
                eventually(lambda stream=stream: len(stream.acknowledged) > 20)
                time.sleep(random.uniform(0, 0.1))
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(TIMEOUT_S)
            streams.append(stream)
        check_nothing_lost(store, streams)


def test_killed_workers_lose_no_acknowledged_event(pair: Pair) -> None:
    kill_workers(pair, rounds=1)


@pytest.mark.slow
def test_workers_are_replaced_with_what_they_were_forked_from(pair: Pair) -> None:
    eventually(lambda: len(workers_of(pair.process)) == 2)
    gone = workers_of(pair.process)
    gone[0].parent().kill()
    eventually(lambda: len(workers_of(pair.process)) == 2 and not any(worker.is_running() for worker in gone))
    eventually(lambda: get(f"{pair.url}/ready").status == 200)
    assert pair.process.poll() is None


def test_a_killed_server_loses_no_acknowledged_event(bundle_path: Path, tmp_path: Path) -> None:
    kill_servers(bundle_path, tmp_path, rounds=2, workers=1)


@pytest.mark.slow
def test_many_killed_workers_and_servers(pair: Pair, bundle_path: Path, tmp_path: Path) -> None:
    kill_workers(pair, rounds=20)
    kill_servers(bundle_path, tmp_path, rounds=20, workers=2)


@contextmanager
def asking(url: str, threads: int = 3, users: int = 20) -> Iterator[list[tuple[int, dict[str, object]]]]:
    """Ask for recommendations all the time; what was answered."""
    answers: list[tuple[int, dict[str, object]]] = []
    over = threading.Event()

    def ask(number: int) -> None:
        count = 0
        while not over.wait(0.005):
            response = get(f"{url}/recommendations/user{(number + count) % users}?k=20")
            answers.append((response.status, response.json()))
            count += 1

    with ThreadPoolExecutor(threads) as pool:
        asked = [pool.submit(ask, number) for number in range(threads)]
        try:
            yield answers
        finally:
            over.set()
    for future in asked:
        future.result()


def versions_in(answers: list[tuple[int, dict[str, object]]]) -> set[str]:
    return {answer["bundle"]["version"] for _, answer in answers}  # type: ignore[index]


def test_new_bundles_under_load(pair: Pair) -> None:
    replace_bundles(pair, "SIGHUP", workers=2)


@pytest.mark.slow
@pytest.mark.parametrize(("by", "workers"), [("current", 2), ("request", 1)])
def test_new_bundles_by_other_ways(tmp_path: Path, by: str, workers: int) -> None:
    path = make_bundle(tmp_path, name="shop", keep=10)
    poll = "0.2" if by == "current" else "0"
    options = ("--bundle", str(path), "--port", "0", "--workers", str(workers), "--reload-poll-s", poll)
    with logged_server(tmp_path / "log", *options) as (url, process):
        replace_bundles(Pair(url, process, path, tmp_path, tmp_path / "log"), by, workers)


def replace_bundles(pair: Pair, by: str, workers: int) -> None:
    """No request fails, no answer mixes two bundles, a bad one is refused, every worker follows."""
    path, log = pair.bundle, pair.log
    first = current(path)
    eventually(lambda: metric(pair.url, f'recsys_bundle_workers{{name="shop",version="{first}"}}') == workers)
    known, refused = {first}, log.read_text().count("it is corrupt")
    with asking(pair.url) as answers:
        for seed in (1, 2):
            make_bundle(path.parent, name="shop", seed=seed, keep=10)
            known.add(current(path))
            tell(by, pair, 200)
            follows(answers, current(path))
        good = current(path)
        bad = path / "99999999T000000.000000Z-bad"
        shutil.copytree(path / good, bad)
        embeddings = bad / "item_embeddings.npy"
        embeddings.write_bytes(embeddings.read_bytes()[:-7])
        (path / CURRENT_FILE).write_text(bad.name)
        tell(by, pair, 409)
        eventually(lambda: log.read_text().count("it is corrupt") - refused >= workers)
        answers.clear()
        eventually(lambda: len(answers) > 50)
        assert versions_in(answers) == {good}
        (path / CURRENT_FILE).write_text(good)
        shutil.rmtree(bad)
    assert {status for status, _ in answers} == {200}
    assert versions_in(answers) <= known


def tell(by: str, pair: Pair, status: int) -> None:
    """Let the server know of a new bundle."""
    if by == "SIGHUP":
        pair.process.send_signal(signal.SIGHUP)
    elif by == "request":
        assert post(f"{pair.url}/admin/reload").status == status


def current(path: Path) -> str:
    return (path / CURRENT_FILE).read_text().strip()


def follows(answers: list[tuple[int, dict[str, object]]], version: str) -> None:
    """Wait until all workers answer from a version: a run of answers as long as no chance allows."""

    def all_of_it() -> bool:
        recent = answers[-60:]
        return len(recent) == 60 and versions_in(recent) == {version}

    eventually(all_of_it)
    assert {status for status, _ in answers} == {200}


@pytest.mark.slow
def test_too_much_load_is_refused(bundle_path: Path, tmp_path: Path) -> None:
    """More clients than the server takes at once: every answer is a list or a refusal that says so."""
    options = ("--bundle", str(bundle_path), "--port", "0", "--max-in-flight", "4", "--max-batch", "1")
    body = {"user_ids": [f"user{n % 50}" for n in range(100)], "k": 20}
    counts: Counter[int] = Counter()

    def ask(_: int) -> None:
        for _ in range(6):
            response = post(f"{url}/recommendations", body)
            counts[response.status] += 1
            if response.status == 503:
                assert int(response.headers["Retry-After"]) > 0
                assert response.json()["title"] == "Service Unavailable"
            else:
                assert len(response.json()["results"]) == 100

    with logged_server(tmp_path / "log", *options) as (url, _):
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(ask, range(16)))
        assert get(f"{url}/recommendations/user1").status == 200
        assert metric(url, 'recsys_refused_total{cause="overload"}') == counts[503]
    assert set(counts) == {200, 503}
    assert counts[200] >= 6
    assert counts[503] >= 20


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_stop_finishes_what_is_under_way(bundle_path: Path, tmp_path: Path, workers: int) -> None:
    store = tmp_path / "store.sqlite"
    options = ("--bundle", str(bundle_path), "--port", "0", "--workers", str(workers), "--store", f"sqlite:///{store}")
    body = {"user_ids": [f"user{n % 50}" for n in range(128)], "k": 50}
    temporary = tmp_path / "too_long_for_the_address_of_a_socket_".ljust(100, "_")
    temporary.mkdir()
    running = logged_server(tmp_path / "log", *options, TMPDIR=str(temporary))
    with running as (url, process), ThreadPoolExecutor(3) as pool:
        serving = f'recsys_bundle_workers{{name="shop",version="{current(bundle_path)}"}}'
        eventually(lambda: metric(url, serving) == workers)
        assert len(list(temporary.glob("recsys-metrics-*"))) == (workers > 1)
        sent: list[Future[Response]] = []

        def under_way() -> bool:
            if all(future.done() for future in sent):
                sent.extend(pool.submit(post, f"{url}/recommendations", body) for _ in range(3))
            accepted = metric(url, "recsys_http_in_flight")
            return accepted >= 2 and accepted == sum(not future.done() for future in sent)

        eventually(under_way)
        process.send_signal(signal.SIGTERM)
        answers = [future.result() for future in sent]
        process.wait(TIMEOUT_S)
        assert {answer.status for answer in answers} == {200}
        assert {len(answer.json()["results"]) for answer in answers} == {128}
    log = (tmp_path / "log").read_text()
    assert log.count("Application shutdown complete") == workers
    assert "Traceback" not in log
    assert not list(temporary.glob("recsys-metrics-*"))
    with sqlite3.connect(store) as connection:
        (served,) = connection.execute("SELECT count(*) FROM served").fetchone()
    assert served == 128 * len(sent), "the log of what was shown is written to its end"


def test_metrics_add_up_over_workers(pair: Pair) -> None:
    answered = 'recsys_http_requests_total{method="GET",route="/recommendations/{user_id:id}",status="200"}'
    serving = f'recsys_bundle_workers{{name="shop",version="{current(pair.bundle)}"}}'
    eventually(lambda: metric(pair.url, serving) == 2)
    before = metric(pair.url, answered)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: get(f"{pair.url}/recommendations/user{n % 50}"), range(40)))
    eventually(lambda: metric(pair.url, answered) == before + 40)  # counted once it has been sent
    assert metric(pair.url, 'recsys_stage_seconds_count{stage="ann"}') > 0
    victim = workers_of(pair.process)[0]
    victim.kill()
    eventually(lambda: victim.pid not in {worker.pid for worker in workers_of(pair.process)})
    eventually(lambda: metric(pair.url, serving) == 2)
    assert metric(pair.url, answered) == before + 40, "what a dead worker counted stays"


def reachable(url: str) -> bool:
    with suppress(*LOST):
        return get(f"{url}/health").status == 200
    return False


@pytest.mark.slow
def test_several_workers_of_uvicorn_itself(bundle_path: Path, tmp_path: Path) -> None:
    """Without `python -m serve`: any ASGI server can run the factory."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "serve.app:create_app", "--factory", "--port", str(port)]
    (tmp_path / "metrics").mkdir()
    variables = {
        "RECSYS_BUNDLE": str(bundle_path),
        "RECSYS_STORE": f"sqlite:///{tmp_path}/store.sqlite",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
    }
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--workers", "2"], env=environment(**variables), cwd=ROOT, stderr=log, stdout=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: reachable(url))
        wait_until_ready(url)
        event = {"user_id": "new", "item_id": "item3", "event_type": "view"}
        assert post(f"{url}/events", event).status == 200
        answers = [get(f"{url}/recommendations/new").json() for _ in range(10)]
        assert {answer["user"]["live_events"] for answer in answers} == {1}
        eventually(lambda: f'version="{current(bundle_path)}"}} 2.0' in get(f"{url}/metrics").body.decode())
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)


def test_workers_end_with_their_parent(bundle_path: Path, tmp_path: Path) -> None:
    options = ("--bundle", str(bundle_path), "--port", "0", "--workers", "2")
    with logged_server(tmp_path / "log", *options) as (_, process):
        eventually(lambda: (tmp_path / "log").read_text().count("Application startup complete") == 2)
        workers = workers_of(process)
        assert len(workers) == 2
        process.kill()
        psutil.wait_procs(workers, TIMEOUT_S)
        assert not [worker for worker in workers if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE]
    assert (tmp_path / "log").read_text().count("Application shutdown complete") == 2


@pytest.mark.slow
def test_nothing_secret_in_the_log(bundle_path: Path, tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "serve.auth", "shop", "read", "write"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    secret = made.stderr.split()[-1]
    (tmp_path / "keys.json").write_text(f"[{made.stdout}]")
    options = ("--bundle", str(bundle_path), "--port", "0", "--api-keys", str(tmp_path / "keys.json"))
    more = ("--store", "postgresql://shop:swordfish@127.0.0.1:1/shop", "--access-log", "true", "--log-level", "debug")
    with logged_server(tmp_path / "log", *options, *more) as (url, _):
        key = {"X-API-Key": secret}
        assert get(f"{url}/recommendations/user3", **key).status == 200
        assert get(f"{url}/recommendations/user3", **{"X-API-Key": f"{secret}x"}).status == 401
        assert get(f"{url}/config", **key).status == 403
        event = {"user_id": "u", "item_id": "item3", "event_type": "view"}
        assert post(f"{url}/events", event, **key).status == 503
        assert post(f"{url}/events", event).status == 401
    log = (tmp_path / "log").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"GET /recommendations/user3 200", "GET /recommendations/user3 401"} <= {line["message"] for line in lines}
    assert {line["request_id"] for line in lines if line["logger"] == "serve.access"}
    for word in (secret, "swordfish", json.loads(made.stdout)["sha256"]):
        assert word not in log
