"""What production does to a server: killed processes, new bundles, too much load, stops. All for real."""

import json
import os
import random
import re
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
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

import psutil
import pytest

from recsys.bundle.layout import CURRENT_FILE
from tests.bundle_factory import make_bundle
from tests.unit.serve.processes import (
    ROOT,
    TIMEOUT_S,
    environment,
    eventually,
    get,
    logged_server,
    post,
    wait_until_ready,
)

LOST = (urllib.error.URLError, HTTPException, OSError)  # the connection, not the request, failed


@pytest.fixture(scope="module")
def bundle_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("saved_model"), name="shop")


def port_of(url: str) -> str:
    return url.rpartition(":")[2]


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Processes that serve, without multiprocessing's helpers and the one that fills the search."""
    found = []
    for child in psutil.Process(process.pid).children():
        with suppress(psutil.NoSuchProcess):  # a zombie is one such
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


class Stream:
    """Sends events from several threads, each until it is acknowledged, and remembers those that were."""

    def __init__(self, url: str, name: str, threads: int = 3) -> None:
        self.url, self.name = url, name
        self.acknowledged: list[str] = []
        self.retried = 0
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
                self.retried += 1
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


def kill_workers(bundle_path: Path, folder: Path, rounds: int) -> None:
    """Kill workers while events stream in; the server replaces them."""
    store = folder / "store.sqlite"
    options = ("--bundle", str(bundle_path), "--port", "0", "--workers", "2", "--store", f"sqlite:///{store}")
    with logged_server(folder / "log", *options) as (url, process), Stream(url, "w") as stream:
        for turn in range(rounds):
            eventually(lambda: len(workers_of(process)) == 2)
            seen = len(stream.acknowledged)
            eventually(lambda seen=seen: len(stream.acknowledged) > seen + 10)
            victim = random.choice(workers_of(process))
            victim.kill()
            eventually(lambda victim=victim: victim.pid not in {worker.pid for worker in workers_of(process)})
            seen = len(stream.acknowledged)
            eventually(lambda seen=seen: len(stream.acknowledged) > seen + 10)
            user = get(f"{url}/recommendations/w-{turn % 3}").json()["user"]
            assert user["live_events"] > 0
        eventually(lambda: len(workers_of(process)) == 2)
    check_nothing_lost(store, [stream])


def kill_servers(bundle_path: Path, folder: Path, rounds: int) -> None:
    """Kill all processes of the server at once while events stream in, and start it again."""
    store = folder / "store.sqlite"
    streams = []
    port = "0"
    for turn in range(rounds):
        options = ("--bundle", str(bundle_path), "--port", port, "--workers", "2", "--store", f"sqlite:///{store}")
        with logged_server(folder / "log", *options) as (url, process):
            port = port_of(url)
            with Stream(url, f"s{turn}") as stream:
                eventually(lambda stream=stream: len(stream.acknowledged) > 20)
                time.sleep(random.uniform(0, 0.1))
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(TIMEOUT_S)
            streams.append(stream)
        check_nothing_lost(store, streams)


def test_killed_workers_lose_no_acknowledged_event(bundle_path: Path, tmp_path: Path) -> None:
    kill_workers(bundle_path, tmp_path, rounds=1)


def test_a_killed_server_loses_no_acknowledged_event(bundle_path: Path, tmp_path: Path) -> None:
    kill_servers(bundle_path, tmp_path, rounds=2)


@pytest.mark.slow
def test_many_killed_workers_and_servers(bundle_path: Path, tmp_path: Path) -> None:
    kill_workers(bundle_path, tmp_path, rounds=20)
    kill_servers(bundle_path, tmp_path, rounds=20)


@contextmanager
def asking(url: str, threads: int = 4, users: int = 20) -> Iterator[list[tuple[int, dict[str, object]]]]:
    """Ask for recommendations all the time; what was answered."""
    answers: list[tuple[int, dict[str, object]]] = []
    over = threading.Event()

    def ask(number: int) -> None:
        count = 0
        while not over.is_set():
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


@pytest.mark.parametrize("by", ["current", "SIGHUP", "request"])
def test_new_bundles_under_load(tmp_path: Path, by: str) -> None:
    """No request fails, no answer mixes two bundles, a bad one is refused, every worker follows."""
    path = make_bundle(tmp_path, name="shop", n_items=100, n_users=20, keep=10)
    known = {current(path)}
    poll = "0.2" if by == "current" else "0"
    workers = "1" if by == "request" else "2"
    options = ("--bundle", str(path), "--port", "0", "--workers", workers, "--reload-poll-s", poll)
    with logged_server(tmp_path / "log", *options) as (url, process), asking(url) as answers:
        for seed in (1, 2):
            make_bundle(tmp_path, name="shop", n_items=100, n_users=20, seed=seed, keep=10)
            known.add(current(path))
            tell(by, url, process, 200)
            follows(answers, current(path))
        good = current(path)
        shutil.copytree(path / good, path / "99999999T000000.000000Z-bad")
        embeddings = path / "99999999T000000.000000Z-bad" / "item_embeddings.npy"
        embeddings.write_bytes(embeddings.read_bytes()[:-7])
        (path / CURRENT_FILE).write_text("99999999T000000.000000Z-bad")
        tell(by, url, process, 409)
        refusals = int(workers)
        eventually(lambda: (tmp_path / "log").read_text().count("it is corrupt") >= refusals)
        answers.clear()
        eventually(lambda: len(answers) > 50)
        assert versions_in(answers) == {good}
    assert {status for status, _ in answers} == {200}
    assert versions_in(answers) <= known


def tell(by: str, url: str, process: subprocess.Popen[str], status: int) -> None:
    """Let the server know of a new bundle."""
    if by == "SIGHUP":
        process.send_signal(signal.SIGHUP)
    elif by == "request":
        assert post(f"{url}/admin/reload").status == status


def current(path: Path) -> str:
    return (path / CURRENT_FILE).read_text().strip()


def follows(answers: list[tuple[int, dict[str, object]]], version: str) -> None:
    """Wait until all workers answer from a version: a run of answers as long as no chance allows."""

    def all_of_it() -> bool:
        recent = answers[-60:]
        return len(recent) == 60 and versions_in(recent) == {version}

    eventually(all_of_it)
    assert {status for status, _ in answers} == {200}


def test_too_much_load_is_refused_at_once(bundle_path: Path, tmp_path: Path) -> None:
    """More clients than the server takes: the refusals are quick and say so, the accepted are served in time."""
    options = ("--bundle", str(bundle_path), "--port", "0", "--max-in-flight", "4", "--max-batch", "1")
    body = {"user_ids": [f"user{n % 50}" for n in range(100)], "k": 20}
    times: dict[int, list[float]] = {200: [], 503: []}

    def ask(_: int) -> None:
        for _ in range(6):
            started = time.perf_counter()
            response = post(f"{url}/recommendations", body)
            times[response.status].append(time.perf_counter() - started)
            if response.status == 503:
                assert int(response.headers["Retry-After"]) > 0
                assert response.json()["title"] == "Service Unavailable"

    with logged_server(tmp_path / "log", *options) as (url, _):
        started = time.perf_counter()
        assert post(f"{url}/recommendations", body).status == 200
        alone = time.perf_counter() - started
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(ask, range(16)))
        assert get(f"{url}/recommendations/user1").status == 200
    assert len(times[200]) >= 6
    assert len(times[503]) >= 20
    # Four requests share the server at most; without a bound, the slowest would wait for sixteen.
    assert max(times[200]) < 16 * alone + 2
    assert sorted(times[503])[len(times[503]) // 2] < sorted(times[200])[len(times[200]) // 2]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stop_finishes_what_is_under_way(bundle_path: Path, tmp_path: Path, workers: str) -> None:
    store = tmp_path / "store.sqlite"
    options = ("--bundle", str(bundle_path), "--port", "0", "--workers", workers, "--store", f"sqlite:///{store}")
    body = {"user_ids": [f"user{n % 50}" for n in range(256)], "k": 100}
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    running = logged_server(tmp_path / "log", *options, TMPDIR=str(temporary))
    with running as (url, process), ThreadPoolExecutor(4) as pool:
        assert len(list(temporary.glob("recsys-metrics-*"))) == (workers == "2")
        under_way = [pool.submit(post, f"{url}/recommendations", body) for _ in range(4)]
        eventually(lambda: in_flight(url) >= 2)
        process.send_signal(signal.SIGTERM)
        answers = [future.result() for future in under_way]
        process.wait(TIMEOUT_S)
        assert [answer.status for answer in answers] == [200] * 4
        assert all(len(answer.json()["results"]) == 256 for answer in answers)
    log = (tmp_path / "log").read_text()
    assert log.count("Application shutdown complete") == int(workers)
    assert "Traceback" not in log
    assert not list(temporary.glob("recsys-metrics-*"))
    with sqlite3.connect(store) as connection:
        (served,) = connection.execute("SELECT count(*) FROM served").fetchone()
    assert served == 4 * 256, "the log of what was shown is written to its end"


def in_flight(url: str) -> float:
    return metric(url, "recsys_http_in_flight")


def metric(url: str, name: str) -> float:
    """A metric's value; 0 where there is none yet."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", get(f"{url}/metrics").body.decode(), re.MULTILINE)
    return float(found.group(1)) if found else 0.0


def test_metrics_add_up_over_workers(bundle_path: Path, tmp_path: Path) -> None:
    version = current(bundle_path)
    options = ("--bundle", str(bundle_path), "--port", "0", "--workers", "2")
    answered = 'recsys_http_requests_total{method="GET",route="/recommendations/{user_id:id}",status="200"}'
    serving = f'recsys_bundle_workers{{name="shop",version="{version}"}}'
    with logged_server(tmp_path / "log", *options) as (url, process):
        eventually(lambda: metric(url, serving) == 2)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: get(f"{url}/recommendations/user{n % 50}"), range(40)))
        eventually(lambda: metric(url, answered) == 40)  # counted once it has been sent
        assert metric(url, 'recsys_stage_seconds_count{stage="ann"}') > 0
        victim = workers_of(process)[0]
        victim.kill()
        eventually(lambda: metric(url, serving) == 2 and victim.pid not in {w.pid for w in workers_of(process)})
        assert metric(url, answered) == 40, "what a dead worker counted stays"


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
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            try:
                wait_until_ready(url)
                break
            except LOST:
                assert time.monotonic() < deadline
                time.sleep(0.05)
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
