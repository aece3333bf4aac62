"""The server as it is started: `python -m serve` in a process of its own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from recsys.errors import BundleError, ConfigError
from tests.bundle_factory import make_bundle

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 60
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy between here and here
NOT_FOR_SERVERS = ("tensorflow", "pandas", "pyarrow", "transformers", "torch", "duckdb", "scipy")


@pytest.fixture(scope="module")
def bundle_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("saved_model"), name="shop")


def command(*options: str, python: Path | str = sys.executable) -> list[str]:
    return [str(python), "-m", "serve", *options]


def environment(**variables: str) -> Mapping[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RECSYS_")}
    return {**clean, **variables}


@contextmanager
def server(arguments: list[str], **variables: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server that is ready: its URL and its process, which is killed at the end if it still runs."""
    process = subprocess.Popen(
        arguments, cwd=ROOT, env=environment(**variables), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = re.search(r"http://[\w.:\[\]]+", line)
        assert address, f"{line!r} {process.communicate(timeout=TIMEOUT_S)}"
        wait_until_ready(address.group())
        yield address.group(), process
    finally:
        process.kill()
        process.communicate()


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while get(f"{url}/ready")[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def get(url: str) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    try:
        with DIRECT.open(url, timeout=TIMEOUT_S) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def failure(*options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A start that must fail by itself."""
    return subprocess.run(
        command(*options),
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def test_serves_without_tensorflow_until_told_to_stop(bundle_path: Path) -> None:
    with server(command("--bundle", str(bundle_path), "--port", "0")) as (url, process):
        status, answer = get(f"{url}/recommendations/user3?k=5")
        assert (status, len(answer["items"]), answer["model_source"]) == (200, 5, "two_tower")
        # Ids arrive decoded exactly once.
        for sent, user_id in {
            "%252F": "%2F",
            "a%2Fb": "a/b",
            "%E7%94%A8%F0%9F%9B%92": "用🛒",
            "a+b%20c": "a+b c",
        }.items():
            status, answer = get(f"{url}/recommendations/{sent}")
            assert (status, answer["user_id"], answer["fallback_used"]) == (200, user_id, True)
        assert get(f"{url}/recommendations/%FF%ED%A0%80")[0] == 200  # not UTF-8
        assert get(f"{url}/recommendations/user3?k=1000")[0] == 422

        mapped = Path(f"/proc/{process.pid}/maps").read_text()
        assert "onnxruntime" in mapped, "libraries in use must show in the map"
        loaded = {package for package in NOT_FOR_SERVERS if f"site-packages/{package}/" in mapped}
        assert not loaded

        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == -signal.SIGTERM
        assert "Application shutdown complete" in errors
        assert "Traceback" not in errors


def test_settings_from_the_environment_and_several_workers(bundle_path: Path) -> None:
    with server(command("--workers", "2"), RECSYS_BUNDLE=str(bundle_path), RECSYS_PORT="0") as (url, process):
        assert get(f"{url}/recommendations/user3")[1]["bundle"]["name"] == "shop"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 0
    with pytest.raises(urllib.error.URLError):
        DIRECT.open(f"{url}/health", timeout=TIMEOUT_S)


@pytest.mark.parametrize("content", [None, "not JSON"])
def test_a_bundle_that_cannot_be_served_ends_it(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "shop"
    if content is not None:
        path.mkdir()
        (path / "manifest.json").write_text(content)
    ended = failure("--bundle", str(path), "--port", "0")
    assert ended.returncode == BundleError.exit_code == 5
    assert str(path) in ended.stderr
    assert "Remedy" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_bundle_of_which_one_byte_changed_is_refused(bundle_path: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "shop"
    shutil.copytree(bundle_path, damaged)
    (embeddings,) = damaged.glob("*/item_embeddings.npy")
    content = bytearray(embeddings.read_bytes())
    content[-1] ^= 1
    embeddings.write_bytes(content)
    ended = failure("--bundle", str(damaged), "--port", "0")
    assert ended.returncode == BundleError.exit_code
    assert "item_embeddings.npy" in ended.stderr


def test_a_port_in_use_is_named(bundle_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = failure("--bundle", str(bundle_path), "--port", str(port))
    assert ended.returncode == ConfigError.exit_code == 2
    assert f"port {port}" in ended.stderr
    assert "in use" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "options", [("--port", "99999"), ("--port", "http"), ("--host", "host.invalid", "--port", "0")]
)
def test_an_address_that_does_not_exist_is_named(options: tuple[str, ...], bundle_path: Path) -> None:
    ended = failure("--bundle", str(bundle_path), *options)
    assert ended.returncode == ConfigError.exit_code
    assert options[1] in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_requirements_serve_is_all_it_needs(bundle_path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "-r", str(ROOT / "requirements-serve.txt")]
    subprocess.run(install, check=True, timeout=900)
    with server(command("--bundle", str(bundle_path), "--port", "0", python=python)) as (url, _):
        status, answer = get(f"{url}/recommendations/user3")
        assert (status, answer["fallback_used"], len(answer["items"])) == (200, False, 10)
