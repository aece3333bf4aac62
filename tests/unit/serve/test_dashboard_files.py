"""The page at /ui/: which address is answered with what, over the real app and files of a made-up build."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from recsys.core.errors import ConfigError
from serve.dashboard import files
from serve.dashboard.headers import accepts_gzip, is_known
from serve.settings import load_settings
from tests.support.serving import refusal, without_bundle

INDEX = b"<!doctype html><title>page</title>" + 100 * b"<p>the same words again</p>"
SCRIPT = 50 * b"console.log('the same words again');\n"
BUILD = {
    "index.html": INDEX,
    "favicon.svg": b"<svg/>",
    "assets/main-3f2a.js": SCRIPT,
    "assets/style-9c1b.css": 50 * b"p { color: red }\n",
    "assets/glyphs-77aa.woff2": bytes(200),
    ".vite/manifest.json": b"{}",
}
PLAIN = {"accept-encoding": "identity"}


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of built files, which the app takes for its own."""
    for name, content in BUILD.items():
        path = tmp_path / "static" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "secret.txt").write_text("not of the page")
    use(tmp_path / "static", monkeypatch)
    return tmp_path / "static"


def use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serve.dashboard.routes.built_files", lambda: files.built_files(folder))


@pytest.fixture
def client(build: Path) -> Iterator[TestClient]:
    with without_bundle() as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/ui/", "/ui/index.html", "/ui/recommendations", "/ui/users/a.b%2Fc", "/ui/users/%0A", "/ui/?user=u1&k=5"]
)
def test_views_of_the_page_are_its_index(client: TestClient, path: str) -> None:
    response = client.get(path, headers=PLAIN)
    assert (response.status_code, response.content) == (200, INDEX)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/ui/assets/main-0000.js",
        "/ui/assets/none",
        "/ui/assets/",
        "/ui/other.js",
        "/ui/users/photo.png",
        "/ui/.vite/manifest.json",
        "/ui/assets/../../secret.txt",
        "/ui/..%2Fsecret.txt",
        "/ui/%2E%2E/secret.txt",
        "/ui/assets/..%2F..%2F..%2F..%2Fetc%2Fhosts.txt",
    ],
)
def test_a_file_that_is_missing_is_not_the_index(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert refusal(response, 404).startswith("no such")
    assert b"not of the page" not in response.content


def test_the_address_without_a_slash_leads_to_the_page(client: TestClient) -> None:
    response = client.get("/ui?user=u%2F1", follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (308, "ui/?user=u%2F1")
    assert client.get("/ui").url.path == "/ui/"
    assert refusal(client.get("/uix"), 404)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("assets/main-3f2a.js", "text/javascript; charset=utf-8"),
        ("assets/style-9c1b.css", "text/css; charset=utf-8"),
        ("assets/glyphs-77aa.woff2", "font/woff2"),
    ],
)
def test_files_named_by_their_content_are_kept_for_ever(client: TestClient, name: str, media_type: str) -> None:
    response = client.get(f"/ui/{name}", headers=PLAIN)
    assert response.content == BUILD[name]
    assert response.headers["content-type"] == media_type
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get("/ui/favicon.svg").headers["cache-control"] == "no-cache", "its name stays"


def test_types_are_not_those_of_the_machine(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mimetypes.guess_type", lambda *_: ("text/plain", None))
    with without_bundle() as client:
        assert client.get("/ui/assets/main-3f2a.js").headers["content-type"].startswith("text/javascript")


def test_every_answer_says_what_the_page_may_do(client: TestClient) -> None:
    for path in ("/ui/", "/ui/assets/main-3f2a.js", "/ui/none.js", "/ui/settings.json"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == (
            "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; object-src 'none'; "
            "base-uri 'none'; form-action 'self'"
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_pictures_come_from_hosts_that_are_named(build: Path) -> None:
    with without_bundle(ui_image_hosts="Images.example.com, *.cdn.example:8443", currency="EUR") as client:
        policy = client.get("/ui/").headers["content-security-policy"]
        said = client.get("/ui/settings.json")
    assert "; img-src 'self' data: images.example.com *.cdn.example:8443; " in policy
    assert said.json() == {"image_hosts": ["images.example.com", "*.cdn.example:8443"], "currency": "EUR"}
    assert (said.headers["content-type"], said.headers["cache-control"]) == ("application/json", "no-cache")


@pytest.mark.parametrize(
    "hosts",
    ["*", "https://images.example.com", "a.example; script-src *", "a b", "'none'", "a.example/path", "é"],
)
def test_what_is_no_host_is_refused(hosts: str) -> None:
    with pytest.raises(ConfigError, match=r"RECSYS_UI_IMAGE_HOSTS.*no host such as"):
        load_settings(ui_image_hosts=hosts)


def test_answers_are_compressed_for_who_accepts_it(client: TestClient) -> None:
    with client.stream("GET", "/ui/assets/main-3f2a.js", headers={"accept-encoding": "br, gzip"}) as response:
        sent = b"".join(response.iter_raw())
    assert response.headers["content-encoding"] == "gzip"
    assert int(response.headers["content-length"]) == len(sent) < len(SCRIPT)
    assert gzip.decompress(sent) == SCRIPT
    plain = client.get("/ui/assets/main-3f2a.js", headers=PLAIN)
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == response.headers["vary"] == "Accept-Encoding"
    assert plain.headers["etag"] != response.headers["etag"]
    assert "content-encoding" not in client.get("/ui/assets/glyphs-77aa.woff2").headers, "compressed by its format"
    assert "content-encoding" not in client.get("/ui/favicon.svg").headers, "no shorter"


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP;q=0.5, br", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*", True),
        ("*;q=0", False),
        ("br, identity", False),
    ],
)
def test_who_accepts_gzip(accepted: str, expected: bool) -> None:
    assert accepts_gzip(accepted) is expected


@pytest.mark.parametrize("path", ["/ui/", "/ui/assets/main-3f2a.js"])
@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_what_the_browser_has_is_not_sent_again(client: TestClient, path: str, accepted: str) -> None:
    first = client.get(path, headers={"accept-encoding": accepted})
    tag = first.headers["etag"]
    again = client.get(path, headers={"accept-encoding": accepted, "if-none-match": f'"other", W/{tag}'})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "vary", "content-security-policy"):
        assert again.headers[name] == first.headers[name]
    assert "content-length" not in again.headers
    assert client.get(path, headers={"accept-encoding": accepted, "if-none-match": '"other"'}).status_code == 200


def test_another_build_has_another_tag(client: TestClient) -> None:
    tags = {client.get(f"/ui/{name}", headers=PLAIN).headers["etag"] for name in BUILD if not name.startswith(".")}
    assert len(tags) == len(BUILD) - 1
    assert is_known('"a"', "*")
    assert not is_known('"a"', None)


@pytest.mark.parametrize("path", ["/ui", "/ui/", "/ui/assets/main-3f2a.js", "/ui/settings.json", "/ui/assets/none.js"])
def test_head_is_get_without_the_content(client: TestClient, path: str) -> None:
    got, head = (client.request(method, path, follow_redirects=False) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (got.status_code, b"")
    own = {"x-request-id"}
    assert {n: v for n, v in head.headers.items() if n not in own} == {
        n: v for n, v in got.headers.items() if n not in own
    }


@pytest.mark.parametrize("path", ["/ui", "/ui/", "/ui/settings.json"])
def test_the_page_is_read_alone(client: TestClient, path: str) -> None:
    response = client.post(path)
    assert refusal(response, 405)
    assert response.headers["allow"] == "GET, HEAD"


def test_switched_off_nothing_of_it_is_read(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serve.dashboard.routes.built_files", lambda: pytest.fail("it was read"))
    with without_bundle(ui="off") as client:
        for path in ("/ui", "/ui/", "/ui/settings.json", "/ui/assets/main-3f2a.js"):
            assert refusal(client.get(path), 404).startswith("no such address")
        assert client.get("/").json()["ui"] is None


def test_where_to_find_what_names_the_page(client: TestClient) -> None:
    assert client.get(client.get("/").json()["ui"]).status_code == 200


def test_a_checkout_without_a_build_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(tmp_path / "nothing", monkeypatch)
    with without_bundle() as client:
        for path in ("/ui/", "/ui/users", "/ui/assets/main.js"):
            assert "make dashboard" in refusal(client.get(path), 404)
        assert client.get("/health").status_code == 200


def test_files_that_cannot_be_read_cost_the_page_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise PermissionError(13, "Permission denied", "static/index.html")

    monkeypatch.setattr("serve.dashboard.routes.built_files", fail)
    with without_bundle() as client:
        assert "make dashboard" in refusal(client.get("/ui/"), 404)
        assert client.get("/health").status_code == 200
    assert "static/index.html" in caplog.text


def test_the_page_needs_no_key_and_has_no_limit_and_what_it_asks_for_does(build: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text('[{"name": "reader", "sha256": "' + 64 * "0" + '", "scopes": ["read"]}]')
    with without_bundle(api_keys=keys, rate_limit=0.001, rate_burst=1) as client:
        for path in 3 * ("/ui/", "/ui/assets/main-3f2a.js", "/ui/settings.json"):
            response = client.get(path)
            assert response.status_code == 200
            assert "ratelimit" not in response.headers
        for path in ("/uix", "/users", "/items"):
            assert client.get(path).status_code == 401, path


def test_requests_are_counted_by_route_and_not_by_file(client: TestClient) -> None:
    for path in ("/ui/", "/ui/users/u1", "/ui/assets/main-3f2a.js"):
        client.get(path)
    counted = [line for line in client.get("/metrics").text.splitlines() if "/ui" in line]
    assert counted
    assert all('route="/ui/{path:id}"' in line for line in counted)


def test_the_page_comes_last_so_that_no_other_route_is_found_later(client: TestClient) -> None:
    paths = [getattr(route, "path", None) for route in client.app.router.routes]  # type: ignore[attr-defined]
    assert paths[-3:] == ["/ui", "/ui/settings.json", "/ui/{path:id}"]
