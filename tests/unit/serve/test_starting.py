"""A server answers from its first moment on, says what it waits for, and ends in good order at any time."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recsys.core.errors import BundleError
from serve import starting
from serve.bundles.loaded import LoadedBundle
from serve.bundles.progress import Progress
from serve.bundles.swap import Bundles
from serve.errors import NotReadyError
from serve.metrics import Metrics
from serve.settings import Settings
from serve.shared import Shared
from serve.starting import Starting
from tests.support.server_processes import ROOT
from tests.support.serving import refusal, running
from tests.support.waiting import START_TIMEOUT_S, TIMEOUT_S, eventually

HEAVY = {"numpy", "numba", "fastapi", "sqlalchemy", "onnxruntime", "scann", "prometheus_client"}


def nothing_served() -> SimpleNamespace:
    """What a process shares with others before it serves a bundle."""
    return SimpleNamespace(value=b"")


class Conversation:
    """An ASGI server's side of an app: its life, and requests."""

    def __init__(self, app: Starting) -> None:
        self.app = app
        self.stop = asyncio.Event()
        self.said: list[str] = []

    async def live(self) -> None:
        """The app's life, until `stop`."""
        begun = False

        async def receive() -> dict[str, Any]:
            nonlocal begun
            if begun:
                await self.stop.wait()
            begun = True
            return {"type": "lifespan"}

        async def send(message: dict[str, Any]) -> None:
            self.said.append(message["type"])

        await self.app({"type": "lifespan"}, receive, send)

    async def get(
        self, path: str, method: str = "GET", headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> tuple[int, dict[str, str], Any]:
        """Status, headers and content of an answer."""
        messages: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            messages.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
        await self.app(scope, receive, send)
        answered = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        return messages[0]["status"], answered, json.loads(messages[1]["body"])


def test_nothing_heavy_is_imported_before_it_listens() -> None:
    code = "import sys, serve.__main__; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert not HEAVY & set(loaded.split())


def test_it_answers_before_the_app_is_made(bundle_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, make = threading.Event(), starting._make_app

    def made_when_told(settings: Settings, shared: Shared | None) -> Any:
        made.wait(TIMEOUT_S)
        return make(settings, shared)

    monkeypatch.setattr(starting, "_make_app", made_when_told)

    async def main() -> None:
        served = nothing_served()
        talk = Conversation(Starting(Settings(bundle=bundle_path, store="none"), served))
        life = asyncio.create_task(talk.live())
        while not talk.said:
            await asyncio.sleep(0)
        status, headers, content = await talk.get("/health")
        assert (status, headers["content-type"], content) == (200, "application/json", {"status": "ok"})
        for path in ("/ready", "/recommendations/user3"):
            status, headers, content = await talk.get(path)
            assert (status, headers["content-type"]) == (503, "application/problem+json")
            assert int(headers["retry-after"]) > 0
            assert content.keys() == {"type", "title", "status", "detail"}
            assert "starting" in content["detail"]
        early = [await talk.get("/health", method) for method in ("POST", "HEAD")]
        assert (await talk.get("/health", headers=[(b"x-request-id", b"mine")]))[1]["x-request-id"] == "mine"
        made.set()
        while (await talk.get("/ready"))[0] != 200:
            await asyncio.sleep(0.01)
        assert (await talk.get("/health"))[2] == {"status": "ok"}
        while not served.value:
            await asyncio.sleep(0.01)
        assert served.value.decode() == (bundle_path / "current").read_text().strip()
        assert len((await talk.get("/recommendations/user3"))[2]["items"]) == 10
        for (status, headers, content), method in zip(early, ("POST", "HEAD"), strict=True):
            later = await talk.get("/health", method)
            assert (405, later[0], later[2]) == (status, status, content), "as the app itself answers"
            assert headers.keys() == later[1].keys()
            assert headers["allow"] == later[1]["allow"]
        talk.stop.set()
        await life
        assert talk.said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]

    asyncio.run(asyncio.wait_for(main(), START_TIMEOUT_S))


@pytest.mark.parametrize(("first", "code"), [(True, 3), (False, 1)])
def test_a_bug_at_the_start_ends_the_process(
    first: bool, code: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> Any:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(starting, "_make_app", broken)
    app = Starting(Settings(store="none"), nothing_served())
    app.first = first
    with pytest.raises(SystemExit) as ended:
        asyncio.run(Conversation(app).live())
    assert ended.value.code == code
    assert "a bug" in caplog.text


def test_a_worker_in_the_place_of_a_dead_one_waits_for_a_sound_bundle(tmp_path: Path) -> None:
    async def main() -> None:
        served = nothing_served()
        app = Starting(Settings(bundle=tmp_path / "none", store="none"), served)
        app.first = False
        talk = Conversation(app)
        life = asyncio.create_task(talk.live())
        while not talk.said:
            await asyncio.sleep(0.01)
        assert "no bundle can be served" in (await talk.get("/ready"))[2]["detail"]
        assert not served.value
        talk.stop.set()
        await life

    asyncio.run(asyncio.wait_for(main(), START_TIMEOUT_S))


def test_a_worker_beside_others_takes_no_request_before_it_can_answer(
    bundle_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowWarmUp()
    monkeypatch.setattr("serve.server.warm_up", slow)

    async def main() -> None:
        served = nothing_served()
        app = Starting(Settings(bundle=bundle_path, store="none"), served)
        app.first = False
        talk = Conversation(app)
        life = asyncio.create_task(talk.live())
        await asyncio.to_thread(slow.begun.wait, TIMEOUT_S)
        assert not talk.said, "it listens once it has started"
        assert not served.value
        slow.go_on.set()
        while not talk.said:
            await asyncio.sleep(0.01)
        assert (await talk.get("/ready"))[0] == 200
        talk.stop.set()
        await life

    asyncio.run(asyncio.wait_for(main(), START_TIMEOUT_S))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_beside_others_ends_while_it_loads(
    number: signal.Signals, bundle_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serve.bundles.swap.CLOSING_S", 0.01)
    slow = SlowWarmUp()
    monkeypatch.setattr("serve.server.warm_up", slow)
    noted: list[int] = []  # by the server around it, which asks the app to end once it has started

    async def main() -> None:
        app = Starting(Settings(bundle=bundle_path, store="none"), nothing_served())
        app.first = False
        talk = Conversation(app)
        before = signal.signal(number, lambda received, _: noted.append(received))
        try:
            life = asyncio.create_task(talk.live())
            await asyncio.to_thread(slow.begun.wait, TIMEOUT_S)
            os.kill(os.getpid(), number)
            while not talk.said:
                await asyncio.sleep(0.01)
            talk.stop.set()
            await life
            assert noted == [number]
            assert not slow.go_on.is_set(), "the bundle is loading still"
            os.kill(os.getpid(), number)
            await asyncio.sleep(0)
            assert noted == [number, number], "the server's own handler is back"
        finally:
            slow.go_on.set()
            signal.signal(number, before)

    asyncio.run(asyncio.wait_for(main(), START_TIMEOUT_S))


@pytest.mark.parametrize(("trusting", "verified"), [(False, True), (True, False)])
def test_workers_verify_no_file_that_the_first_one_did(
    trusting: bool, verified: bool, bundle_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[str] = []
    monkeypatch.setattr("serve.bundles.loaded.verify_files", lambda *args: checks.append(args[-1]))
    served = SimpleNamespace(value=(bundle_path / "current").read_text().strip().encode())

    async def main() -> None:
        app = Starting(Settings(bundle=bundle_path, store="none"), served)
        if trusting:
            app.trust_what_is_served()
            assert not app.first
        talk = Conversation(app)
        life = asyncio.create_task(talk.live())
        while not talk.said or (await talk.get("/ready"))[0] != 200:
            await asyncio.sleep(0.01)
        talk.stop.set()
        await life

    asyncio.run(asyncio.wait_for(main(), START_TIMEOUT_S))
    assert ("full" in checks) == verified


class SlowWarmUp:
    """Takes until it is told to go on."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, loaded: LoadedBundle) -> None:
        self.begun.set()
        assert self.go_on.wait(TIMEOUT_S)


def test_who_waits_is_told_for_what(bundle_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SlowWarmUp()
    monkeypatch.setattr("serve.server.warm_up", slow)
    monkeypatch.setattr("serve.bundles.progress.WORTH_SAYING_S", 0.0)
    with running(loaded=False, bundle=bundle_path, store="none") as (client, server):
        slow.begun.wait(TIMEOUT_S)
        assert client.get("/health").status_code == 200
        response = client.get("/ready")
        assert refusal(response, 503).startswith("compiling loops: 0 s so far")
        assert int(response.headers["Retry-After"]) > 0
        assert "compiling loops" in refusal(client.get("/recommendations/user3"), 503)
        slow.go_on.set()
        server.parts.bundles.first.result(TIMEOUT_S)
        assert client.get("/ready").status_code == 200


def test_every_step_is_named(bundle_path: Path) -> None:
    steps: list[str] = []
    version = bundle_path / (bundle_path / "current").read_text().strip()
    loaded = LoadedBundle.open(version, Settings(), lambda _: None, steps.append)
    opening, verifying, loading, compiling = steps
    assert opening.startswith("opening the bundle in ")
    assert verifying == f"verifying the files of {loaded.bundle.name}, version {loaded.bundle.version}"
    assert loading == f"loading {loaded.bundle.name}, version {loaded.bundle.version}"
    assert compiling == "compiling loops"


def test_a_step_that_takes_long_says_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("serve.bundles.progress.time.monotonic", lambda: now)
    progress = Progress("opening")
    assert str(progress) == "opening"
    now = 112.4
    assert str(progress) == "opening: 12 s so far"
    progress.begin("compiling loops")
    assert str(progress) == "compiling loops"
    progress.stands_at("the bundle is corrupt")
    now = 200.0
    assert str(progress) == "the bundle is corrupt"


def test_the_end_waits_for_no_bundle(bundle_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serve.bundles.swap.CLOSING_S", 0.01)
    slow, served = SlowWarmUp(), []
    bundles = Bundles(Settings(bundle=bundle_path, store="none"), Metrics(), slow, served.append)
    bundles.start()
    slow.begun.wait(TIMEOUT_S)
    bundles.close()
    assert bundles._thread.is_alive(), "it came back while the bundle was being loaded"
    slow.go_on.set()
    eventually(lambda: not bundles._thread.is_alive())
    assert not served
    with pytest.raises(NotReadyError):
        bundles.loaded  # noqa: B018


def test_the_store_is_waited_for_once(bundle_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = threading.Event()
    monkeypatch.setattr("serve.store.link.StoreLink._reach", lambda _: reached.wait(TIMEOUT_S))
    for watch in ("serve.store.watch", "serve.live_items.watch"):
        monkeypatch.setattr(f"{watch}.FIRST_LOOK_S", 0.0)  # or the bundle waits for rules as long as /ready
    with running(loaded=False, bundle=bundle_path, store=f"sqlite:///{tmp_path}/store.sqlite") as (client, server):
        server.parts.bundles.first.result(TIMEOUT_S)
        assert refusal(client.get("/ready"), 503) == "opening the store"
        assert client.get("/recommendations/user3").json()["store"] == "unavailable", "lists need no store"
        reached.set()
        eventually(lambda: client.get("/ready").status_code == 200)


def test_a_refused_bundle_is_the_first_result(tmp_path: Path) -> None:
    bundles = Bundles(Settings(bundle=tmp_path, store="none"), Metrics())
    bundles.start()
    assert isinstance(bundles.first.result(TIMEOUT_S), BundleError)
    bundles.close()
