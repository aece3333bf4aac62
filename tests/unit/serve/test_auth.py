"""API keys: what each may do, and that none is ever shown."""

import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from recsys.core.errors import ConfigError
from serve.auth import ApiKey, Keyring, main
from serve.http.authentication import needed
from serve.key_file import KeyFile
from tests.support.serving import refusal, running

SECRETS = {"reader": "read-4f1c", "writer": "write-77aa", "boss": "boss-0b0b", "all": "all-9d9d"}
SCOPES = {"reader": ["read"], "writer": ["write"], "boss": ["admin"], "all": ["read", "write", "admin"]}
EVENT = {"user_id": "u", "item_id": "item1", "event_type": "view"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    entries = [
        {"name": name, "sha256": hashlib.sha256(secret.encode()).hexdigest(), "scopes": SCOPES[name]}
        for name, secret in SECRETS.items()
    ]
    path.write_text(json.dumps(entries))
    return path


BODIES = {"/recommendations": {"user_ids": ["user1"]}, "/events": EVENT, "/items/lookup": {"item_ids": ["item1"]}}


@pytest.fixture(scope="module")
def locked(bundle_path: Path, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    store = f"sqlite:///{tmp_path_factory.mktemp('locked')}/store.sqlite"
    with running(bundle=bundle_path, store=store, api_keys=keys, access_log=True) as (client, _):
        yield client


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/recommendations/user3", "read"),
        ("POST", "/recommendations", "read"),
        ("GET", "/items/item1", "read"),
        ("GET", "/items/popular", "read"),
        ("POST", "/items/lookup", "read"),
        ("GET", "/users", "read"),
        ("GET", "/stats", "read"),
        ("GET", "/metrics", "read"),
        ("POST", "/events", "write"),
        ("GET", "/config", "admin"),
        ("POST", "/admin/reload", "admin"),
    ],
)
def test_a_key_opens_what_its_scopes_say(locked: TestClient, name: str, method: str, path: str, scope: str) -> None:
    body = BODIES.get(path)
    response = locked.request(method, path, json=body, headers={"X-API-Key": SECRETS[name]})
    if scope in SCOPES[name]:
        assert response.status_code == 200, response.text
    else:
        assert scope in refusal(response, 403)


@pytest.mark.parametrize("key", [None, "", "wrong", SECRETS["all"] + "x", SECRETS["all"][:-1], "é" * 1000])
def test_without_a_good_key_nothing_opens(locked: TestClient, key: str | None) -> None:
    headers = {} if key is None else {"X-API-Key": key.encode()}
    for method, path in (("GET", "/stats"), ("POST", "/events"), ("GET", "/config"), ("GET", "/nowhere")):
        response = locked.request(method, path, headers=headers)
        detail = refusal(response, 401)
        assert response.headers["www-authenticate"] == "ApiKey"
        assert not key or key not in detail


def test_what_needs_no_key(locked: TestClient) -> None:
    for path in ("/", "/health", "/ready", "/docs", "/swagger-ui/swagger-ui.css", "/openapi.json"):
        assert locked.get(path).status_code == 200


@pytest.mark.parametrize("secret", [*SECRETS.values(), "wrong", None])
def test_a_key_is_told_what_it_may_do(locked: TestClient, secret: str | None) -> None:
    expected = {
        "read-4f1c": ("reader", ["read"]),
        "write-77aa": ("writer", ["write"]),
        "boss-0b0b": ("boss", ["catalogue", "admin"]),
        "all-9d9d": ("all", ["read", "write", "catalogue", "admin"]),
    }
    name, scopes = expected.get(secret or "", (None, []))
    response = locked.get("/key", headers={} if secret is None else {"X-API-Key": secret})
    assert response.json() == {"keys": True, "name": name, "scopes": scopes}


def test_without_keys_everything_is_open(client: TestClient) -> None:
    assert client.get("/key").json() == {
        "keys": False,
        "name": None,
        "scopes": ["read", "write", "catalogue", "admin"],
    }


def test_the_description_names_the_key(locked: TestClient, client: TestClient) -> None:
    document = locked.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["key"]["name"] == "X-API-Key"
    assert document["paths"]["/events"]["post"]["security"] == [{"key": []}]
    assert "security" not in document["paths"]["/health"]["get"]
    assert "securitySchemes" not in client.get("/openapi.json").json()["components"]


def test_the_log_names_who_asked_but_no_key(locked: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for secret in (*SECRETS.values(), "wrong-key"):
            locked.get("/stats", headers={"X-API-Key": secret})
    named = {getattr(record, "key", None) for record in caplog.records if record.name == "serve.access"}
    assert {"reader", "all", None} <= named
    text = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert not [secret for secret in (*SECRETS.values(), "wrong-key") if secret in text]


@pytest.mark.parametrize("path", ["/config", "/admin/reload", "/events", "/stats", "/anything"])
def test_every_address_but_a_few_needs_a_key(path: str) -> None:
    assert needed(path) is not None


@pytest.mark.parametrize(
    ("method", "path", "right"),
    [
        *(("GET", "/users", "read"), ("GET", "/users/u", "read"), ("GET", "/users/u/profile", "read")),
        *(("PUT", "/users/u", "write"), ("POST", "/users/u/merge", "write"), ("PUT", "/users/by-id", "write")),
        *(("DELETE", "/users/u", "admin"), ("DELETE", "/users/by-id", "admin"), ("DELETE", "/users/a/b", "admin")),
        *(("GET", "/users/u/export", "admin"), ("HEAD", "/users/u/export", "admin")),
    ],
)
def test_to_forget_or_read_out_a_person_takes_an_administrator(method: str, path: str, right: str) -> None:
    assert needed(path, method) == right


def test_a_root_path_does_not_open_administration(bundle_path: Path, keys: Path) -> None:
    with running(bundle=bundle_path, store="none", api_keys=keys) as (client, _):
        behind = TestClient(client.app, root_path="/shop")
        refusal(behind.get("/shop/config", headers={"X-API-Key": SECRETS["reader"]}), 403)
        assert behind.get("/shop/config", headers={"X-API-Key": SECRETS["boss"]}).status_code == 200


def test_a_new_key_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shop", "read", "write", "read"]) == 0
    output = capsys.readouterr()
    secret = output.err.split()[-1]
    assert secret not in output.out
    path = tmp_path / "keys.json"
    path.write_text(f"[{output.out}]")
    found = KeyFile(path).find(secret.encode())
    assert found is not None
    assert (found.name, sorted(found.scopes)) == ("shop", ["read", "write"])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        '[{"name": "a", "sha256": "short", "scopes": ["read"]}]',
        '[{"name": "a", "key": "plain", "scopes": ["read"]}]',
        f'[{{"name": "a", "sha256": "{"0" * 64}", "scopes": ["everything"]}}]',
        f'[{{"name": "a", "sha256": "{"0" * 64}", "scopes": []}}]',
    ],
)
def test_a_file_of_keys_that_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"keys\.json") as caught:
        KeyFile(path)
    assert "plain" not in str(caught.value)
    with pytest.raises(ConfigError, match="absent"):
        KeyFile(tmp_path / "absent")


def test_no_key_is_found_by_its_hash() -> None:
    digest = hashlib.sha256(b"secret").hexdigest()
    keyring = Keyring([ApiKey(name="a", sha256=digest, scopes=frozenset({"read"}))])
    assert keyring.find(digest.encode()) is None
    assert keyring.find(b"secret") is not None
