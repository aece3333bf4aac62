"""What a person does from one end of the dashboard to the other, by the keyboard alone where it says so."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.support.browsing.visitor import Visitor
from tests.support.waiting import eventually

MOST_STOPS = 120


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(MOST_STOPS):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {wanted}")


def loaded(page: Page) -> None:
    """Nothing is on its way any more."""
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def test_by_keyboard_from_a_user_to_the_list_to_why_to_similar_items_to_one_of_them(visitor: Visitor) -> None:
    (user,) = visitor.shop.busy_users(1)
    first = visitor.shop.listed(user)[0]
    page = visitor.go("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Recommendations")
    field = page.get_by_role("combobox", name="User")
    tab_to(page, field)
    page.keyboard.type(user)
    expect(page.get_by_role("listbox", name="User").get_by_role("option")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    why = page.get_by_role("button", name=f"Why {first['title']}")
    expect(why).to_be_visible()
    tab_to(page, why)
    page.keyboard.press("Enter")
    expect(why).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("heading", name="How the score comes about")).to_be_visible()
    loaded(page)
    visitor.finds_it_accessible()
    page.keyboard.press("Enter")
    expect(why).to_have_attribute("aria-expanded", "false")
    expect(why).to_be_focused()
    similar = page.get_by_role("button", name=re.compile(f"similar to {re.escape(first['title'])}", re.IGNORECASE))
    tab_to(page, similar)
    page.keyboard.press("Enter")
    window = page.get_by_role("dialog", name=re.compile("^Similar to"))
    expect(window).to_be_visible()
    loaded(page)
    visitor.finds_it_accessible()
    tab = window.get_by_role("tab", name="Both")
    tab_to(page, tab)
    page.keyboard.press("ArrowRight")
    expect(window.get_by_role("tab", name="Behaviour")).to_have_attribute("aria-selected", "true")
    loaded(page)
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    expect(similar).to_be_focused()
    page.keyboard.press("Enter")
    loaded(page)
    alike = window.get_by_role("link").first
    tab_to(page, alike)
    title = alike.inner_text().strip()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(window).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_focused()


def test_why_adds_up_and_agrees_with_the_api(visitor: Visitor) -> None:
    (user,) = visitor.shop.busy_users(1)
    first = visitor.shop.listed(user)[0]
    told = visitor.shop.post("/explanations", {"user_id": user, "item_id": first["item_id"], "k": 24})
    page = visitor.go("/", user=user)
    page.get_by_role("button", name=f"Why {first['title']}").click()
    for title in ("How the score comes about", "What the sources say", "Items of the history behind it"):
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    main = page.get_by_role("main")
    expect(main).to_contain_text(told["text"].split(".")[0])
    expect(main).to_contain_text("The parts add up to the difference")
    expect(main).to_contain_text(told["reference"]["title"])


def test_why_not(visitor: Visitor) -> None:
    (user,) = visitor.shop.busy_users(1)
    seen = visitor.shop.get(f"/users/{user}/profile")["history"][0]
    page = visitor.go("/", user=user)
    opener = page.get_by_role("button", name="Why not")
    opener.click()
    window = page.get_by_role("dialog", name="Why not")
    visitor.finds_it_accessible()
    field = window.get_by_role("combobox", name="Item")
    field.fill(seen["title"])
    window.get_by_role("option").filter(has_text=seen["title"]).first.click()
    expect(window).to_contain_text("It is already in the history.")
    loaded(page)
    visitor.finds_it_accessible()
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    expect(opener).to_be_focused()


def test_from_popular_items_to_one_and_back_to_the_same_place(visitor: Visitor) -> None:
    popular = visitor.shop.get("/items/popular?k=20")["items"]
    page = visitor.go("/popular")
    link = page.get_by_role("link", name=popular[15]["title"]).first
    link.scroll_into_view_if_needed()
    visitor.finds_it_accessible()
    link.scroll_into_view_if_needed()
    place = page.evaluate("window.scrollY")
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(popular[15]["title"])
    loaded(page)
    visitor.finds_it_accessible()
    page.go_back()
    expect(link).to_be_visible()
    eventually(lambda: abs(page.evaluate("window.scrollY") - place) < 3)
