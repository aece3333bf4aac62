"""Users: found as one types, what is known of one, and events that change a list at once."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.browsing.shops import Shop
from tests.support.browsing.visitor import Visitor

SEGMENTS = {"small": "Small", "low_average": "Low average", "average": "Average", "high": "High"}


def test_users_are_found_as_one_types(visitor: Visitor) -> None:
    (user,) = visitor.shop.busy_users(1)
    page = visitor.go("/users")
    rows = page.get_by_role("table").get_by_role("row")
    expect(rows).not_to_have_count(1)
    page.get_by_label("Find a user").fill(user[:6])
    expect(rows.filter(has_text=user)).to_have_count(1)
    expect(page).to_have_url(re.compile(f"={user[:6]}$"))
    visitor.finds_it_accessible()
    page.get_by_role("table").get_by_role("link", name=user, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"User {user}")
    page.go_back()
    expect(page.get_by_label("Find a user")).to_have_value(user[:6])
    expect(rows.filter(has_text=user)).to_have_count(1)


def test_no_user_is_called_so(visitor: Visitor) -> None:
    page = visitor.go("/users")
    page.get_by_label("Find a user").fill("nobody-is-called-so")
    expect(page.locator("[data-state=empty]")).to_contain_text("id begins with “nobody-is-called-so”")
    visitor.finds_it_accessible()


def test_what_is_known_of_a_user(visitor: Visitor) -> None:
    (user,) = visitor.shop.busy_users(1)
    profile = visitor.shop.get(f"/users/{user}/profile")
    page = visitor.go("/user", id=user)
    for title in ("History", "Spending", "Favourite brands", "Favourite categories"):
        expect(page.get_by_role("heading", level=2, name=title)).to_be_visible()
    latest = profile["history"][0]
    expect(page.get_by_role("link", name=latest["title"]).first).to_be_visible()
    brand = profile["favourite_brands"][0]
    share = f"{brand['items']} items · {brand['share']:.1%}"
    expect(page.get_by_role("main")).to_contain_text(re.compile(re.escape(brand["name"]) + r"\s*" + re.escape(share)))
    low, middle, high = profile["spending"]["quartiles"]
    main = page.get_by_role("main")
    expect(main).to_contain_text(f"Segment among all users: {SEGMENTS[profile['spending']['segment']]}.")
    expect(main).to_contain_text(
        f"A quarter of the users is below {low:.2f}, half below {middle:.2f}, three quarters below {high:.2f}."
    )
    visitor.finds_it_accessible()


def test_a_user_that_nobody_knows(visitor: Visitor) -> None:
    visitor.watch.expect_statuses(404)
    page = visitor.go("/user", id="Zoë & co/1")
    expect(page.get_by_role("heading", level=1)).to_have_text("User Zoë & co/1")
    expect(page.get_by_text("Nothing is known of Zoë & co/1 yet")).to_be_visible()
    visitor.finds_it_accessible()
    page.get_by_role("link", name="See recommendations").first.click()
    expect(page).to_have_url(re.compile(r"user=Zo%C3%AB(\+|%20)%26(\+|%20)co%2F1"))


def test_a_view_that_is_posted_changes_the_list_at_once(visitor: Visitor) -> None:
    user = visitor.shop.busy_users(2)[1]
    first = visitor.shop.listed(user)[0]
    page = visitor.go("/user", id=user)
    page.get_by_role("button", name="Watch live").click()
    panel = page.get_by_role("heading", name="First ten recommendations").locator("xpath=ancestor::section[1]")
    expect(panel.get_by_role("link", name=first["title"]).first).to_be_visible()
    visitor.finds_it_accessible()
    field = page.get_by_role("combobox", name="Item")
    field.fill(first["title"])
    page.get_by_role("option").filter(has_text=first["title"]).first.click()
    page.get_by_role("button", name="Send the event").click()
    expect(page.get_by_text("The server has it on disk.")).to_be_visible()
    expect(panel).to_contain_text(re.compile(r"\d+ new, \d+ moved, \d+ gone"))
    expect(panel.get_by_role("list").first.get_by_role("link", name=first["title"], exact=True)).to_have_count(0)
    history = page.get_by_role("heading", name="History", exact=True).locator("xpath=ancestor::section[1]")
    expect(history.get_by_role("listitem").first).to_contain_text(first["title"])
    visitor.finds_it_accessible()
    assert first["item_id"] not in [item["item_id"] for item in visitor.shop.listed(user)]


@pytest.mark.parametrize("key", ["reader", "writer"])
def test_events_need_a_key_that_may_write(visit: Visit, locked_shop: Shop, key: str) -> None:
    visitor = visit(locked_shop)
    visitor.types_in_the_key(key)
    page = visitor.go("/user", id="A00AMBA0K5MIKV")
    page.get_by_role("button", name="Watch live").click()
    missing = page.get_by_text("Sending events takes an API key with the scope “write”.")
    if key == "writer":
        expect(page.get_by_role("button", name="Send the event")).to_be_visible()
        expect(missing).to_be_hidden()
    else:
        expect(missing).to_be_visible()
        visitor.finds_it_accessible()
