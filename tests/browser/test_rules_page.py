"""Rules: a newcomer hides a brand and sees lists change; what may not be done is said."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.support.browsing.shops import Shop


def choose_brand(page: Page, brand: str) -> None:
    field = page.get_by_role("combobox", name="Brand")
    field.press_sequentially(brand[:4])
    page.get_by_role("listbox", name="Brand").get_by_role("option", name=re.compile(re.escape(brand))).first.click()


def brand_of_many(shop: Shop, user: str) -> str:
    """The brand that the user is shown most of."""
    brands = [item["brand"] for item in shop.listed(user, 24)]
    return max(sorted(set(brands)), key=brands.count)


def test_a_brand_is_hidden_by_a_rule_and_the_list_changes(visit: Visit, own_shop: Shop) -> None:
    visitor = visit(own_shop)
    (user,) = own_shop.busy_users(1)
    brand = brand_of_many(own_shop, user)
    page = visitor.go("/", user=user)
    shown = page.get_by_role("article").filter(has=page.get_by_text(brand, exact=True))
    expect(shown).not_to_have_count(0)
    page.get_by_role("link", name="Rules", exact=True).click()
    expect(page.locator("[data-state=empty]")).to_contain_text("There are no rules yet")
    visitor.finds_it_accessible()
    page.get_by_role("link", name="New rule").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("New rule")
    expect(page.get_by_role("radio", name="Hide", exact=True)).to_be_checked()
    expect(page.get_by_role("button", name="Save the rule")).to_be_disabled()
    visitor.finds_it_accessible()
    choose_brand(page, brand)
    expect(page.get_by_role("main")).to_contain_text(f"Hides items of “{brand}”")
    expect(page.get_by_text(re.compile(r"\d+ of \d+ lists change"))).to_be_visible()
    visitor.finds_it_accessible()
    page.get_by_role("button", name="Save the rule").click()
    expect(page.get_by_role("main")).to_contain_text("is saved, and acts within two seconds")
    visitor.finds_it_accessible()
    page.get_by_role("link", name="Recommendations", exact=True).click()
    page.goto(own_shop.address("/", user=user))
    expect(page.get_by_role("article")).to_have_count(24)
    expect(shown).to_have_count(0)
    visitor.finds_it_accessible()


def test_a_rule_is_switched_off_and_deleted(visit: Visit, own_shop: Shop) -> None:
    visitor = visit(own_shop)
    (user,) = own_shop.busy_users(1)
    brand = brand_of_many(own_shop, user)
    page = visitor.go("/rules", new="1", action="hide", brand=brand)
    page.get_by_role("button", name="Save the rule").click()
    expect(page.get_by_role("main")).to_contain_text("is saved, and acts within two seconds")
    page.goto(own_shop.address("/rules"))
    switch = page.get_by_role("switch")
    expect(switch).to_be_checked()
    visitor.finds_it_accessible()
    switch.click()
    expect(switch).not_to_be_checked()
    expect(page.get_by_role("status").first).to_have_text(re.compile("is off"))
    assert brand in {item["brand"] for item in own_shop.listed(user, 24)}
    remover = page.get_by_role("button", name=re.compile("^Delete rule"))
    remover.click()
    window = page.get_by_role("dialog")
    visitor.finds_it_accessible()
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    expect(remover).to_be_focused()
    remover.click()
    window.get_by_role("button", name="Delete").click()
    expect(page.locator("[data-state=empty]")).to_contain_text("There are no rules yet")
    page.get_by_role("button", name="History", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("deleted")
    visitor.finds_it_accessible()


def test_who_may_only_read_is_told_which_scope_is_missing(visit: Visit, locked_shop: Shop) -> None:
    visitor = visit(locked_shop)
    visitor.watch.expect_statuses(403)
    visitor.types_in_the_key("reader")
    page = visitor.go("/rules", new="1", action="hide", brand="Halcyon")
    save = page.get_by_role("button", name="Save the rule")
    missing = page.get_by_text(re.compile("scope “admin”"))
    expect(save.or_(missing).first).to_be_visible()
    if not missing.first.is_visible():
        save.click()
    expect(missing.first).to_be_visible()
    visitor.finds_it_accessible()


def test_without_a_store_rules_are_those_of_the_settings(visit: Visit, storeless_shop: Shop) -> None:
    visitor = visit(storeless_shop)
    page = visitor.go("/rules")
    expect(page.get_by_text("There is no store: these rules are those of the settings")).to_be_visible()
    visitor.finds_it_accessible()
