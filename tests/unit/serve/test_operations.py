"""The server itself: what it says of its state, its settings and its API."""

import logging
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import msgspec
import pytest
from fastapi.testclient import TestClient

from recsys.bundle import Bundle
from recsys.bundle.manifest import Calibration
from serve.app import create_app
from serve.bundles.swap import Bundles
from serve.http.problems import MEDIA_TYPE
from serve.settings import NO_STORE, Settings
from tests.support.serving import N_ITEMS, N_USERS, refusal, running
from tests.support.waiting import eventually


def test_health_and_index(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    index = client.get("/").json()
    for name in ("docs", "health", "ready"):
        assert client.get(index[name]).status_code == 200
    assert client.get(index["recommendations"].format(user_id="user3")).status_code == 200


class Addresses(HTMLParser):
    """What a page loads or refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href") and value]


def test_the_page_of_the_api_needs_no_other_host(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "//" not in re.sub(r"^\s*//.*|<!--.*?-->", "", page.text, flags=re.MULTILINE | re.DOTALL)
    assert '"validatorUrl": null' in page.text
    addresses = Addresses()
    addresses.feed(page.text)
    loaded = {urljoin("/docs", address): client.get(urljoin("/docs", address)) for address in addresses.found}
    kinds = {Path(address).suffix: response for address, response in loaded.items()}
    assert kinds.keys() == {".js", ".css", ".png"}
    assert {response.status_code for response in loaded.values()} == {200}
    assert "SwaggerUIBundle" in kinds[".js"].text
    assert "url: 'openapi.json'" in page.text
    assert client.get("/redoc").status_code == 404


def test_ready_names_the_bundle(client: TestClient, bundle: Bundle) -> None:
    answer = client.get("/ready").json()
    assert (answer["status"], answer["store"]) == ("ready", "live")
    assert answer["bundle"]["version"] == bundle.version


def test_models_are_those_that_can_be_asked_for(client: TestClient, bundle: Bundle) -> None:
    answer = client.get("/models").json()
    rows = {row["name"]: row for row in answer["models"]}
    assert list(rows) == ["full", *bundle.sources]
    for name in rows:
        assert client.get(f"/recommendations/user3?k=1&model={name}").json()["items"][0]["model_source"] in (
            name,
            "ranker",
        )
    assert {name for name, row in rows.items() if row["proposes"]} == set(bundle.recommender().sources)
    assert rows["blend"]["weights"] == bundle.manifest.hybrids["blend"]
    assert (rows["full"]["kind"], rows["transitions"]["kind"], rows["bpr"]["kind"], rows["blend"]["kind"]) == (
        "pipeline",
        "item_to_item",
        "factors",
        "hybrid",
    )
    assert rows["full"]["confidence"] == {"scale": 1.0, "offset": 0.0, "fitted": False}
    assert rows["popularity"]["confidence"] is None
    assert answer["metrics"]["index_recall@100"] == 1.0


def test_confidence_with_the_bundles_numbers(bundle_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(bundle=bundle_path, store="none") as (client, server):
        bundle = server.parts.bundles.loaded.bundle
        calibrated = {"full": Calibration(scale=0.0, offset=0.0)}
        serving = msgspec.structs.replace(bundle.manifest.serving, confidence=calibrated)
        monkeypatch.setattr(bundle, "manifest", msgspec.structs.replace(bundle.manifest, serving=serving))
        items = client.get("/recommendations/user3").json()["items"]
        assert {item["confidence"] for item in items} == {0.5}
        rows = {row["name"]: row["confidence"] for row in client.get("/models").json()["models"]}
        assert (rows["full"]["fitted"], rows["two_tower"]["fitted"]) == (True, False)


def test_stats(client: TestClient, bundle: Bundle) -> None:
    answer = client.get("/stats").json()
    assert (answer["items"], answer["users"]) == (N_ITEMS, N_USERS)
    assert answer["interactions"] == len(bundle.histories.items)
    assert answer["store"] == "live"
    before = answer["store_statistics"]["events"]
    event = {"user_id": "counted", "item_id": "item1", "event_type": "view"}
    client.post("/events", json=event)
    assert client.get("/stats").json()["store_statistics"]["events"] == before + 1


def test_no_secret_is_shown_or_logged(bundle_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    url = "postgresql://shop:swordfish@127.0.0.1:1/events?password=swordfish&sslpassword=swordfish"
    with caplog.at_level(logging.DEBUG), running(bundle=bundle_path, store=url, wait=False) as (client, _):
        response = client.get("/config")
    assert "The store cannot be opened" in caplog.text
    assert "swordfish" not in caplog.text
    assert response.json()["settings"]["store"] == "postgresql://127.0.0.1:1/events"
    assert "swordfish" not in response.text


@pytest.mark.parametrize("path", ["/nowhere", "/admin", "/%2Fhealth", "/health/"])
def test_an_address_that_does_not_exist(client: TestClient, path: str) -> None:
    assert refusal(client.get(path), 404).startswith("no such address")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/recommendations/user3"),
        ("POST", "/recommendations/user3"),
        ("GET", "/events"),
        ("PUT", "/config"),
        ("BREW", "/"),
    ],
)
def test_a_method_that_does_not_exist(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, path)
    assert refusal(response, 405) == "Method Not Allowed"
    assert response.headers["allow"]


def test_a_bug_shows_no_trace(bundle_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    with running(bundle=bundle_path, store="none") as (client, _):
        monkeypatch.setattr(Bundles, "loaded", property(fail))
        for path in ("/ready", "/recommendations/user3", "/items/item1", "/stats"):
            response = client.get(path, headers={"X-Request-ID": "mine"})
            assert "secret" not in refusal(response, 500)
            assert response.headers["x-request-id"] == "mine"


def test_without_a_bundle_it_lives_but_is_not_ready(tmp_path: Path, bundle_path: Path) -> None:
    missing = tmp_path / "none"
    with running(bundle=missing, store="none", reload_poll_s=0.02) as (client, _):
        assert client.get("/health").status_code == 200
        for path in ("/ready", "/recommendations/user3", "/items/item1", "/users", "/models"):
            response = client.get(path)
            assert str(tmp_path) not in refusal(response, 503)
            assert int(response.headers["retry-after"]) > 0
        missing.symlink_to(bundle_path)
        # A bundle that appears is served without a restart.
        eventually(lambda: client.get("/ready").status_code == 200)


def test_events_need_no_bundle(tmp_path: Path) -> None:
    with running(bundle=tmp_path / "none", store=f"sqlite:///{tmp_path}/s.sqlite", reload_poll_s=0) as (client, _):
        event = {"user_id": "u", "item_id": "i", "event_type": "view"}
        answer = client.post("/events", json=event).json()
        assert (answer["accepted"], answer["unknown_items"]) == (1, None)


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(p, m, operation) for p, methods in document["paths"].items() for m, operation in methods.items()]


def test_openapi_is_encoded_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is long, and anyone may ask for it."""
    first = client.get("/openapi.json")
    assert first.headers["content-type"] == "application/json"
    monkeypatch.setattr("json.dumps", None)
    assert client.get("/openapi.json").content == first.content


def test_openapi_names_the_path_below_which_a_proxy_serves() -> None:
    with TestClient(create_app(Settings(store=NO_STORE), early=True), root_path="/shop/") as client:
        assert client.get("/openapi.json").json()["servers"] == [{"url": "/shop"}]
    with TestClient(create_app(Settings(store=NO_STORE), early=True)) as client:
        assert "servers" not in client.get("/openapi.json").json()


def test_openapi_describes_every_answer(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    texts = {"/metrics": "text/plain", "/report": "text/html"}
    assert len(operations(document)) >= 42
    for path, _, operation in operations(document):
        assert operation["summary"]
        for status, response in operation["responses"].items():
            (media_type,) = response["content"]
            if status == "200" and path in texts:
                assert media_type == texts[path]
                continue
            assert media_type == ("application/json" if status == "200" else MEDIA_TYPE), path
            reference = response["content"][media_type]["schema"]["$ref"]
            assert reference.rsplit("/", 1)[1] in schemas, path


def test_openapi_describes_every_parameter(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    for path, _, operation in operations(document):
        listed = [parameter["name"] for parameter in operation.get("parameters", [])]
        assert len(listed) == len(set(listed))
        assert {name for name in ("user_id", "item_id") if f"{{{name}}}" in path} <= set(listed)
    of_user = {p["name"]: p for p in document["paths"]["/recommendations/{user_id}"]["get"]["parameters"]}
    assert of_user.keys() == {
        "user_id", "k", "model", "exclude_seen", "min_price", "max_price", "category", "brand", "as_of", "explain",
        "logged", "scenario", "context.NAME", "offset", "exclude_items", "only_items",
    }  # fmt: skip
    assert of_user["k"]["schema"]["maximum"] == 100
    assert of_user["user_id"]["in"] == "path"


def test_every_field_of_an_answer_is_described_or_shown(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    for name in ("RecommendedItem", "ItemResponse", "EventsResponse", "ProfileResponse", "StatsResponse", "EventBody"):
        for field, schema in schemas[name]["properties"].items():
            assert "examples" in schema or "description" in schema or "$ref" in schema, (name, field)
