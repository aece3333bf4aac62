"""What is sold out is in no list, whatever is asked for; what nothing is known of is for sale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from recsys.bundle import Attributes, Bundle
from tests.support.bundles import make_bundle
from tests.support.serving import COLD_USER, N_ITEMS, N_USERS, explain, get, history_of, rows_of, running
from tests.support.shop_rules import rule, write_rules

# Every third item has no piece left, of every fourth of the others nothing is known.
STOCK: list[object] = [0.0 if row % 3 == 0 else None if row % 4 == 0 else float(row) for row in range(N_ITEMS)]
SOLD_OUT = {row for row in range(N_ITEMS) if row % 3 == 0}


def shelf() -> Attributes:
    """What the shop knows of its items."""
    sellers = [f"Seller {row % 2}" if row % 5 else None for row in range(N_ITEMS)]
    return Attributes.of({"stock": "number", "seller": "text"}, {"stock": STOCK, "seller": sellers})


def client_of(folder: Path, attributes: Attributes | None) -> Iterator[TestClient]:
    path = make_bundle(folder, N_ITEMS, N_USERS, attributes=attributes)
    with running(bundle=path, store="none") as (client, _):
        yield client


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A shop that knows its stock, and more."""
    yield from client_of(tmp_path_factory.mktemp("stocked"), shelf())


def listed(answer: dict[str, Any]) -> list[int]:
    return rows_of(answer["items"])


def without(rows: list[int]) -> list[int]:
    return [row for row in rows if row not in SOLD_OUT]


@pytest.mark.parametrize("user", ["user3", "user17", COLD_USER, "nobody"])
@pytest.mark.parametrize("wanted", [{}, {"exclude_seen": "false"}, {"brand": "Brand 3"}, {"exclude_seen": "purchases"}])
def test_what_is_sold_out_is_not_recommended(stocked: TestClient, user: str, wanted: dict[str, str]) -> None:
    rows = listed(get(stocked, user, k=100, **wanted))
    assert rows
    assert not SOLD_OUT & set(rows)


def test_what_is_left_is_what_would_be_recommended_anyway(client: TestClient, stocked: TestClient) -> None:
    """Of one source that scores all items, the list is the same one without them."""
    everything = listed(get(client, "user3", model="bpr", k=100))
    assert SOLD_OUT & set(everything)
    assert listed(get(stocked, "user3", model="bpr", k=50)) == without(everything)[:50]


@pytest.mark.parametrize("model", ["two_tower", "transitions", "popularity", "hybrid"])
def test_no_source_recommends_what_is_sold_out(stocked: TestClient, model: str) -> None:
    rows = listed(get(stocked, "user3", model=model, k=100))
    assert rows
    assert not SOLD_OUT & set(rows)


def test_sessions_are_not_offered_what_is_sold_out(stocked: TestClient) -> None:
    (answer,) = stocked.post("/recommendations", json={"history": ["item0", "item4"], "k": 100}).json()["results"]
    assert listed(answer)
    assert not SOLD_OUT & set(listed(answer))


def test_popular_items_are_in_stock(client: TestClient, stocked: TestClient) -> None:
    everything = listed(client.get("/items/popular", params={"k": 100}).json())
    answer = stocked.get("/items/popular", params={"k": 50}).json()
    assert listed(answer) == without(everything)[:50]
    assert [item["rank"] for item in answer["items"]] == list(range(1, 51))


@pytest.mark.parametrize("by", ["behaviour", "content", "both"])
@pytest.mark.parametrize("item", ["item3", "item4"])
def test_similar_items_are_in_stock(client: TestClient, stocked: TestClient, item: str, by: str) -> None:
    everything = client.get(f"/items/{item}/similar", params={"k": 100, "by": by}).json()
    answer = stocked.get(f"/items/{item}/similar", params={"k": 5, "by": by}).json()
    assert listed(answer) == without(listed(everything))[:5]
    assert answer["items"][0]["rank"] == 1


def test_an_explanation_names_the_stock(stocked: TestClient, bundle: Bundle) -> None:
    seen = set(history_of(bundle, 3))
    sold_out = next(f"item{row}" for row in sorted(SOLD_OUT - seen))
    answer = explain(stocked, sold_out, user_id="user3")
    assert answer["stage"] == "forbidden"
    assert {"name": "stock", "allows": False} in answer["rules"]
    assert answer["text"] == "It is sold out."
    for_sale = next(f"item{row}" for row in range(N_ITEMS) if row not in SOLD_OUT | seen)
    answer = explain(stocked, for_sale, user_id="user3")
    assert answer["stage"] != "forbidden"
    assert [rule["name"] for rule in answer["rules"]] == ["seen"]


def test_an_item_shows_its_attributes(client: TestClient, stocked: TestClient) -> None:
    assert stocked.get("/items/item3").json()["attributes"] == {"stock": 0.0, "seller": "Seller 1"}
    assert stocked.get("/items/item5").json()["attributes"] == {"stock": 5.0}
    assert stocked.get("/items/item8").json()["attributes"] == {"seller": "Seller 0"}
    assert client.get("/items/item3").json()["attributes"] == {}


def test_a_shop_that_has_everything_recommends_what_one_does_that_knows_nothing(
    client: TestClient, tmp_path: Path
) -> None:
    attributes = Attributes.of({"stock": "number"}, {"stock": [1.0] * N_ITEMS})
    for full in client_of(tmp_path, attributes):
        for user in ("user3", COLD_USER, "nobody"):
            one, other = get(client, user, k=20), get(full, user, k=20)
            assert one["items"] == other["items"]


SELLER_1 = 'item.seller == "Seller 1"'
RULES = [
    rule("only-1", "require", SELLER_1, scenario="seller"),
    rule("few-of-one", "cap", by="seller", most=2, scenario="cap"),
    rule("much-left", "require", "item.stock > 100.0", scenario="much"),
    rule("counted", "require", "!has(item.stock)", scenario="unknown"),
    rule("first", "pin", 'item.category == "Group 4" && item.stock < 120.0', slot=1, scenario="pin"),
    rule("half", "promote", SELLER_1, share=0.5, scenario="promote"),
]


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The shop of `stocked`, with rules on its attributes."""
    folder = tmp_path_factory.mktemp("ruled")
    path = make_bundle(folder, N_ITEMS, N_USERS, attributes=shelf())
    with running(bundle=path, store="none", rules=write_rules(folder / "rules.yaml", RULES)) as (client, _):
        yield client


def test_rules_read_attributes(ruled: TestClient) -> None:
    assert set(listed(get(ruled, "user3", k=100, scenario="seller"))) <= {row for row in range(N_ITEMS) if row % 2}
    assert all(row > 100 for row in listed(get(ruled, "user3", k=100, scenario="much")))
    unknown = listed(get(ruled, "user3", k=100, scenario="unknown"))
    assert unknown
    assert all(row % 4 == 0 for row in unknown)
    assert not SOLD_OUT & set(unknown)


def test_lists_hold_so_many_of_a_seller(ruled: TestClient) -> None:
    rows = listed(get(ruled, "user3", k=20, scenario="cap"))
    sellers = Counter(row % 2 for row in rows if row % 5)
    assert sellers == {0: 2, 1: 2}


def test_no_rule_brings_back_what_is_sold_out(ruled: TestClient) -> None:
    for scenario in ("pin", "promote"):
        rows = listed(get(ruled, "user3", k=20, scenario=scenario))
        assert len(rows) == 20
        assert not SOLD_OUT & set(rows)
        assert rows[0] % 10 == 4 or scenario == "promote"
        assert sum(row % 2 for row in rows if row % 5) >= 10 or scenario == "pin"


def test_a_preview_shows_what_is_in_stock(ruled: TestClient) -> None:
    body = {"sample": 20, "k": 20, "show": 20, "scenario": "promote"}
    answer = ruled.post("/rules/preview", json=body).json()
    shown = [item["item_id"] for of_user in answer["lists"] for when in ("before", "after") for item in of_user[when]]
    assert shown
    assert not {f"item{row}" for row in SOLD_OUT} & set(shown)
