"""What the server says of itself to strangers: that something is wrong, never where its files lie."""

import logging
from pathlib import Path

import pytest

from tests.support.bundles import make_bundle
from tests.support.keys import entry, write_keys
from tests.support.serving import refusal, running


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    write_keys(path, entry("boss", "admin"), entry("shop", "read", "write"))
    return path


def test_strangers_are_told_that_there_is_no_bundle_and_who_runs_the_server_why(
    tmp_path: Path, keys: Path, caplog: pytest.LogCaptureFixture
) -> None:
    missing = tmp_path / "saved" / "none"
    with running(bundle=missing, store="none", api_keys=keys, reload_poll_s=0) as (client, _):
        for key in ({}, {"X-API-Key": "shop"}, {"X-API-Key": "guessed"}):
            detail = refusal(client.get("/ready", headers=key), 503)
            assert detail == "no bundle can be served; the server's log says why"
        assert str(missing) in refusal(client.get("/ready", headers={"X-API-Key": "boss"}), 503)
        assert "saved" not in refusal(client.get("/recommendations/user3", headers={"X-API-Key": "shop"}), 503)
        assert str(missing) in refusal(client.post("/admin/reload", headers={"X-API-Key": "boss"}), 409)
    assert any(str(missing) in record.getMessage() for record in caplog.records if record.levelno == logging.ERROR)


@pytest.mark.parametrize("spoil", ["absent", "pointer", "array", "manifest"])
@pytest.mark.parametrize("relative", [False, True])
def test_no_answer_names_a_folder(spoil: str, relative: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("secret place" if spoil == "array" else "secret") / "models"
    bundle = make_bundle(tmp_path / folder, name="shop")
    (version,) = (path.parent for path in bundle.glob("*/manifest.json"))
    if spoil == "absent":
        bundle = bundle.parent / "other"
    elif spoil == "pointer":
        (bundle / "current").write_text("gone")
    elif spoil == "array":
        (version / "item_embeddings.npy").write_bytes(b"")
    else:
        (version / "manifest.json").write_text("{")
    given = bundle.relative_to(tmp_path) if relative else bundle
    with running(bundle=given, store="none", reload_poll_s=0) as (client, _):
        assert client.post("/admin/reload").status_code == 409
        for response in (client.get("/ready"), client.get("/models"), client.post("/admin/reload")):
            assert "secret" not in response.text
            assert "models/" not in response.text
            assert str(tmp_path) not in response.text


def test_no_answer_names_the_store(bundle_path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "secret"
    folder.mkdir()
    store = folder / "store.sqlite"
    store.write_bytes(b"no database" * 1000)
    with running(wait=False, bundle=bundle_path, store=f"sqlite:///{store}", store_retry_s=0.05) as (client, _):
        event = {"user_id": "u", "item_id": "i", "event_type": "view"}
        refused = [client.get("/items"), client.post("/events", json=event)]
        assert [response.status_code for response in refused] == [503, 503]
        for response in (*refused, client.get("/ready"), client.get("/users")):
            assert "secret" not in response.text
            assert "Traceback" not in response.text
