"""What `make demo` shows at its end, over a small bundle and the real server."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import psutil
import pytest
from rich.console import Console

from recsys.bundle import open_bundle
from recsys.cli import demo
from recsys.core.errors import RecsysError
from tests.support.bundles import make_bundle
from tests.support.encoders import write_encoder
from tests.support.waiting import TIMEOUT_S, eventually


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(record=True, width=120, file=sys.stdout)
    monkeypatch.setattr(demo, "console", console)
    return console


def test_three_users_with_history_and_top_ten(output: Console, tmp_path: Path) -> None:
    path = make_bundle(tmp_path)
    with demo.running_server(["--bundle", str(path), "--store", "none"]) as url, open_bundle(path) as bundle:
        demo.show_users(url, bundle)
        rows = demo.pick_users(bundle.histories.lengths)
        shown = output.export_text()
        assert len(set(rows)) == 3
        for row in rows:
            answer = demo.get_json(f"{url}/recommendations/user{row}?k=10&explain=cheap")
            assert answer["fallback_used"] is False
            for item in answer["items"]:
                (line,) = re.findall(rf"{item['rank']}\. +{item['title']} .*{item['score']:.2f}.*", shown)
                assert str(len(item["sources"])) in line.split()
                assert item["why"]["text"] in " ".join(shown.split(line)[1].split()[:60]), "beneath the item"
            newest = bundle.histories.select([row]).items[::-1][: demo.SHOWN_HISTORY]
            for record in bundle.catalogue.items(newest):
                assert record.title is not None
                assert record.title in shown
        assert shown.count("Synthetic user") == 3
    with pytest.raises(OSError, match="refused"):
        demo.get_json(f"{url}/health")


ITEM = {"item_id": "i1", "title": None, "price": None, "score": 1.5, "predicted_rating": None, "sources": ["ease"]}


@pytest.mark.parametrize("width", [80, 120])
def test_reasons_are_as_wide_as_the_list(width: int) -> None:
    console = Console(record=True, width=width, file=io.StringIO())
    reason = {"text": "Because [of] " + " ".join(["this and that"] * 6), "facts": []}
    items = [{**ITEM, "rank": 1, "why": reason}, {**ITEM, "rank": 10, "title": "Argan oil [500 ml]"}]
    console.print(demo.recommendations_table({"user_id": "u", "fallback_reason": None, "items": items}))
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    columns = [line.rindex("1.50") for line in lines if "1.50" in line]
    assert len(columns) == 2
    assert columns[0] == columns[1] == lines[1].index("Score") + 1, "numbers stand under their heading"
    of_reason = [line for line in lines if "this" in line]
    assert len(of_reason) == (2 if width == 80 else 1)
    assert max(map(len, of_reason)) > columns[0]
    assert " ".join(" ".join(of_reason).split()) == reason["text"]
    assert lines[-2].startswith(" 10.   Argan oil [500 ml]"), "an item without a reason has no line for one"


def test_a_server_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(RecsysError, match="exit code 5"),
        demo.running_server(["--bundle", str(tmp_path / "none")]),
    ):
        pass


@pytest.fixture
def compiling_server() -> Iterator[tuple[str, list[int]]]:
    """A server that is ready at the third question: its URL, and the statuses that it has given."""
    given: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given.append(503 if len(given) < 2 else 200)
            self.send_response(given[-1])
            self.end_headers()
            self.wfile.write(json.dumps({"detail": "loops are being compiled"}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", given
        server.shutdown()
        thread.join()


def test_the_reason_for_waiting_is_the_servers(compiling_server: tuple[str, list[int]]) -> None:
    url, given = compiling_server
    assert demo.what_it_waits_for(url) == "loops are being compiled"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True) as process:
        said: list[str] = []
        demo.wait_until_ready(url, process, said.append)
        process.communicate("")
    assert said == ["Waiting for the server: loops are being compiled"]
    assert given == [503, 503, 200]
    assert demo.what_it_waits_for(url) is None


@pytest.mark.parametrize("status", ["200 OK", "503 Service Unavailable"])
@pytest.mark.parametrize(("length", "body"), [(20, '{"detail": '), (11, '{"detail": '), (20, "")])
def test_an_answer_that_breaks_off_is_none_yet(
    status: str, length: int, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one that is cut off, or for whose rest there is no time."""
    monkeypatch.setattr(demo, "READY_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}".encode())
                if not body:
                    connection.recv(1)  # until the client has given up

        thread = threading.Thread(target=answer)
        thread.start()
        assert demo.what_it_waits_for(f"http://127.0.0.1:{listener.getsockname()[1]}") == "no answer yet"
        thread.join()


def test_a_server_that_ends_is_not_waited_for() -> None:
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"], text=True)
    nobody_listens = "http://127.0.0.1:1"
    assert demo.what_it_waits_for(nobody_listens) == "no answer yet"
    with pytest.raises(RecsysError, match="exit code 7"):
        demo.wait_until_ready(nobody_listens, process, print)


def test_a_folder_without_the_config_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = demo.CONFIG.read_text()
    monkeypatch.chdir(tmp_path)
    demo.write_config()
    assert demo.CONFIG.read_text() == original
    demo.CONFIG.write_text("name: mine\n")
    demo.write_config()
    assert demo.CONFIG.read_text() == "name: mine\n"


def test_a_stage_that_fails_ends_the_demo(output: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    stages: list[str] = []

    def second_stage_fails(title: str, arguments: list[str]) -> int:
        stages.append(title)
        return 3 if len(stages) == 2 else 0

    monkeypatch.setattr(demo, "run_stage", second_stage_fails)
    assert demo.main() == 3
    assert len(stages) == 2


def ended_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, keep: bool) -> list[str]:
    """Run the demo's last stage over a small bundle; what is seen of the server while it waits for Ctrl-C."""
    bundle = make_bundle(tmp_path / "saved_model", name="sample")
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "run_stage", lambda *_: 0)
    seen: list[str] = []

    def wait() -> None:
        seen.append(url_of_page(demo.console.export_text(clear=False)))
        seen.append(demo.get_json(seen[0].replace(demo.PAGE, "/ready"))["store"])

    monkeypatch.setattr(demo, "wait_for_interrupt", wait)
    assert demo.main(keep=keep) == 0
    assert bundle.is_dir()
    return seen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_waits_until_it_is_told_to_end(number: int) -> None:
    code = "from recsys.cli import demo; print('waits', flush=True); demo.wait_for_interrupt(); print('ended')"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        eventually(lambda: psutil.Process(process.pid).status() == psutil.STATUS_SLEEPING)
        process.send_signal(number)
        assert process.communicate(timeout=TIMEOUT_S)[0] == "ended\n"
    assert process.returncode == 0


def url_of_page(shown: str) -> str:
    return re.findall(r"^Page: +(http://\S+/ui/)", shown, re.MULTILINE)[-1]


def test_the_server_is_kept_up_for_the_page_until_it_is_interrupted(
    output: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, store = ended_demo(tmp_path, monkeypatch, keep=True)
    assert store == "live", "rules and events can be tried"
    with pytest.raises(OSError, match="refused"):
        demo.get_json(page)
    assert not list(tmp_path.rglob("store.sqlite*")), "the demo leaves no store behind"


def test_the_demo_ends_with_the_address_of_the_page(
    output: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ended_demo(tmp_path, monkeypatch, keep=False) == []
    shown = output.export_text()
    assert url_of_page(shown) == "http://127.0.0.1:8000/ui/"
    assert "make serve" in shown
    assert not list(tmp_path.rglob("store.sqlite*"))


def test_run_stage_gives_the_exit_code(output: Console) -> None:
    assert demo.run_stage("good", ["-c", ""]) == 0
    assert demo.run_stage("bad", ["-c", "raise SystemExit(7)"]) == 7
    assert "exit code 7" in output.export_text()


@pytest.mark.parametrize(
    ("lengths", "expected"), [([], []), ([0, 0], []), ([0, 4], [1, 1, 1]), ([3, 1, 0, 2], [1, 3, 3])]
)
def test_users_shown_have_a_history(lengths: list[int], expected: list[int]) -> None:
    assert demo.pick_users(np.array(lengths, np.int64)) == expected


BUSY = "while True: pass"
DEMO_TIMEOUT_S = 3600


def small_config(encoder: Path) -> str:
    """The sample's config, with as little training as shows every stage."""
    return f"""
name: sample
synthetic: true
data:
  format: amazon_2018
  interactions: [data/raw/sample/reviews_sample.json.gz]
  metadata: [data/raw/sample/meta_sample.json.gz]
text: {{encoder: [{encoder}]}}
training: {{epochs: 1}}
retrieval: {{trials: 1, tuning_users: 200, als_factors: [8], als_iterations: 2, bpr_factors: [8], bpr_iterations: 2}}
ranking: {{epochs: 1, max_lists: 200, validation_users: 200}}
evaluation:
  bootstrap_samples: 20
  svd_epochs: [2]
  svd_factors: [5]
  svdpp_epochs: [2]
  svdpp_factors: [5]
"""


@pytest.mark.slow
def test_the_demo_comes_to_its_end_on_a_third_of_a_core(tmp_path: Path) -> None:
    """On one core, which two others are busy with, and without anything compiled before."""
    demo_config = tmp_path / demo.CONFIG
    demo_config.parent.mkdir()
    demo_config.write_text(small_config(write_encoder(tmp_path / "encoder", "bert", safetensors=True)), "utf8")
    core = {min(os.sched_getaffinity(0))}
    pinned = f"import os, sys; os.sched_setaffinity(0, {core}); from recsys.cli import main; sys.exit(main(['demo']))"
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "NUMBA_CACHE_DIR": str(tmp_path / "compiled")}
    others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(2)]
    try:
        for other in others:
            os.sched_setaffinity(other.pid, core)
        ended = subprocess.run(
            [sys.executable, "-c", pinned],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEMO_TIMEOUT_S,
        )
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert ended.stdout.count("Synthetic user") == 3
    assert "Traceback" not in ended.stderr
    assert (tmp_path / "saved_model/sample/current").is_file()
