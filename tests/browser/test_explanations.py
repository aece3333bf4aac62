"""Why an item is in a list, or is not; what is similar to it, and how rules moved it."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.support.browsing.shops import Shop
from tests.support.browsing.visitor import Visitor

TIMEOUT_MS = 20_000  # an explanation runs the recommender many times


def number(text: str) -> float:
    return float(re.findall(r"[-+]?[\d.,]+", text)[0].replace(",", ""))


def explained(shop: Shop, user: str, item: str) -> Any:
    return shop.post("/explanations", {"user_id": user, "item_id": item, "k": 24, "style": "paragraph"})


def opened_why(page: Page, title: str) -> Locator:
    page.get_by_role("button", name=f"Why {title}?", exact=True).click()
    explanation = page.locator("[data-state=explanation]")
    expect(explanation).to_be_visible(timeout=TIMEOUT_MS)
    return explanation


def test_why_tells_contributions_that_add_up_and_what_stands_behind_them(visitor: Visitor) -> None:
    (user,) = visitor.shop.busy_users(1)
    item = visitor.shop.listed(user, 24)[0]
    answer = explained(visitor.shop, user, item["item_id"])
    page = visitor.go("/", user=user)
    panel = opened_why(page, item["title"])
    expect(page.get_by_role("heading", name=f"Why #1, {item['title']}?")).to_be_in_viewport()
    expect(panel).to_contain_text(answer["text"])

    rows = panel.get_by_role("table", name="The same as a table").get_by_role("row").all()[1:]
    start, *steps, end = ([cell.inner_text() for cell in row.get_by_role("cell").all()] for row in rows)
    assert [step[0].split()[-2:] for step in steps] == [
        ["raises" if part["value"] > 0 else "lowers", "it"] for part in answer["contributions"] if part["value"]
    ]
    total = number(start[-1]) + sum(number(change) for change, _ in steps)
    assert round(total, 6) == number(end[-1]) == round(answer["score"], len(end[-1].partition(".")[2]))

    expect(panel.get_by_role("heading", name="Items of the history behind it")).to_be_visible()
    expect(panel.get_by_role("link", name=answer["history"][0]["title"]).first).to_be_visible()
    panel.get_by_text("What the ranker read").click()
    expect(panel.get_by_text("two_tower_score")).to_be_visible()
    visitor.finds_it_accessible()


def test_a_score_is_compared_with_any_ranked_item(visitor: Visitor) -> None:
    visitor.watch.expect_statuses(422)
    (user,) = visitor.shop.busy_users(1)
    first, _, third, *_ = visitor.shop.listed(user, 24)
    seen = visitor.shop.get(f"/users/{user}/profile")["history"][0]
    page = visitor.go("/", user=user)
    panel = opened_why(page, first["title"])
    panel.get_by_text("Compare with another item").click()
    field = panel.get_by_role("combobox")
    field.fill(third["item_id"])
    panel.get_by_role("option", name=third["title"]).click()
    start = panel.get_by_role("table", name="The same as a table").get_by_role("row").nth(1)
    expect(start).to_contain_text(third["title"], timeout=TIMEOUT_MS)
    visitor.finds_it_accessible()
    field.fill(seen["item_id"])
    panel.get_by_role("option", name=seen["title"]).click()
    expect(panel.locator("[data-state=failure-422]")).to_contain_text("reference", timeout=TIMEOUT_MS)
    panel.get_by_role("button", name="Compare as before").click()
    expect(start).not_to_contain_text(third["title"])
    expect(panel.get_by_text("Compare with another item")).to_be_focused()


def test_similar_items_lead_on_and_back_and_the_focus_returns(visitor: Visitor) -> None:
    (user,) = visitor.shop.busy_users(1)
    first = visitor.shop.listed(user, 24)[0]
    by_content = visitor.shop.get(f"/items/{first['item_id']}/similar?k=20&by=content")["items"]
    page = visitor.go("/", user=user)
    button = page.get_by_role("button", name=f"Similar to {first['title']}", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    window = page.get_by_role("dialog")
    expect(window.get_by_role("listitem").first).to_be_visible()
    window.get_by_role("tab", name="Content").click()
    expect(window.get_by_role("listitem")).to_have_count(len(by_content))
    expect(window.get_by_role("listitem").first).to_contain_text(by_content[0]["title"])
    visitor.finds_it_accessible()

    window.get_by_role("listitem").first.get_by_role("button", name=re.compile("^Similar to this")).click()
    expect(window.get_by_role("heading", name=f"Similar to “{by_content[0]['title']}”")).to_be_visible()
    window.get_by_role("button", name=f"Back to “{first['title']}”").click()
    expect(window.get_by_role("heading", name=f"Similar to “{first['title']}”")).to_be_visible()
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    expect(button).to_be_focused()


def test_a_similar_item_has_a_page(visitor: Visitor) -> None:
    (user,) = visitor.shop.busy_users(1)
    page = visitor.go("/", user=user)
    page.get_by_role("button", name=re.compile("^Similar to ")).first.click()
    link = page.get_by_role("dialog").get_by_role("listitem").first.get_by_role("link")
    title = link.inner_text()
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_why_not_tells_how_far_an_item_came(visitor: Visitor) -> None:
    (user,) = visitor.shop.busy_users(1)
    seen = visitor.shop.get(f"/users/{user}/profile")["history"][0]
    page = visitor.go("/", user=user)
    page.get_by_role("button", name="Why not …?").click()
    window = page.get_by_role("dialog", name="Why not …?")
    expect(window.get_by_text("No item picked yet")).to_be_visible()
    visitor.finds_it_accessible()
    window.get_by_role("combobox").fill(seen["item_id"])
    page.keyboard.press("Enter")
    steps = window.get_by_role("list", name="How far it came").get_by_role("listitem")
    expect(steps).to_have_count(6, timeout=TIMEOUT_MS)
    expect(steps.nth(1)).to_contain_text("stopped here")
    expect(window).to_contain_text("It is already in the history.")
    visitor.finds_it_accessible()


def test_why_not_of_what_the_catalogue_does_not_hold(visitor: Visitor) -> None:
    visitor.watch.expect_statuses(404)
    (user,) = visitor.shop.busy_users(1)
    page = visitor.go("/", user=user)
    page.get_by_role("button", name="Why not …?").click()
    page.get_by_role("dialog").get_by_role("combobox").fill("no-such-item")
    page.keyboard.press("Enter")
    expect(page.locator("[data-state=failure-404]")).to_contain_text("no-such-item", timeout=TIMEOUT_MS)
    visitor.finds_it_accessible()


def test_an_item_that_fills_the_list_up_has_no_personal_reason(visitor: Visitor) -> None:
    page = visitor.go("/", user="nobody")
    panel = opened_why(page, visitor.shop.listed("nobody", 24)[0]["title"])
    expect(panel).to_contain_text("there is no personal reason")
    expect(panel.get_by_role("table", name="The same as a table")).to_have_count(0)
    visitor.finds_it_accessible()


def test_rules_that_moved_items_are_named(visit: Visit, own_shop: Shop) -> None:
    (user,) = own_shop.busy_users(1)
    last = own_shop.listed(user, 24)[-1]
    rule = {"action": {"type": "pin", "slot": 1}, "where": f'item.id == "{last["item_id"]}"'}
    visitor = visit(own_shop)
    assert visitor.page.request.put(f"{own_shop.url}/rules/window-display", data=rule).ok
    page = visitor.go("/", user=user)
    first = page.get_by_role("article").first
    expect(first).to_contain_text(last["title"])
    expect(first).to_contain_text("23 up")
    expect(first.get_by_role("link", name="window-display")).to_have_attribute("href", "/ui/rules?rule=window-display")
    summary = page.get_by_text("1 rule moved 1 item")
    summary.click()
    expect(page.get_by_role("list", name="Which ones")).to_contain_text(last["title"])
    visitor.finds_it_accessible()
    panel = opened_why(page, last["title"])
    expect(panel).to_contain_text("Put in its place by window-display; it was at rank 24 before")
