"""What pages show while they wait, and where the server refuses or is not there.

Refusals of a kind for all pages are answered in the server's place; `test_real_refusals.py` has the server's own.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browsing.visitor import Visitor

PAGES = {
    "recommendations": ("/", {"user": "anna"}),
    "users": ("/users", {}),
    "user": ("/user", {"id": "anna"}),
    "items": ("/items", {}),
    "item": ("/item", {"id": "kettle"}),
    "popular": ("/popular", {}),
    "rules": ("/rules", {}),
    "experiments": ("/experiments", {}),
    "experiment": ("/experiments", {"experiment": "length"}),
    "edit": ("/experiments", {"edit": "length"}),
    "system": ("/system", {}),
}
READ_SCOPE = "this API key does not have the scope read"


def answer_instead(page: Page, handle: Callable[[Route], None]) -> None:
    """Let `handle` answer what pages ask the API; files of the dashboard and /ready stay the server's."""

    def choose(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.startswith("/ui/") or path == "/ready":
            route.continue_()
        else:
            handle(route)

    page.route("**/*", choose)


def refuse(page: Page, status: int, detail: str = "as the test wants it", **headers: str) -> None:
    """Every request gets this refusal."""
    body = {"type": "about:blank", "title": "Refused", "status": status, "detail": detail}
    answer_instead(
        page,
        lambda route: route.fulfill(
            status=status, json=body, headers={"Content-Type": "application/problem+json", **headers}
        ),
    )


@pytest.mark.parametrize("name", PAGES)
def test_while_nothing_is_there_yet(visitor: Visitor, name: str) -> None:
    held: list[Route] = []
    answer_instead(visitor.page, held.append)
    path, query = PAGES[name]
    page = visitor.go(path, **query)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("[data-state=loading]").first).to_be_visible()
    visitor.finds_it_accessible()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    ("status", "detail", "title"),
    [
        (401, "an API key is needed", "This needs an API key"),
        (403, READ_SCOPE, "This key lacks the scope “read”"),
        (404, "there is none", "There is no such thing"),
        (422, "k: expected less", "Something in the request does not fit"),
        (503, "the store does not answer", "The server cannot answer right now"),
        (500, "", "The server answered with an error (500)"),
    ],
)
def test_a_refusal_is_told_and_what_can_be_done(
    visitor: Visitor, name: str, status: int, detail: str, title: str
) -> None:
    visitor.watch.expect_statuses(status)
    refuse(visitor.page, status, detail)
    path, query = PAGES[name]
    page = visitor.go(path, **query)
    if (name, status) == ("user", 404):
        expect(page.get_by_text("Nothing is known of anna yet")).to_be_visible()
        visitor.finds_it_accessible()
        return
    failure = page.locator(f"[data-state=failure-{status}]").first
    expect(failure).to_be_visible(timeout=15_000)  # what may pass is asked again before
    expect(failure).to_contain_text(title)
    if status in (401, 403):
        expect(failure.get_by_role("button", name="Use this key")).to_be_visible()
    elif detail:
        expect(failure).to_contain_text(detail)
    visitor.finds_it_accessible()


@pytest.mark.parametrize("name", PAGES)
def test_a_wait_that_the_server_asks_for_is_counted_down(visitor: Visitor, name: str) -> None:
    visitor.watch.expect_statuses(429)
    refuse(visitor.page, 429, "too many requests", **{"Retry-After": "2"})
    path, query = PAGES[name]
    page = visitor.go(path, **query)
    failure = page.locator("[data-state=failure-429]").first
    expect(failure).to_contain_text("Too many requests")
    again = failure.get_by_role("button", name=re.compile("^Try again"))
    expect(again).to_have_accessible_name(re.compile(r"Try again in [12] s"))
    expect(again).to_be_disabled()
    expect(again).to_be_enabled()
    expect(again).to_have_accessible_name("Try again")


@pytest.mark.parametrize("name", PAGES)
def test_no_answer_at_all(visitor: Visitor, name: str) -> None:
    answer_instead(visitor.page, lambda route: route.abort("connectionrefused"))
    path, query = PAGES[name]
    with visitor.watch.unreachable():
        page = visitor.go(path, **query)
        failure = page.locator("[data-state=failure-0]").first
        expect(failure).to_contain_text("The server does not answer")
        expect(failure.get_by_role("button", name="Try again").first).to_be_enabled()
        visitor.finds_it_accessible()
