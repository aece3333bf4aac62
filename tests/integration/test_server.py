"""The server as it is started: `python -m serve` in a process of its own."""

import shutil
import signal
import socket
import subprocess
import urllib.error
import venv
from pathlib import Path

import pytest

from recsys.errors import BundleError, ConfigError
from tests.bundle_factory import make_bundle
from tests.unit.serve.processes import DIRECT, ROOT, TIMEOUT_S, command, failure, get, server

NOT_FOR_SERVERS = ("tensorflow", "pandas", "pyarrow", "transformers", "torch", "duckdb", "scipy")


@pytest.fixture(scope="module")
def bundle_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("saved_model"), name="shop")


def test_serves_without_tensorflow_until_told_to_stop(bundle_path: Path) -> None:
    with server(command("--bundle", str(bundle_path), "--port", "0")) as (url, process):
        answer = get(f"{url}/recommendations/user3?k=5").json()
        assert (len(answer["items"]), answer["primary_model"], answer["fallback_used"]) == (5, "full", False)
        # Ids arrive decoded exactly once.
        for sent, user_id in {
            "%252F": "%2F",
            "a%2Fb": "a/b",
            "%E7%94%A8%F0%9F%9B%92": "用🛒",
            "a+b%20c": "a+b c",
        }.items():
            answer = get(f"{url}/recommendations/{sent}").json()
            assert (answer["user_id"], answer["fallback_used"]) == (user_id, True)
        assert get(f"{url}/recommendations/%FF%ED%A0%80").status == 200  # not UTF-8
        assert get(f"{url}/recommendations/user3?k=1000").status == 422

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
        assert get(f"{url}/recommendations/user3").json()["bundle"]["name"] == "shop"
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
    options = ("--bundle", str(bundle_path), "--port", "0", "--store", f"sqlite:///{tmp_path}/store.sqlite")
    with server(command(*options, python=python)) as (url, _):
        answer = get(f"{url}/recommendations/user3").json()
        assert (answer["fallback_used"], answer["store"], len(answer["items"])) == (False, "live", 10)


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--store", "mysql://user:swordfish@db/shop", 6),
        ("--store", "sqlite:////proc/none/store.sqlite", 6),
        ("--api-keys", "/nowhere/keys.json", 2),
        ("--config", "/nowhere/serve.toml", 2),
        ("--workers", "0", 2),
    ],
)
def test_a_setting_that_cannot_be_used_ends_it(option: str, value: str, code: int, bundle_path: Path) -> None:
    ended = failure("--bundle", str(bundle_path), "--port", "0", option, value)
    assert ended.returncode == code
    assert "Remedy" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "swordfish" not in ended.stderr
