"""Items: found by words and filters, sorted, turned over page by page; and what is known of one."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.support.browsing.visitor import Visitor
from tests.support.waiting import eventually


def rows(page: Page) -> Locator:
    """Of the table, without its heading."""
    return page.get_by_role("table").locator("tbody tr")


def titles(page: Page) -> list[str]:
    return [link.strip() for link in rows(page).locator("td:first-child a").all_inner_texts()]


def test_items_are_found_by_words_and_filters(visitor: Visitor) -> None:
    page = visitor.go("/items")
    expect(rows(page)).not_to_have_count(0)
    page.get_by_label("Search").first.fill("kettle")
    expect(page).to_have_url(re.compile("query=kettle"))
    expect(rows(page).first).to_contain_text(re.compile("kettle", re.IGNORECASE))
    found = titles(page)
    expected = visitor.shop.get("/items?query=kettle&limit=100")["items"]
    assert found == [item["title"] for item in expected][: len(found)]
    visitor.finds_it_accessible()
    brand = expected[0]["brand"]
    rows(page).first.get_by_role("link", name=brand, exact=True).click()
    expect(page).to_have_url(re.compile("brand="))
    expect(rows(page).first).to_contain_text(brand)
    page.go_back()
    expect(page.get_by_label("Search").first).to_have_value("kettle")
    expect(rows(page).first).to_contain_text(re.compile("kettle", re.IGNORECASE))


def test_the_order_of_a_table_is_told_by_its_headings(visitor: Visitor) -> None:
    page = visitor.go("/items", query="kettle")
    price = page.get_by_role("columnheader", name="Price")
    expect(price).to_have_attribute("aria-sort", "none")
    for order, sort in (("ascending", "price"), ("descending", "-price")):
        price.get_by_role("button").click()
        expect(price).to_have_attribute("aria-sort", order)
        expected = [item["title"] for item in visitor.shop.get(f"/items?query=kettle&limit=100&sort={sort}")["items"]]
        expect(rows(page).first).to_contain_text(expected[0])
        found = titles(page)
        assert found == expected[: len(found)]
    for other in ("Title", "Popularity"):
        expect(page.get_by_role("columnheader", name=other)).to_have_attribute("aria-sort", "none")
    visitor.finds_it_accessible()


def test_pages_of_items_and_the_way_back_through_them(visitor: Visitor) -> None:
    page = visitor.go("/items")
    expect(rows(page)).not_to_have_count(0)
    first = titles(page)
    pager = page.get_by_role("navigation", name="Pages of the list")
    pager.get_by_role("button", name="Next").click()
    expect(rows(page).first).not_to_contain_text(first[0])
    second = titles(page)
    assert not set(first) & set(second)
    page.go_back()
    expect(rows(page).first).to_contain_text(first[0])
    page.go_forward()
    expect(rows(page).first).to_contain_text(second[0])


def test_back_leads_to_the_place_in_the_list(visitor: Visitor) -> None:
    page = visitor.go("/items")
    last = rows(page).last
    last.scroll_into_view_if_needed()
    place = page.evaluate("window.scrollY")
    assert place > 300
    title = titles(page)[-1]
    last.get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    eventually(lambda: page.evaluate("window.scrollY") == 0)
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Items")
    eventually(lambda: abs(page.evaluate("window.scrollY") - place) < 3)


def test_nothing_found(visitor: Visitor) -> None:
    page = visitor.go("/items", query="zzzz")
    expect(page.locator("[data-state=empty]")).to_be_visible()
    visitor.finds_it_accessible()


def test_what_is_known_of_an_item(visitor: Visitor) -> None:
    known = visitor.shop.get("/items?query=kettle&limit=1")["items"][0]
    item = visitor.shop.get(f"/items/{known['item_id']}")
    page = visitor.go("/item", id=known["item_id"])
    expect(page.get_by_role("heading", level=1)).to_have_text(known["title"])
    main = page.get_by_role("main")
    expect(main).to_contain_text(item["description"])
    expect(main.get_by_role("link", name=known["brand"], exact=True).first).to_be_visible()
    expect(main.get_by_role("link", name=known["categories"][-1], exact=True).first).to_be_visible()
    expect(main).to_contain_text(known["item_id"])
    expect(main).to_contain_text(visitor.shop.get(f"/items/{known['item_id']}/blurb")["text"])
    visitor.finds_it_accessible()


def test_how_often_an_item_was_chosen_over_time(visitor: Visitor) -> None:
    known = visitor.shop.get("/items?query=kettle&limit=1")["items"][0]["item_id"]
    counts = [row["interactions"] for row in visitor.shop.get(f"/items/{known}/popularity")["counts"]]
    page = visitor.go("/item", id=known)
    chart = page.get_by_role("img", name="Interactions by")
    expect(chart).to_be_visible()
    expect(chart.locator("rect")).to_have_count(len(counts))
    expect(page.get_by_role("figure").filter(has=chart)).to_contain_text(f"Most: {max(counts)}")
    page.get_by_text("As a table").click()
    table = page.get_by_role("table").filter(has_text="Begins")
    shown = [int(text) for text in table.locator("tbody td").all_inner_texts()]
    assert shown == counts
    visitor.finds_it_accessible()


def test_an_item_that_the_catalogue_does_not_hold(visitor: Visitor) -> None:
    visitor.watch.expect_statuses(404)
    page = visitor.go("/item", id="no/such item?")
    expect(page.locator("[data-state=failure-404]").first).to_contain_text("no/such item?")
    visitor.finds_it_accessible()


def test_an_id_is_copied(visitor: Visitor) -> None:
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    known = visitor.shop.get("/items?limit=1")["items"][0]["item_id"]
    page = visitor.go("/item", id=known)
    page.get_by_role("button", name=f"Copy id {known}").first.click()
    expect(page.get_by_role("status").first).to_have_text(f"Id {known} copied")
    assert page.evaluate("navigator.clipboard.readText()") == known


def test_an_item_leads_to_rules_for_it_and_its_brand(visitor: Visitor) -> None:
    item = visitor.shop.get("/items?query=kettle&limit=1")["items"][0]
    page = visitor.go("/item", id=item["item_id"])
    page.get_by_role("link", name=f"Hide all of {item['brand']} by a rule").click()
    expect(page.get_by_role("main")).to_contain_text(f"Hides items of “{item['brand']}”.")
    page.go_back()
    page.get_by_role("link", name="Pin it by a rule").click()
    expect(page.get_by_role("radio", name="Pin")).to_be_checked()
    expect(page.get_by_role("main")).to_contain_text(item["title"])
