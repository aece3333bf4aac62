"""Which API keys are in force while their file changes, breaks, and its keys expire."""

import json
import os
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from recsys.core.errors import ConfigError
from serve.auth import Keyring, main, moment
from serve.key_file import KeyFile
from tests.support.keys import entry, write_keys
from tests.support.serving import refusal, running
from tests.support.waiting import eventually

BROKEN = ["", "[", "{}", "null", '[{"name": "a"}]', "[" * 100_000]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    write_keys(path, entry("old"), entry("boss", "read", "admin"))
    path.chmod(0o600)
    return path


@pytest.fixture
def locked(bundle_path: Path, path: Path) -> Iterator[TestClient]:
    with running(bundle=bundle_path, store="none", api_keys=path) as (client, _):
        yield client


def status(client: TestClient, secret: str) -> int:
    return client.get("/stats", headers={"X-API-Key": secret}).status_code


def stale(client: TestClient) -> bool:
    text = client.get("/metrics", headers={"X-API-Key": "boss"}).text
    return "recsys_api_keys_stale 1.0" in text


def test_a_changed_file_holds_without_a_restart(locked: TestClient, path: Path) -> None:
    assert (status(locked, "old"), status(locked, "new")) == (200, 401)
    write_keys(path, entry("new"), entry("boss", "read", "admin"))
    eventually(lambda: (status(locked, "old"), status(locked, "new")) == (401, 200))


def test_a_file_of_the_same_length_and_time_is_another_one(locked: TestClient, path: Path) -> None:
    before = path.stat()
    with path.open("r+") as file:  # in place: the same inode
        file.write(json.dumps([entry("new"), entry("boss", "read", "admin")]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    eventually(lambda: (status(locked, "old"), status(locked, "new")) == (401, 200))


@pytest.mark.parametrize("content", [*BROKEN, None])
def test_what_was_in_force_stays_while_the_file_is_broken(
    locked: TestClient, path: Path, content: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    if content is None:
        path.unlink()
    else:
        broken = path.with_name("broken.json")
        broken.write_text(content)
        broken.chmod(path.stat().st_mode)
        broken.replace(path)  # at once: the server may look between the opening of a file and its writing
    eventually(lambda: stale(locked))
    reloaded = locked.post("/admin/reload", headers={"X-API-Key": "boss"})
    assert (reloaded.status_code, reloaded.json()["keys"]) == (200, "stale")
    assert status(locked, "old") == 200
    assert len([record for record in caplog.records if "stay in force" in record.getMessage()]) == 1
    write_keys(path, entry("boss", "read", "admin"))
    eventually(lambda: not stale(locked))
    assert (status(locked, "old"), status(locked, "boss")) == (401, 200)


def test_a_reload_reads_the_keys_at_once(bundle_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serve.key_watch.LOOK_S", 3600.0)
    with running(bundle=bundle_path, store="none", api_keys=path) as (client, server):
        write_keys(path, entry("boss", "admin"))
        assert status(client, "old") == 200, "nobody has looked"
        answer = client.post("/admin/reload", headers={"X-API-Key": "boss"})
        assert answer.json()["keys"] == "live"
        assert status(client, "old") == 401
        write_keys(path, entry("old"))
        server._request_reload()  # what SIGHUP calls
        eventually(lambda: status(client, "old") == 200)


def test_a_worker_gets_the_keys_that_were_last_in_force(path: Path) -> None:
    keys = KeyFile(path)
    path.write_text("[")
    assert keys.look()
    assert not keys.look(), "said once"
    handed = pickle.loads(pickle.dumps(keys))
    assert handed.find(b"old").name == "old"
    write_keys(path, entry("new"))
    assert handed.look()
    assert handed.find(b"old") is None
    assert handed.find(b"new").name == "new"
    with pytest.raises(ConfigError):
        KeyFile(path.parent)


def test_a_pipe_is_no_file_and_waited_for_by_nobody(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="not a plain file"):
        KeyFile(path)


def test_an_expired_key_opens_nothing(bundle_path: Path, path: Path) -> None:
    now = datetime.now(UTC)
    ended, lasting = (now - timedelta(seconds=1)).isoformat(), (now + timedelta(days=1)).isoformat()
    write_keys(path, entry("ended", expires=ended), entry("lasting", expires=lasting))
    with running(bundle=bundle_path, store="none", api_keys=path) as (client, _):
        expired = client.get("/stats", headers={"X-API-Key": "ended"})
        unknown = client.get("/stats", headers={"X-API-Key": "none such"})
        assert refusal(expired, 401) == refusal(unknown, 401), "no stranger learns that it was a key"
        assert status(client, "lasting") == 200
        text = client.get("/metrics", headers={"X-API-Key": "lasting"}).text
        assert 'recsys_refused_total{cause="expired"} 1.0' in text
        assert 'recsys_refused_total{cause="key"} 1.0' in text


def test_a_key_expires_while_the_server_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_keys(path, entry("a", expires="2027-01-01T12:00:00+02:00"))
    key = KeyFile(path).find(b"a")
    assert key is not None
    end = 1_798_797_600.0  # date -d 2027-01-01T10:00:00Z +%s
    monkeypatch.setattr("serve.auth.time.time", lambda: end - 0.001)
    assert not key.expired
    monkeypatch.setattr("serve.auth.time.time", lambda: end)
    assert key.expired


def test_a_date_is_its_first_moment_in_utc() -> None:
    assert moment("2027-01-01") == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "expires", [1798797600, "tomorrow", "2027-13-01", "2027-01-01T12:00:00", "", True, "01/02/2027"]
)
def test_a_date_that_is_none_is_refused(path: Path, expires: object) -> None:
    write_keys(path, entry("a", expires=expires))
    with pytest.raises(ConfigError, match=r"0\.expires"):
        KeyFile(path)


def test_two_keys_of_one_name_or_one_hash_are_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="one name for several keys, those of index 0, 2"):
        Keyring.parse(json.dumps([entry("a"), entry("b"), {**entry("c"), "name": "a"}]).encode())
    write_keys(path, entry("a"), {**entry("a"), "name": "b"})
    with pytest.raises(ConfigError, match="one sha256 for several keys") as caught:
        KeyFile(path)
    assert entry("a")["sha256"] not in str(caught.value)


def test_a_file_open_to_every_user_is_named(bundle_path: Path, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for mode, warned in ((0o640, 0), (0o644, 1)):
        path.chmod(mode)
        with running(bundle=bundle_path, store="none", api_keys=path):
            pass
        assert sum("chmod 600" in record.getMessage() for record in caplog.records) == warned


def test_the_entry_of_a_key_that_expires(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shop", "read", "--expires", "2999-01-01"]) == 0
    made = capsys.readouterr()
    (tmp_path / "keys.json").write_text(f"[{made.out}]")
    found = KeyFile(tmp_path / "keys.json").find(made.err.split()[-1].encode())
    assert found is not None
    assert found.expires == datetime(2999, 1, 1, tzinfo=UTC)
    with pytest.raises(SystemExit):
        main(["shop", "read", "--expires", "soon"])
    assert "soon" in capsys.readouterr().err
