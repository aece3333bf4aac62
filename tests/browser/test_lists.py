"""The page of recommendations: whose list, made how, looked at how."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.support.browsing.shops import Shop
from tests.support.browsing.visitor import Visitor


def cards(page: Page) -> Locator:
    return page.get_by_role("article")


def titles(page: Page) -> list[str]:
    return [title.strip() for title in cards(page).get_by_role("heading").all_inner_texts()]


def test_a_user_is_found_as_one_types_and_the_list_is_the_api_s(visitor: Visitor) -> None:
    (user,) = visitor.shop.busy_users(1)
    page = visitor.go("/")
    visitor.finds_it_accessible()
    field = page.get_by_role("combobox", name="User")
    field.press_sequentially(user[:5])
    suggested = page.get_by_role("listbox", name="User").get_by_role("option")
    expect(suggested.filter(has_text=user)).to_be_visible()
    visitor.finds_it_accessible()
    field.fill(user)
    expect(suggested).to_have_count(1)
    field.press("ArrowDown")
    field.press("Enter")
    expect(page).to_have_url(re.compile(f"user={user}"))
    expect(cards(page)).to_have_count(24)
    assert titles(page) == [item["title"] for item in visitor.shop.listed(user, 24)]
    visitor.finds_it_accessible()


def test_an_address_shows_the_same_list_and_pages_of_it_are_disjoint(visitor: Visitor) -> None:
    (user,) = visitor.shop.busy_users(1)
    expected = [item["title"] for item in visitor.shop.listed(user, 48)]
    page = visitor.go("/", user=user)
    expect(cards(page)).to_have_count(24)
    first = titles(page)
    page.get_by_role("navigation", name="Pages of the list").get_by_role("button", name="Next").click()
    expect(page.get_by_text("Rank 25", exact=True)).to_be_attached()
    assert first + titles(page) == expected
    page.go_back()
    expect(page.get_by_text("Rank 1", exact=True)).to_be_attached()
    assert titles(page) == first


def test_filters_are_in_the_address_and_hold(visitor: Visitor) -> None:
    (user,) = visitor.shop.busy_users(1)
    brand = visitor.shop.get("/catalogue/brands?limit=1")["names"][0]["name"]
    page = visitor.go("/", user=user)
    page.get_by_role("button", name="Filters").click()
    visitor.finds_it_accessible()
    page.get_by_role("combobox", name="Brand").fill(brand)
    page.get_by_role("listbox", name="Brand").get_by_role("option").first.click()
    expect(page).to_have_url(re.compile("brand="))
    expect(cards(page).filter(has_not_text=brand)).to_have_count(0)
    expect(cards(page)).not_to_have_count(0)
    page.go_back()
    expect(cards(page).filter(has_not_text=brand)).not_to_have_count(0)


def test_nothing_fits_the_filters(visitor: Visitor) -> None:
    (user,) = visitor.shop.busy_users(1)
    page = visitor.go("/", user=user, min="100000")
    expect(page.locator("[data-state=empty]")).to_contain_text("No item fits")
    visitor.finds_it_accessible()


def test_within_a_list_one_searches_and_sorts(visitor: Visitor) -> None:
    (user,) = visitor.shop.busy_users(1)
    listed = visitor.shop.listed(user, 24)
    page = visitor.go("/", user=user)
    expect(cards(page)).to_have_count(24)
    page.get_by_role("combobox", name="Sort by").select_option("Price, highest first")
    dearest = max((item for item in listed if item["price"] is not None), key=lambda item: float(item["price"]))
    expect(cards(page).first).to_contain_text(dearest["title"])
    expect(page).to_have_url(re.compile("sort=-price"))
    page.get_by_role("searchbox", name="Search within the list").fill(listed[3]["title"])
    expect(cards(page)).to_have_count(1)
    expect(cards(page)).to_contain_text(listed[3]["title"])
    page.get_by_role("searchbox", name="Search within the list").fill("no such words")
    expect(cards(page)).to_have_count(0)
    expect(page.get_by_text("Nothing in this list has these words")).to_be_visible()
    visitor.finds_it_accessible()
    page.get_by_role("button", name="Show the whole list").click()
    expect(cards(page)).to_have_count(24)


def test_two_models_side_by_side(visitor: Visitor) -> None:
    (user,) = visitor.shop.busy_users(1)
    page = visitor.go("/", user=user)
    page.get_by_role("combobox", name="Compare with").select_option("popularity")
    expect(page).to_have_url(re.compile("against=popularity"))
    own = {item["item_id"] for item in visitor.shop.listed(user, 24)}
    popular = {item["item_id"] for item in visitor.shop.get(f"/recommendations/{user}?k=24&model=popularity")["items"]}
    expect(page.get_by_text(f"{len(own & popular)} in both")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("only here")
    visitor.finds_it_accessible()
    page.get_by_role("button", name="Stop comparing").click()
    expect(cards(page)).to_have_count(24)


def test_a_session_is_clicked_together(visitor: Visitor) -> None:
    page = visitor.go("/")
    page.get_by_role("button", name="New visitor").click()
    expect(page.get_by_text("Add the first item that the visitor looks at")).to_be_visible()
    visitor.finds_it_accessible()
    page.get_by_role("combobox", name="Add an item").fill("kettle")
    page.get_by_role("option", name=re.compile("kettle", re.IGNORECASE)).first.click()
    expect(cards(page)).to_have_count(24)
    first = titles(page)
    page.get_by_role("combobox", name="Add an item").fill("easel")
    page.get_by_role("option", name=re.compile("easel", re.IGNORECASE)).first.click()
    expect(page.get_by_role("button", name=re.compile("^Remove "))).to_have_count(2)
    # The list of before stays until the next one comes.
    expect(page.get_by_text("2 items in the history")).to_be_visible()
    assert titles(page) != first
    visitor.finds_it_accessible()
    page.reload()
    expect(page.get_by_role("button", name=re.compile("^Remove "))).to_have_count(2)
    page.get_by_role("button", name=re.compile("^Remove .*easel", re.IGNORECASE)).click()
    expect(page.get_by_role("button", name=re.compile("^Remove "))).to_have_count(1)
    expect(page.get_by_text("1 item in the history")).to_be_visible()
    assert titles(page) == first


def test_popular_items_stand_in_for_whoever_nobody_knows(visitor: Visitor) -> None:
    page = visitor.go("/", user="nobody")
    expect(page.get_by_text("Popular items stand in for personal ones: unknown user.")).to_be_visible()
    expect(cards(page)).to_have_count(24)
    visitor.finds_it_accessible()


def test_what_cannot_be_asked_is_said(visitor: Visitor) -> None:
    visitor.watch.expect_statuses(422)
    page = visitor.go("/", user="nobody", model="nonsense")
    expect(page.locator("[data-state=failure-422]")).to_contain_text("nonsense")
    visitor.finds_it_accessible()


def test_without_a_store_lists_come_from_the_bundle(visit: Visit, storeless_shop: Shop) -> None:
    visitor = visit(storeless_shop)
    (user,) = storeless_shop.busy_users(1)
    page = visitor.go("/", user=user)
    expect(cards(page)).to_have_count(24)
    expect(page.get_by_text("no store of events")).to_be_visible()
    visitor.finds_it_accessible()


def test_a_list_as_of_a_time_before_the_history(visitor: Visitor) -> None:
    (user,) = visitor.shop.busy_users(1)
    page = visitor.go("/", user=user)
    made = page.get_by_role("region", name="What the list was made from")
    expect(made).to_contain_text("items in the history")
    page.get_by_role("button", name="Filters").click()
    field = page.get_by_label("As of")
    field.fill("1999-12-31T08:30")
    field.press("Enter")
    expect(page).to_have_url(re.compile("as_of=1999-12-31T08%3A30%3A00Z"))
    expect(made).to_contain_text("no history")
    expect(made).to_contain_text("as of 31 Dec 1999")
    first = visitor.shop.get(f"/recommendations/{user}?k=24&as_of=1999-12-31T08:30:00Z")["items"][0]
    expect(page.get_by_role("article").first).to_contain_text(first["title"])
    visitor.finds_it_accessible()
    page.reload()
    expect(page.get_by_label("As of")).to_have_value("1999-12-31T08:30")
