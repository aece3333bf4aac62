"""How the server is doing, as its page tells it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.browsing.shops import KEYS, Shop
from tests.support.browsing.visitor import Visitor
from tests.support.server_processes import get


def test_sizes_stages_models_and_settings_are_those_of_the_api(visitor: Visitor) -> None:
    visitor.shop.listed(visitor.shop.busy_users(1)[0])
    stats = visitor.shop.get("/stats")
    page = visitor.go("/system")
    main = page.get_by_role("main")
    expect(main).to_contain_text(stats["bundle"]["version"])
    expect(main).to_contain_text(f"{stats['items']:,}")
    expect(main).to_contain_text(f"{stats['interactions']:,}")
    for title in ("Bundle", "Health", "How long the stages take", "Models", "Settings"):
        expect(page.get_by_role("heading", level=2, name=title, exact=True)).to_be_visible()
    expect(page.get_by_role("table", name="Models").get_by_role("row")).to_have_count(
        1 + len(visitor.shop.get("/models")["models"])
    )
    visitor.finds_it_accessible()


def test_the_report_of_the_evaluation_is_shown_within_the_page(visitor: Visitor) -> None:
    if get(f"{visitor.shop.url}/report").status == 404:
        pytest.skip("no report of this version of the sample: make demo")
    page = visitor.go("/system")
    page.get_by_role("button", name="Show the report").click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", level=1)).to_be_visible()
    expect(frame.get_by_role("table").first).to_be_visible()
    visitor.finds_it_accessible()


def test_a_server_without_a_store_says_so(visit: Visit, storeless_shop: Shop) -> None:
    visitor = visit(storeless_shop)
    page = visitor.go("/system")
    expect(page.get_by_role("heading", level=2, name="Health")).to_be_visible()
    expect(
        page.get_by_role("definition").filter(has_text=re.compile("^(off|none|no store)", re.IGNORECASE)).first
    ).to_be_visible()
    visitor.finds_it_accessible()


@pytest.mark.parametrize("key", KEYS)
def test_what_a_key_may_not_see_names_the_scope(visit: Visit, locked_shop: Shop, key: str) -> None:
    visitor = visit(locked_shop)
    visitor.watch.expect_statuses(403)
    visitor.types_in_the_key(key)
    page = visitor.go("/system")
    expect(page.get_by_role("heading", level=2, name="Bundle", exact=True)).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text(locked_shop.get("/stats", "reader")["bundle"]["version"])
    missing = page.get_by_text(re.compile("scope “admin”"))
    if "admin" in KEYS[key]:
        expect(page.get_by_role("heading", level=2, name="Settings", exact=True)).to_be_visible()
        expect(missing).to_have_count(0)
    else:
        expect(missing.first).to_be_visible()
    visitor.finds_it_accessible()
