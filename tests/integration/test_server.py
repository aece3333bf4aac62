"""The server as it is started: `python -m serve` in a process of its own."""

import signal
import subprocess
import threading
import time
import venv
from pathlib import Path

import pytest

from recsys.core.errors import BundleError
from tests.support.bundles import make_bundle
from tests.support.server_processes import ROOT, command, ended_server, environment, get, server
from tests.support.waiting import START_TIMEOUT_S, TIMEOUT_S, eventually

NOT_FOR_SERVERS = ("tensorflow", "pandas", "pyarrow", "transformers", "torch", "duckdb")


@pytest.fixture(scope="module")
def bundle_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("saved_model"), name="shop")


def test_serves_without_tensorflow_until_told_to_stop(bundle_path: Path) -> None:
    with server(command("--bundle", str(bundle_path)), RECSYS_PORT="0") as (url, process):
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


@pytest.mark.parametrize("workers", [1, 2])
def test_a_start_without_a_bundle_ends_with_its_exit_code(tmp_path: Path, workers: int) -> None:
    options = ("--bundle", str(tmp_path / "none"), "--port", "0", "--workers", str(workers))
    ended = ended_server(*options)
    assert ended.returncode == BundleError.exit_code == 5
    assert str(tmp_path / "none") in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_first_worker_verifies_for_all(tmp_path: Path) -> None:
    """A byte that changes once it serves is not seen by the others, which start after that."""
    path = make_bundle(tmp_path, name="shop")
    with server(command("--bundle", str(path), "--port", "0", "--workers", "2")) as (url, _):
        (embeddings,) = path.glob("*/item_embeddings.npy")
        content = bytearray(embeddings.read_bytes())
        content[-1] ^= 1
        embeddings.write_bytes(content)
        metric = f'recsys_bundle_workers{{name="shop",version="{embeddings.parent.name}"}} 2.0'
        eventually(lambda: metric in get(f"{url}/metrics").body.decode())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_hangup_ends_no_start(bundle_path: Path, workers: int) -> None:
    options = ("--bundle", str(bundle_path), "--port", "0", "--workers", str(workers), "--reload-poll-s", "0")
    process = subprocess.Popen(
        command(*options), cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    errors: list[str] = []

    def log() -> None:
        assert process.stderr is not None
        errors.extend(process.stderr)

    reader = threading.Thread(target=log)
    reader.start()
    try:
        url = process.stdout.readline().split(" on ")[1].split()[0]

        def started() -> bool:
            process.send_signal(signal.SIGHUP)
            time.sleep(0.05)
            assert process.poll() is None
            begun = sum("Application startup complete" in line for line in errors)
            return begun >= workers and get(f"{url}/ready").status == 200

        eventually(started, START_TIMEOUT_S)
        process.terminate()
        process.wait(TIMEOUT_S)
    finally:
        process.kill()
        reader.join()
        process.stdout.close()
    assert "died" not in "".join(errors)
    assert "Traceback" not in "".join(errors)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_start_can_be_ended_at_any_time(bundle_path: Path, workers: int) -> None:
    options = ("--bundle", str(bundle_path), "--port", "0", "--workers", str(workers))
    process = subprocess.Popen(
        command(*options), cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    url = process.stdout.readline().split(" on ")[1].split()[0]
    assert get(f"{url}/health").json() == {"status": "ok"}
    assert get(f"{url}/ready").status == 503
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == (0 if workers > 1 else -signal.SIGTERM)
    assert "Application shutdown complete" in errors
    assert "Traceback" not in errors


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
