"""API keys of a server of several workers: what their file says holds in all of them, and breaks none of them."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from recsys.core.errors import ConfigError
from tests.support.bundles import make_bundle
from tests.support.keys import entry
from tests.support.server_processes import ROOT, command, environment, get, logged_server, metric, workers_of
from tests.support.waiting import START_TIMEOUT_S, eventually

ASKED = 40  # requests on connections of their own: each of two workers answers some of them


@pytest.fixture(scope="module")
def bundle_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("saved_model"), name="shop")


# The supervisor says nothing of what it sees of the keys; it looks after each round of pings to the workers.
SUPERVISOR_LOOKS_S = 4.0


def write(path: Path, *names: str) -> None:
    """Keys that may read, each of which is its name."""
    path.write_text(json.dumps([entry(name) for name in names]))


def statuses(url: str, key: str) -> set[int]:
    return {get(f"{url}/stats", **{"X-API-Key": key}).status for _ in range(ASKED)}


def test_keys_of_several_workers(bundle_path: Path, tmp_path: Path) -> None:
    keys, log = tmp_path / "keys.json", tmp_path / "log"
    write(keys, "old", "stays")
    options = ("--bundle", str(bundle_path), "--port", "0", "--workers", "2", "--api-keys", str(keys))
    with logged_server(log, *options) as (url, process):
        stays = {"X-API-Key": "stays"}

        def settled(wanted: Callable[[], bool]) -> None:
            eventually(wanted)
            assert len(workers_of(process)) == 2

        settled(lambda: log.read_text().count("Application startup complete") == 2)
        assert statuses(url, "old") == {200}
        write(keys, "stays", "new")
        settled(lambda: statuses(url, "old") == {401})
        settled(lambda: statuses(url, "new") == {200})
        time.sleep(SUPERVISOR_LOOKS_S)

        keys.write_text("[{")
        settled(lambda: metric(url, "recsys_api_keys_stale", **stays) == 1)
        victims = workers_of(process)
        for victim in victims:
            victim.kill()
        gone = {victim.pid for victim in victims}
        eventually(lambda: len(workers_of(process)) == 2 and not gone & {w.pid for w in workers_of(process)})
        eventually(lambda: log.read_text().count("Application startup complete") == 4, START_TIMEOUT_S)
        assert statuses(url, "stays") == {200}, "those in force before the workers died"
        assert statuses(url, "old") == {401}
        assert log.read_text().count("another takes its place") == 2, "no worker died of the file"

        write(keys, "new")
        settled(lambda: statuses(url, "stays") == {401})
        assert statuses(url, "new") == {200}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_broken_file_at_the_start_ends_the_whole_server(bundle_path: Path, tmp_path: Path, workers: str) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text("[{")
    options = ("--bundle", str(bundle_path), "--port", "0", "--workers", workers, "--api-keys", str(keys))
    ended = subprocess.run(
        command(*options),
        check=False,
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
    )
    assert ended.returncode == ConfigError.exit_code
    assert str(keys) in ended.stderr
    assert "Remedy" in ended.stderr
    assert not ended.stdout, "it never listened"


def test_workers_count_requests_together(bundle_path: Path, tmp_path: Path) -> None:
    options = (
        "--bundle",
        str(bundle_path),
        "--port",
        "0",
        "--workers",
        "2",
        "--rate-limit",
        "0.001",
        "--rate-burst",
        "10",
    )
    with logged_server(tmp_path / "log", *options) as (url, process):
        eventually(lambda: (tmp_path / "log").read_text().count("Application startup complete") == 2)
        answers = [get(f"{url}/stats") for _ in range(ASKED)]
        assert [answer.status for answer in answers] == [200] * 10 + [429] * (ASKED - 10)
        assert answers[3].headers["RateLimit"].startswith('"default";r=6;t=')
        victim = workers_of(process)[0]
        victim.kill()
        eventually(lambda: (tmp_path / "log").read_text().count("Application startup complete") == 3, START_TIMEOUT_S)
        assert {get(f"{url}/stats").status for _ in range(ASKED)} == {429}, "a new worker counts on"
