"""What is around every page: navigation, what screen readers are told, the key, the theme, and the way back."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.support.browsing.shops import Shop
from tests.support.browsing.visitor import Visitor

PAGE = {"Light": "rgb(246, 247, 249)", "Dark": "rgb(14, 16, 20)"}  # --page of theme.css
TITLES = {
    "Recommendations": "/",
    "Users": "/users",
    "Items": "/items",
    "Popular": "/popular",
    "Rules": "/rules",
    "Experiments": "/experiments",
    "System": "/system",
}


def heading(page: Page, title: str) -> None:
    """The page's heading begins so, and is its only one."""
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)


def kept_by_the_browser(page: Page) -> dict[str, str]:
    """What outlives the tab."""
    kept = dict(page.evaluate("Object.fromEntries(Object.entries(localStorage))"))
    return kept | {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}


def test_each_page_is_told_and_takes_the_focus(visitor: Visitor) -> None:
    page = visitor.go()
    heading(page, "Recommendations")
    for title, path in list(TITLES.items())[1:]:
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=title).click()
        heading(page, title)
        expect(page).to_have_url(f"{visitor.shop.url}/ui{path}")
        expect(page.get_by_role("status").first).to_have_text(
            f"{page.get_by_role('heading', level=1).inner_text()}: page shown"
        )
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        expect(page.get_by_role("link", name=title, exact=True)).to_have_attribute("aria-current", "page")
        expect(page).to_have_title(f"{page.get_by_role('heading', level=1).inner_text()} · Recommender")


def test_back_and_forward(visitor: Visitor) -> None:
    page = visitor.go()
    for title in ("Items", "Rules"):
        page.get_by_role("link", name=title, exact=True).click()
        heading(page, title)
    page.go_back()
    heading(page, "Items")
    page.go_back()
    heading(page, "Recommendations")
    page.go_forward()
    heading(page, "Items")


def test_the_first_stop_of_the_keyboard_leads_past_the_navigation(visitor: Visitor) -> None:
    page = visitor.go("/items")
    heading(page, "Items")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_an_address_that_is_no_page(visitor: Visitor) -> None:
    page = visitor.go("/nowhere")
    heading(page, "No such page")
    visitor.finds_it_accessible()
    page.get_by_role("link", name="To the recommendations").click()
    heading(page, "Recommendations")


def test_a_page_that_cannot_be_fetched_leaves_the_others(visitor: Visitor) -> None:
    page = visitor.go()
    heading(page, "Recommendations")
    page.route("**/assets/RulesPage*", lambda route: route.abort("connectionrefused"))
    visitor.watch.expect_messages("Failed to fetch dynamically imported module")
    with visitor.watch.unreachable():
        page.get_by_role("link", name="Rules", exact=True).click()
        heading(page, "This page could not be shown")
    visitor.finds_it_accessible()
    page.get_by_role("link", name="Items", exact=True).click()
    heading(page, "Items")
    page.go_back()
    heading(page, "This page could not be shown")
    page.unroute("**/assets/RulesPage*")
    page.get_by_role("button", name="Load it again").click()
    heading(page, "Rules")


def test_the_key_lives_in_the_tab_alone(visit: Visit, locked_shop: Shop) -> None:
    visitor = visit(locked_shop)
    visitor.watch.expect_statuses(401)
    page = visitor.go()
    opener = page.get_by_role("button", name="API key")
    opener.click()
    window = page.get_by_role("dialog", name="API key")
    field = window.locator("input")
    expect(field).to_have_accessible_name("API key")
    assert window.evaluate("window => window.contains(document.activeElement)")
    visitor.finds_it_accessible()
    field.fill("administrator")
    window.get_by_role("button", name="Use this key").click()
    expect(window).to_be_hidden()
    expect(opener).to_be_focused()
    expect(opener).to_have_accessible_name("API key · Key set")
    expect(page.get_by_role("status").first).to_have_text("The key is in use")
    assert page.evaluate("Object.values(sessionStorage)") == ["administrator"]
    assert kept_by_the_browser(page) == {}
    assert "administrator" not in page.url
    page.reload()
    expect(opener).to_have_accessible_name("API key · Key set")
    opener.click()
    window.get_by_role("button", name="Forget the key").click()
    expect(opener).to_have_accessible_name("API key")
    assert page.evaluate("sessionStorage.length") == 0


def test_escape_closes_a_window_and_the_focus_goes_back(visitor: Visitor) -> None:
    page = visitor.go()
    opener = page.get_by_role("button", name="API key")
    opener.focus()
    page.keyboard.press("Enter")
    window = page.get_by_role("dialog", name="API key")
    expect(window).to_be_visible()
    for _ in range(8):  # more stops than the window has
        page.keyboard.press("Tab")
        assert window.evaluate("window => window.contains(document.activeElement)"), "the focus left the window"
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    expect(opener).to_be_focused()


@pytest.mark.parametrize(("theme", "other"), [("Light", "dark"), ("Dark", "light")])
def test_a_theme_that_was_chosen_holds_whatever_the_system_has(visitor: Visitor, theme: str, other: str) -> None:
    page = visitor.go()
    page.emulate_media(color_scheme="light")
    body = page.locator("body")
    expect(body).to_have_css("background-color", PAGE["Light"])
    page.emulate_media(color_scheme="dark")
    expect(body).to_have_css("background-color", PAGE["Dark"])
    page.get_by_role("combobox", name="Theme").select_option(theme.lower())
    page.emulate_media(color_scheme=other)
    expect(body).to_have_css("background-color", PAGE[theme])
    page.reload()
    heading(page, "Recommendations")
    expect(body).to_have_css("background-color", PAGE[theme])
    assert kept_by_the_browser(page) == {"theme": theme.lower()}


def test_nothing_but_pages_of_this_server_and_all_of_it_in_one_language(visitor: Visitor) -> None:
    page = visitor.go()
    assert page.locator("html").get_attribute("lang") == "en"
    assert kept_by_the_browser(page) == {}
