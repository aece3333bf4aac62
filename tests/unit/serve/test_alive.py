"""The health check of images: 0 while the server answers /health with 200."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest

from serve.alive import main

ROOT = Path(__file__).parents[3]


@contextmanager
def answering(status: HTTPStatus) -> Iterator[str]:
    """The port of a server that answers /health, and nothing else, with a status."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health" else HTTPStatus.NOT_FOUND)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield str(server.server_port)
        server.shutdown()


@pytest.mark.parametrize(("status", "code"), [(HTTPStatus.OK, 0), (HTTPStatus.SERVICE_UNAVAILABLE, 1)])
def test_it_says_what_health_answers(status: HTTPStatus, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(status) as port:
        monkeypatch.setenv("RECSYS_PORT", port)
        assert main() == code


def test_where_nobody_listens_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(HTTPStatus.OK) as port:
        pass
    monkeypatch.setenv("RECSYS_PORT", port)
    assert main() == 1
    assert f"no answer from port {port}" in capsys.readouterr().err


def test_it_imports_next_to_nothing() -> None:
    code = "import sys, serve.alive; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert not {"numpy", "pydantic", "fastapi", "uvicorn", "recsys"} & set(run.stdout.split())
