"""`python -m serve` names what keeps it from starting, and ends with the code of the error."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from recsys.core.errors import BundleError, ConfigError
from recsys.store import StoreUnavailable
from serve.__main__ import main
from serve.bundles.loaded import LoadedBundle
from serve.recommendations.warm_up import warm_up
from serve.settings import Settings
from serve.shared import Shared
from serve.starting import Starting
from tests.support.damage import change_array
from tests.support.databases import patient
from tests.support.server_processes import ROOT
from tests.support.waiting import TIMEOUT_S

End = Callable[..., tuple[int, str]]


async def started(app: Starting) -> None:
    """Start an app as an ASGI server does, and let it be."""
    messages = [{"type": "lifespan.startup"}]

    async def receive() -> dict[str, str]:
        if not messages:
            await asyncio.sleep(TIMEOUT_S)
        return messages.pop()

    async def send(message: dict[str, str]) -> None:
        assert message["type"] == "lifespan.startup.complete"

    await app({"type": "lifespan"}, receive, send)


@pytest.fixture
def end(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> End:
    """Start with options that must fail: the exit code, and what was printed or logged."""

    def start(settings: Settings, listener: socket.socket, shared: Shared) -> int:
        listener.close()
        with pytest.raises(SystemExit) as ended:
            asyncio.run(started(Starting(settings, SimpleNamespace(value=b""), shared)))
        return int(str(ended.value))

    monkeypatch.setattr("serve.__main__._run", start)
    monkeypatch.setattr("serve.__main__.hold_hangups", lambda: None)

    def run(*options: str) -> tuple[int, str]:
        code = main(["--port", "0", "--store", "none", *options])
        return code, capsys.readouterr().err + caplog.text

    return run


def test_a_bundle_of_which_one_byte_changed_is_refused(bundle_path: Path, tmp_path: Path, end: End) -> None:
    damaged = tmp_path / "shop"
    shutil.copytree(bundle_path, damaged)
    (embeddings,) = damaged.glob("*/item_embeddings.npy")
    content = bytearray(embeddings.read_bytes())
    content[-1] ^= 1
    embeddings.write_bytes(content)
    code, errors = end("--bundle", str(damaged))
    assert code == BundleError.exit_code
    assert "item_embeddings.npy" in errors


def test_a_check_recommends_once_and_ends(
    bundle_path: Path, end: End, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serve.__main__._listen", lambda *_: pytest.fail("it listened"))
    recommended = []

    def noted(loaded: LoadedBundle) -> None:
        warm_up(loaded)
        recommended.append(loaded.bundle.name)

    monkeypatch.setattr("serve.check.warm_up", noted)
    assert main(["--bundle", str(bundle_path), "--store", "none", "--check"]) == 0
    assert recommended == [bundle_path.name]
    assert "ready to be served" in capsys.readouterr().out
    code, _ = end("--bundle", str(bundle_path / "none"), "--check")
    assert code == BundleError.exit_code


def test_a_check_fails_over_a_store_that_cannot_be_opened(
    bundle_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def checked(store: str) -> int:
        return main(["--bundle", str(bundle_path), "--store", store, "--store-timeout-s", "1", "--check"])

    path = tmp_path / "store.sqlite"
    assert checked(f"sqlite:///{path}") == 0
    assert not path.exists(), "a check makes nothing"
    path.write_bytes(b"no database" * 100)
    assert checked(f"sqlite:///{path}") == StoreUnavailable.exit_code
    assert "not a database" in capsys.readouterr().err
    assert checked("postgresql://nobody@127.0.0.1:1/none") == StoreUnavailable.exit_code


def test_a_check_leaves_a_store_as_it_is(bundle_path: Path, tmp_path: Path) -> None:
    with patient(str(tmp_path / "store.sqlite")) as store:
        store.upgrade()
    before = (tmp_path / "store.sqlite").read_bytes()
    url = f"sqlite:///{tmp_path}/store.sqlite"
    assert main(["--bundle", str(bundle_path), "--store", url, "--check"]) == 0
    assert (tmp_path / "store.sqlite").read_bytes() == before
    (tmp_path / "store.sqlite").chmod(0o400)
    if os.geteuid():  # nothing is read-only to root
        assert main(["--bundle", str(bundle_path), "--store", url, "--check"]) == StoreUnavailable.exit_code


def test_a_check_of_arrays_that_do_not_fit_says_so_and_ends(bundle_path: Path, tmp_path: Path, end: End) -> None:
    damaged = tmp_path / "shop"
    shutil.copytree(bundle_path, damaged)
    (version,) = (path for path in damaged.iterdir() if path.is_dir())
    change_array(version, "retrievers/bpr/item_factors.npy", lambda array: array[:-1])
    code, errors = end("--bundle", str(damaged), "--check")
    assert code == BundleError.exit_code == 5
    assert "199 in retrievers/bpr" in errors
    assert "Traceback" not in errors


def test_a_bundle_that_is_none_is_named_with_what_to_do(tmp_path: Path, end: End) -> None:
    (tmp_path / "manifest.json").write_text("not JSON")
    code, errors = end("--bundle", str(tmp_path))
    assert code == BundleError.exit_code == 5
    assert str(tmp_path) in errors
    assert "Remedy" in errors


def test_a_port_in_use_is_named(bundle_path: Path, end: End) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, errors = end("--bundle", str(bundle_path), "--port", str(port))
    assert code == ConfigError.exit_code == 2
    assert f"port {port}" in errors
    assert "in use" in errors


@pytest.mark.parametrize(
    "options", [("--port", "99999"), ("--port", "http"), ("--host", "host.invalid", "--port", "0")]
)
def test_an_address_that_does_not_exist_is_named(options: tuple[str, ...], bundle_path: Path, end: End) -> None:
    code, errors = end("--bundle", str(bundle_path), *options)
    assert code == ConfigError.exit_code
    assert options[1] in errors


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--store", "mysql://user:swordfish@db/shop", 6),
        ("--store", "sqlite:////proc/none/store.sqlite", 6),
        ("--api-keys", "/nowhere/keys.json", 2),
        ("--config", "/nowhere/serve.toml", 2),
        ("--workers", "0", 2),
    ],
)
def test_a_setting_that_cannot_be_used_ends_it(
    option: str, value: str, expected: int, bundle_path: Path, end: End
) -> None:
    code, errors = end("--bundle", str(bundle_path), option, value)
    assert code == expected
    assert "Remedy" in errors
    assert "swordfish" not in errors


@pytest.mark.parametrize(("given", "threads"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "2"}, "2")])
def test_matrices_are_multiplied_on_one_thread_unless_told_otherwise(given: dict[str, str], threads: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    code = "import serve.app, threadpoolctl; print(*{i['num_threads'] for i in threadpoolctl.threadpool_info()})"
    asked = subprocess.run(
        [sys.executable, "-c", code], env={**clean, **given}, cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert asked.stdout.split() == [threads]
