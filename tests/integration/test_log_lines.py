"""Everything that a server writes to its log is a line of it: its own, uvicorn's, warnings, errors of all processes."""

import json
import os
import shutil
import signal
import socket
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from recsys.bundle.layout import CURRENT_FILE
from recsys.core.errors import BundleError
from tests.support.bundles import make_bundle
from tests.support.server_processes import ended_server, get, logged_server, post, workers_of
from tests.support.waiting import START_TIMEOUT_S, eventually

FORGED = '{"level": "error", "message": "forged"}'
ATTACKS = [
    *(f"x\n{FORGED}", f"x\r\n{FORGED}\r\n", f"x\u2028{FORGED}", f"x\x85{FORGED}"),
    *("\x1b[31mred", "\u202e", "\x00", "'\"\\"),
]
RAW = [
    b"GET /\x1b[31m\n{} HTTP/1.1\r\n\r\n",
    b"\x00\x01\x02\r\n\r\n",
    b"FORGE / HTTP/1.1\r\nHost: a\r\nX-Request-ID: a\x85b\r\n\r\n",
]
# Runs in every Python process that is started: what libraries and forgotten threads do, once the log is there.
MISCHIEF = """
import sys, threading, time
def mischief():
    while getattr(sys.excepthook, "__module__", "") != "serve.logs":
        time.sleep(0.05)
    import logging, warnings
    warnings.warn("a warning\\nof two lines")
    logging.getLogger("some.library").warning("said by a library\\nin two lines")
    raise RuntimeError("lost\\nin a thread")
threading.Thread(target=mischief, daemon=True).start()
"""


def attacked(url: str) -> None:
    """Requests that try to write lines of their own."""
    for attack in ATTACKS:
        path = quote(attack, safe="")
        for address in (f"/recommendations/{path}", f"/items/{path}", f"/{path}", f"/items/search?q={path}&cursor=x"):
            get(f"{url}{address}", **{"X-Request-ID": path, "User-Agent": path})
        post(f"{url}/events", {"user_id": attack, "item_id": attack, "event_type": attack})
        post(f"{url}/recommendations", {attack: attack})
    place = urlsplit(url)
    for request in RAW:
        with socket.create_connection((str(place.hostname), int(place.port or 0)), 10) as client:
            client.sendall(request)
            client.recv(1000)


def lines_of(log: Path) -> list[str]:
    return log.read_bytes().decode("utf8").split("\n")[:-1]


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_line_of_the_json_log_is_json(tmp_path: Path, workers: str) -> None:
    bundle = make_bundle(tmp_path / "saved_model", name="shop")
    options = ["--bundle", str(bundle), "--port", "0", "--workers", workers, "--reload-poll-s", "0.1"]
    options += ["--access-log", "true", "--log-level", "debug", "--index-items", "true"]
    options += ["--store", f"sqlite:///{tmp_path / 'store.sqlite'}"]
    mischief = tmp_path / "mischief"
    mischief.mkdir()
    (mischief / "sitecustomize.py").write_text(MISCHIEF)
    log = tmp_path / "log"
    with logged_server(log, *options, PYTHONPATH=str(mischief)) as (url, process):
        attacked(url)
        for said in ("said by a library", "lost", "Search finds the items"):
            eventually(lambda said=said: said in log.read_text(), START_TIMEOUT_S)
        (bundle / CURRENT_FILE).write_text(f"no\n{FORGED}")
        eventually(lambda: "was refused" in log.read_text())
        if workers == "2":
            os.kill(workers_of(process)[0].pid, signal.SIGSEGV)
            eventually(lambda: " died " in log.read_text())
        process.send_signal(signal.SIGTERM)
        process.wait(START_TIMEOUT_S)
    entries = [json.loads(line) for line in lines_of(log)]
    assert all(isinstance(entry, dict) and entry.keys() >= {"time", "level", "logger", "message"} for entry in entries)
    loggers = {entry["logger"] for entry in entries}
    assert {"serve.access", "py.warnings", "some.library", "serve.logs", "serve.items.search_index"} <= loggers
    assert any(name.startswith("uvicorn") for name in loggers)
    assert not any(entry["message"] == "forged" for entry in entries)


@pytest.mark.slow
def test_every_line_of_the_text_log_begins_with_its_time_or_goes_on(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "saved_model", name="shop")
    options = ["--bundle", str(bundle), "--port", "0", "--access-log", "true", "--log-format", "text"]
    log = tmp_path / "log"
    with logged_server(log, *options) as (url, _):
        attacked(url)
    lines = lines_of(log)
    assert len(lines) > 20
    assert all(line[:4] == "2026" or line[:2] == "20" or line.startswith("    | ") for line in lines)
    assert not any(line.startswith(("{", "x")) for text in lines for line in text.splitlines())


@pytest.mark.slow
def test_what_keeps_a_server_from_starting_is_a_line_of_its_log(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "saved_model", name="shop")
    for folder in bundle.glob("*/histories"):
        shutil.rmtree(folder)
    ended = ended_server("--bundle", str(bundle), "--port", "0")
    assert ended.returncode == BundleError.exit_code
    entries = [json.loads(line) for line in ended.stderr.splitlines()]
    assert any("the bundle is partial" in entry["message"] for entry in entries)
    assert ended.stdout.count("\n") == 1, "where it serves is all that it says there"
