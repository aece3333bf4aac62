"""Experiments: a newcomer tries shorter lists, sees what comes of them, and stops."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.support.browsing.shops import Shop
from tests.support.browsing.trials import USERS, look_at_lists
from tests.support.waiting import eventually

KEY = "length"


def write_draft(page: Page, shop: Shop) -> None:
    """Fill in the form: lists of five items for one variant."""
    page.goto(shop.address("/experiments", new="1"))
    page.get_by_label("Key", exact=True).fill(KEY)
    page.get_by_label("Title").fill("Short lists against long ones")
    page.get_by_label("Users of each variant before there is a verdict").fill("10")
    page.get_by_role("group", name="Variant 1").get_by_label("Items in a list").fill("5")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def do(page: Page, action: str) -> None:
    """Press a button of the experiment, and say in its window that it is meant."""
    page.get_by_role("button", name=action, exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=action, exact=True).click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_an_experiment_is_written_started_watched_stopped_and_deleted(visit: Visit, own_shop: Shop) -> None:
    visitor = visit(own_shop)
    visitor.watch.expect_statuses(422)
    page = visitor.go("/experiments")
    expect(page.locator("[data-state=empty]").first).to_contain_text("No experiment yet")
    visitor.finds_it_accessible()
    page.get_by_role("link", name="New experiment").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("New experiment")
    write_draft(page, own_shop)
    trial = page.get_by_role("group", name="Variant 1")
    trial.get_by_label("Name").fill("not good")
    page.get_by_label("Percent of the layer's users").fill("700")
    save(page)
    expect(trial.get_by_label("Name")).to_have_accessible_description(re.compile("^Letters, digits, dots"))
    expect(page.get_by_label("Percent of the layer's users")).to_have_accessible_description(
        re.compile("equal to 100$")
    )
    visitor.finds_it_accessible()
    trial.get_by_label("Name").fill("short")
    page.get_by_label("Percent of the layer's users").fill("100")
    save(page)
    expect(page.get_by_role("main")).to_contain_text("Nobody is in it yet")
    expect(page.get_by_role("list", name="Variants")).to_contain_text("5 items")
    visitor.finds_it_accessible()

    page.get_by_role("button", name="Start", exact=True).click()
    visitor.finds_it_accessible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_focused()
    do(page, "Start")
    expect(page.get_by_role("main")).to_contain_text("No user has been served a list of it yet")
    visitor.finds_it_accessible()

    told = look_at_lists(own_shop, KEY)
    page.reload()
    for variant, of in told.items():
        expect(page.get_by_role("main")).to_contain_text(f"Users of “{variant}”:{of.users}")
    expect(page.get_by_role("img", name=re.compile("^Difference in click-through rate, one day"))).to_be_visible()
    row = page.get_by_role("region", name="Metrics of short").get_by_role("row", name=re.compile("^Click-through rate"))
    expect(row.get_by_role("rowheader")).to_have_text("Click-through rate (decides)")
    for place, variant in enumerate(("control", "short")):
        rate = told[variant].clicked / told[variant].seen
        expect(row.get_by_role("cell").nth(place)).to_have_text(f"{100 * rate:.3g}%")
    visitor.finds_it_accessible()

    # The server keeps an answer about outcomes for some seconds: the one of before the lists, if all this was quick.
    eventually(lambda: own_shop.get("/stats/outcomes?by=variant")["total"]["lists"] >= USERS)
    page.get_by_role("link", name="All experiments").click()
    expect(page.get_by_role("list", name="Experiments")).to_contain_text("Running")
    expect(page.get_by_role("region", name="Outcomes by variant")).to_contain_text(
        str(sum(of.users for of in told.values()))
    )
    visitor.finds_it_accessible()
    (user,) = own_shop.busy_users(1)
    page.goto(own_shop.address("/", user=user))
    badge = page.get_by_role("list", name="Experiments of this list").get_by_role("link", name=re.compile(f"^{KEY}: "))
    visitor.finds_it_accessible()
    badge.click()

    do(page, "Stop")
    expect(page.get_by_role("main")).to_contain_text("Stopped")
    do(page, "Delete")
    expect(page.locator("[data-state=empty]").first).to_contain_text("No experiment yet")


def test_nothing_is_lost_where_two_write_at_once(visit: Visit, own_shop: Shop) -> None:
    ours, theirs = visit(own_shop), visit(own_shop)
    ours.watch.expect_statuses(412)
    write_draft(ours.page, own_shop)
    save(ours.page)
    expect(ours.page.get_by_role("main")).to_contain_text("Nobody is in it yet")
    for visitor in (ours, theirs):
        visitor.go("/experiments", edit=KEY)
        expect(visitor.page.get_by_label("Title")).to_have_value("Short lists against long ones")
    theirs.page.get_by_label("Title").fill("Theirs")
    save(theirs.page)
    expect(theirs.page.get_by_role("heading", level=1)).to_have_text(re.compile("Theirs"))
    ours.page.get_by_label("Title").fill("Ours")
    save(ours.page)
    expect(ours.page.get_by_text("What you wrote is still there")).to_be_visible()
    expect(ours.page.get_by_label("Title")).to_have_value("Ours")
    ours.finds_it_accessible()
    ours.page.get_by_role("button", name="Go on, and save over it").click()
    save(ours.page)
    expect(ours.page.get_by_role("heading", level=1)).to_have_text(re.compile("Ours"))


def test_who_may_only_read_is_told_which_scope_is_missing(visit: Visit, locked_shop: Shop) -> None:
    visitor = visit(locked_shop)
    visitor.watch.expect_statuses(403)
    visitor.types_in_the_key("reader")
    write_draft(visitor.page, locked_shop)
    expect(visitor.page.get_by_text(re.compile("scope “admin”"))).to_be_visible()
    save(visitor.page)
    expect(visitor.page.locator("[data-state=failure-403]")).to_contain_text("scope “admin”")
    visitor.finds_it_accessible()


def test_without_a_store_there_are_no_experiments(visit: Visit, storeless_shop: Shop) -> None:
    visitor = visit(storeless_shop)
    visitor.watch.expect_statuses(503)
    page = visitor.go("/experiments")
    expect(page.get_by_text("There is no store, and so there are no experiments")).to_be_visible()
    visitor.finds_it_accessible()
