"""Servers that refuse, lose their store, stop and come back: what a person sees of it."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.browsing.shops import Shop, running_shop
from tests.support.server_processes import get
from tests.support.waiting import eventually

LOOKS_S = 5_000  # the page asks so often how the server is doing


@pytest.fixture
def slow_shop(bundle: Path, tmp_path: Path) -> Iterator[Shop]:
    """It answers few requests of one caller."""
    with running_shop(bundle, tmp_path, store=False, rate_limit="0.2", rate_burst="6") as running:
        yield running


def test_without_a_key_the_field_for_it_is_where_it_is_missing(visit: Visit, locked_shop: Shop) -> None:
    visitor = visit(locked_shop)
    visitor.watch.expect_statuses(401)
    page = visitor.go("/items")
    failure = page.locator("[data-state=failure-401]").first
    expect(failure).to_contain_text("This needs an API key")
    visitor.finds_it_accessible()
    failure.locator("input").fill("ключ")
    failure.get_by_role("button", name="Use this key").click()
    expect(failure).to_contain_text("it has characters that a request cannot carry")
    failure.locator("input").fill("wrong")
    failure.get_by_role("button", name="Use this key").click()
    expect(failure).to_contain_text("The server does not accept this API key")
    failure.locator("input").fill("reader")
    failure.get_by_role("button", name="Use this key").click()
    expect(page.get_by_role("table").locator("tbody tr")).not_to_have_count(0)
    expect(failure).to_have_count(0)


def test_too_many_requests(visit: Visit, slow_shop: Shop) -> None:
    visitor = visit(slow_shop)
    visitor.watch.expect_statuses(429)
    page = visitor.go("/popular")
    failure = page.locator("[data-state=failure-429]").first
    for _ in range(8):
        if failure.is_visible():
            break
        page.reload()
        page.wait_for_load_state("networkidle")
    expect(failure).to_contain_text("Too many requests")
    again = failure.get_by_role("button", name=re.compile("^Try again"))
    expect(again).to_be_enabled(timeout=30_000)


def test_a_store_that_is_gone_and_comes_back(visit: Visit, own_shop: Shop) -> None:
    visitor = visit(own_shop)
    visitor.watch.expect_statuses(503)
    store = own_shop.store
    assert store is not None
    (user,) = own_shop.busy_users(1)
    page = visitor.go("/", user=user)
    expect(page.get_by_role("article")).to_have_count(24)
    for file in store.parent.glob(f"{store.name}*"):
        shutil.move(file, file.with_name(f"away-{file.name}"))
    eventually(lambda: get(f"{own_shop.url}/ready").json()["store"] == "unavailable")
    notice = page.locator("[data-state=server-notice]")
    expect(notice).to_contain_text("The store does not answer", timeout=2 * LOOKS_S)
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_text("The store does not answer: the list comes from the bundle alone")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(24)
    visitor.finds_it_accessible()
    page.goto(own_shop.address("/items"))
    expect(page.locator("[data-state=failure-503]").first).to_be_visible(timeout=15_000)
    visitor.finds_it_accessible()
    for file in store.parent.glob("away-*"):
        shutil.move(file, file.with_name(file.name.removeprefix("away-")))
    eventually(lambda: get(f"{own_shop.url}/ready").json()["store"] == "live")
    # By itself: nobody has to press a button in each page that was open.
    expect(page.get_by_role("table").locator("tbody tr")).not_to_have_count(0, timeout=3 * LOOKS_S)
    expect(notice).to_have_count(0, timeout=2 * LOOKS_S)


def test_a_server_that_stops_and_comes_back(visit: Visit, own_shop: Shop) -> None:
    visitor = visit(own_shop)
    visitor.watch.expect_statuses(503)  # it says that it is not ready yet
    (user,) = own_shop.busy_users(1)
    page = visitor.go("/", user=user)
    expect(page.get_by_role("article")).to_have_count(24)
    own_shop.stop()
    with visitor.watch.unreachable():
        notice = page.locator("[data-state=server-notice]")
        expect(notice).to_contain_text("The server cannot be reached", timeout=2 * LOOKS_S)
        page.get_by_role("button", name="Refresh").click()
        expect(page.locator("[data-state=stale]")).to_contain_text("This is what was known last.")
        expect(page.get_by_role("article")).to_have_count(24)
        visitor.finds_it_accessible()
        own_shop.start()
        expect(page.locator("[data-state=stale]")).to_have_count(0, timeout=2 * LOOKS_S)
        expect(notice).to_have_count(0, timeout=2 * LOOKS_S)


def test_a_browser_without_a_network(visit: Visit, own_shop: Shop) -> None:
    visitor = visit(own_shop)
    page = visitor.go("/items")
    expect(page.get_by_role("table").locator("tbody tr")).not_to_have_count(0)
    with visitor.watch.unreachable():
        page.context.set_offline(True)
        expect(page.locator("[data-state=server-notice]")).to_be_visible(timeout=2 * LOOKS_S)
        page.get_by_label("Search").first.fill("kettle")
        expect(page.get_by_text("You are offline").first).to_be_visible()
        page.context.set_offline(False)
        expect(page.locator("[data-state=server-notice]")).to_have_count(0, timeout=2 * LOOKS_S)


def test_no_notice_stands_over_a_server_that_is_well(visit: Visit, shop: Shop) -> None:
    page = visit(shop).go("/popular")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-state=server-notice]")).to_have_count(0)
