"""What fails a test by itself, on pages that do it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.support.browsing.axe import sideways, violations
from tests.support.browsing.chromium import axe_script
from tests.support.browsing.watch import Watch

HEAD = "<!doctype html><html lang=en><title>Page</title><link rel=icon href=data:,><main><h1>Page</h1>"
PAGES = {
    "/quiet": "",
    "/warning": "<script src=/warning.js></script>",
    "/exception": "<script src=/exception.js></script>",
    "/missing": "<img src=/nothing.png alt=''>",
    "/inline": "<script>document.title = 'changed'</script>",
    "/elsewhere": "<img src=http://127.0.0.1:1/picture.png alt=''>",
    "/nameless": "<button></button>",
    "/wide": "<div class=wide>wide</div><link rel=stylesheet href=/wide.css>",
}
FILES = {
    "/warning.js": ("text/javascript", "console.warn('beware')"),
    "/exception.js": ("text/javascript", "throw new Error('broken')"),
    "/wide.css": ("text/css", ".wide {width: 5000px}"),
}


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind, text = FILES.get(self.path, ("text/html", HEAD + PAGES.get(self.path, "")))
        self.send_response(200 if self.path in PAGES or self.path in FILES else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", "default-src 'self'; img-src * data:; script-src 'self'")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def a_context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 320, "height": 600})
    yield context
    context.close()


@pytest.mark.parametrize(
    ("path", "faults"),
    [
        ("/quiet", []),
        ("/warning", ["console warning: beware"]),
        ("/exception", ["exception: broken"]),
        ("/missing", ["404: GET SITE/nothing.png"]),
        ("/inline", ["console error: Executing inline script violates the following Content Security Policy"]),
        (
            "/elsewhere",
            [
                "request to another host: http://127.0.0.1:1/picture.png",
                "no answer (net::ERR_UNSAFE_PORT): GET http://127.0.0.1:1/picture.png",
            ],
        ),
    ],
)
def test_what_a_page_must_not_do(browser: Browser, site: str, path: str, faults: list[str]) -> None:
    with a_context(browser) as context:
        watch = Watch(context, urlsplit(site).netloc)
        context.new_page().goto(site + path, wait_until="networkidle")
        assert len(watch.faults) == len(faults), watch.faults
        for found, expected in zip(watch.faults, faults, strict=True):
            assert found.startswith(expected.replace("SITE", site))


def test_a_status_that_was_announced_is_no_fault(browser: Browser, site: str) -> None:
    with a_context(browser) as context:
        watch = Watch(context, urlsplit(site).netloc)
        watch.expect_statuses(404)
        context.new_page().goto(f"{site}/missing", wait_until="networkidle")
        assert watch.faults == []


@pytest.mark.skipif(axe_script() is None, reason="no axe-core: npm ci in dashboard/")
def test_what_keeps_people_out(browser: Browser, site: str) -> None:
    with a_context(browser) as context:
        page = context.new_page()
        page.goto(f"{site}/quiet")
        assert violations(page) == []
        page.goto(f"{site}/nameless")
        assert [line.split()[0] for line in violations(page)] == ["button-name"]


def test_how_far_a_page_is_wider_than_its_window(browser: Browser, site: str) -> None:
    with a_context(browser) as context:
        page = context.new_page()
        page.goto(f"{site}/quiet")
        assert sideways(page) == 0
        page.goto(f"{site}/wide", wait_until="networkidle")
        assert sideways(page) > 4000
