"""The steps of the Dockerfile that make the server's image, run here, and the server started from what they made.

No container engine is at work: see tests/support/image_steps.py for what stands in its place.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.bundles import make_bundle
from tests.support.image_steps import Built, Steps, why_not, without_traces
from tests.support.server_processes import get, post, wait_until_ready

MOST_MB = 900
BASE_MB = 150  # python:3.11-slim-bookworm has about 130 on disk; its size cannot be measured without an engine
NOT_FOR_SERVING = ("tensorflow", "tf_keras", "transformers", "pandas", "pyarrow", "duckdb", "scipy", "sklearn", "pip")
OPEN = {"RECSYS_OPEN": "true"}

# Counts what is compiled while a server prepares a bundle, as `python -m serve --check` does.
COUNTING = """
from numba.core import event

class Compiled(event.Listener):
    names = []
    def on_start(self, event):
        self.names.append(event.data["dispatcher"].py_func.__qualname__)
    def on_end(self, event):
        pass

event.register("numba:compile", Compiled())
from serve.check import check
from serve.settings import load_settings
check(load_settings(store="none"))
import json
print(json.dumps(Compiled.names))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(why_not() is not None, reason=f"the steps of an image cannot be run here: {why_not()}"),
]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved_model")
    folder.chmod(0o755)  # pytest makes it for its own user alone; the image runs as another
    return make_bundle(folder, name="shop", item_encoder=True)


@pytest.fixture(scope="module")
def image(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    with without_traces(tmp_path_factory.mktemp("image")) as folder:
        yield Steps(folder, {"bundle": bundle}).build("serve")


@pytest.fixture
def data(image: Built, tmp_path: Path) -> Path:
    """A volume, as an engine makes one: it belongs to the user to whom the folder of the image belongs."""
    folder = tmp_path / "data"
    folder.mkdir()
    owner = (image.root / "data").stat()
    os.chown(folder, owner.st_uid, owner.st_gid)
    return folder


def mounts(bundle: Path, data: Path) -> Mapping[str, tuple[Path, str]]:
    return {"/data": (data, "rw"), "/saved_model": (bundle.parent, "ro")}


@contextmanager
def served(image: Built, bundle: Path, data: Path, **variables: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    command = image.argv(
        [*image.entrypoint, *image.command], mounts(bundle, data), read_only=True, RECSYS_PORT=port, **OPEN, **variables
    )
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    url = f"http://127.0.0.1:{port}"
    try:
        assert process.stdout is not None
        line = process.stdout.readline()  # it listens
        assert "Serving" in line, line + process.communicate(timeout=60)[0]
        wait_until_ready(url)
        yield url, process
    finally:
        process.kill()
        process.communicate()


def test_the_image_is_small_and_holds_what_serves_alone(image: Built, capsys: pytest.CaptureFixture[str]) -> None:
    added = image.megabytes() - image.megabytes(".local", "etc")
    with capsys.disabled():
        print(
            f"\nThe server's image: {added:.0f} MB and the base image; Python packages and compiled loops "
            f"{image.megabytes('/opt/recsys'):.0f}, of these loops {image.megabytes('/opt/recsys/compiled'):.0f}"
        )
    assert added + BASE_MB <= MOST_MB
    listed = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    packages = set(image.run(["python", "-c", listed], {}).stdout.lower().replace("-", "_").split())
    assert {"recsys", "scann", "onnxruntime", "numba", "fastapi"} <= packages
    assert not packages & set(NOT_FOR_SERVING)
    for name in NOT_FOR_SERVING[:-1]:
        found = image.run(["python", "-c", f"import {name}"], {})
        assert "ModuleNotFoundError" in found.stderr, name


def test_programs_cannot_be_changed_by_the_user_who_runs_them(image: Built) -> None:
    user, group = (int(number) for number in image.user.split(":"))
    assert user >= 10_000
    assert group >= 10_000
    owners = {(path.lstat().st_uid, path.lstat().st_mode & 0o022) for path in (image.root / "opt").rglob("*")
              if not path.is_symlink()}  # fmt: skip
    assert owners == {(0, 0)}
    written = image.run(["sh", "-c", "touch /opt/recsys/x; touch /x; touch /tmp/x && id -u && ls /tmp"], {})
    assert written.stdout.split() == [str(user), "x"]
    assert written.stderr.count("Read-only file system") == 2


def test_without_keys_it_does_not_start_silently(image: Built, bundle: Path, tmp_path: Path, data: Path) -> None:
    refused = image.run([*image.entrypoint], mounts(bundle, data))
    assert refused.returncode == 2
    assert "API keys" in refused.stderr


def test_a_start_compiles_nothing(image: Built, bundle: Path, data: Path) -> None:
    counted = image.run(["python", "-c", COUNTING], mounts(bundle, data))
    assert counted.returncode == 0, counted.stderr
    assert json.loads(counted.stdout.splitlines()[-1]) == []
    # The counter counts: for another kind of processor nothing was compiled.
    other = image.run(["python", "-c", COUNTING], mounts(bundle, data), NUMBA_CPU_NAME="x86-64-v2")
    assert other.returncode == 0, other.stderr
    assert len(json.loads(other.stdout.splitlines()[-1])) > 10


def test_it_serves_from_a_read_only_root_keeps_events_and_ends_when_told(
    image: Built, bundle: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started = time.perf_counter()
    with served(image, bundle, data, RECSYS_WORKERS="2") as (url, process):
        took = time.perf_counter() - started
        answer = get(f"{url}/recommendations/user3").json()
        assert (answer["fallback_used"], len(answer["items"])) == (False, 10)
        event = {"event_id": "1", "user_id": "u", "item_id": "item1", "event_type": "purchase"}
        assert post(f"{url}/events", event).status < 300
        port = url.rpartition(":")[2]
        assert image.run(image.health, {}, RECSYS_PORT=port).returncode == 0
        assert b"recsys_http_requests_total" in get(f"{url}/metrics").body, "workers share their counts in /tmp"
        process.terminate()
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert (data / "store.sqlite").is_file()
    gone = image.run(image.health, {}, RECSYS_PORT=port)
    assert gone.returncode == 1
    assert "no answer" in gone.stderr
    with capsys.disabled():
        print(f"\nFrom the start to ready, two workers, loops compiled with the image: {took:.1f} s")
