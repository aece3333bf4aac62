"""Requests that say which items they want: of several categories, some items alone, others not, further pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from recsys.bundle import Bundle
from tests.support.serving import (
    COLD_USER,
    N_ITEMS,
    explain,
    get,
    history_of,
    refusal,
    request_for,
    rows_of,
    running,
    same,
    service_of,
)
from tests.support.shop_rules import rule, write_rules

USER, USER_ROW = "user3", 3


def post(client: TestClient, **body: object) -> list[dict[str, Any]]:
    response = client.post("/recommendations", json=body)
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    return results


@pytest.mark.parametrize("user", [USER, COLD_USER, "nobody"])
def test_items_of_any_of_several_brands_and_categories(client: TestClient, bundle: Bundle, user: str) -> None:
    wanted = {"brand": ["Brand 5", "Brand 7", "no such brand"], "category": ["Group 3", "Group 5", "Group 7"]}
    answer = get(client, user, k=100, exclude_seen=False, **wanted)
    records = bundle.catalogue.items(range(N_ITEMS))
    fitting = {
        record.row
        for record in records
        if record.brand in wanted["brand"] and set(record.categories) & set(wanted["category"])
    }
    assert set(rows_of(answer["items"])) == fitting
    assert {records[row].brand for row in fitting} == {"Brand 5", "Brand 7"}
    (posted,) = post(client, user_ids=[user], k=100, exclude_seen=False, **wanted)
    same(posted, answer)
    one, alone = get(client, user, brand="Brand 5"), post(client, user_ids=[user], brand=["Brand 5"])[0]
    same(one, alone)
    same(one, post(client, user_ids=[user], brand="Brand 5")[0])


@pytest.mark.parametrize("model", ["full", "two_tower", "transitions", "popularity", "hybrid"])
@pytest.mark.parametrize("user", [USER, COLD_USER])
def test_what_is_excluded_is_in_no_list_and_the_others_keep_their_order(
    client: TestClient, user: str, model: str
) -> None:
    before = get(client, user, k=20, model=model)
    gone = [item["item_id"] for item in before["items"][:3]]
    after = get(client, user, k=17, model=model, exclude_items=[*gone, "no such item", gone[0]])
    assert [item["rank"] for item in after["items"]] == list(range(1, 18))
    assert after["unknown_items"] == ["no such item"]
    if model == "popularity" or user == COLD_USER:
        assert rows_of(after["items"]) == rows_of(before["items"])[3:]
    assert not {item["item_id"] for item in after["items"]} & set(gone)
    assert "unknown_items" not in get(client, user, exclude_items=gone)


@pytest.mark.parametrize("model", ["full", "two_tower", "transitions", "popularity", "hybrid"])
def test_exactly_the_items_asked_for_are_put_in_order(client: TestClient, model: str) -> None:
    chosen = [f"item{row}" for row in range(40, 100, 2)]
    (answer,) = post(client, user_ids=[USER], model=model, only_items=[*chosen, "no such item"])
    assert sorted(item["item_id"] for item in answer["items"]) == sorted(chosen)
    assert answer["unknown_items"] == ["no such item"]
    scores = [item["score"] for item in answer["items"]]
    assert scores == sorted(scores, reverse=True)
    assert answer["fallback_used"] is False or model == "popularity"
    (first,) = post(client, user_ids=[USER], model=model, only_items=chosen, k=5)
    assert rows_of(first["items"]) == rows_of(answer["items"])[:5]
    by_get = get(client, USER, model=model, only_items=chosen)
    same(by_get, get(client, USER, model=model, only_items=list(reversed(chosen))))
    assert rows_of(by_get["items"]) == rows_of(answer["items"])


def test_items_asked_for_are_all_ranked_however_many(client: TestClient) -> None:
    chosen = [f"item{row}" for row in range(N_ITEMS)]
    pages = [post(client, user_ids=[USER], only_items=chosen, k=100, offset=offset)[0] for offset in (0, 100)]
    listed = [item for page in pages for item in page["items"]]
    assert sorted(rows_of(listed)) == list(range(N_ITEMS))
    assert {item["model_source"] for item in listed} == {"ranker"}


def test_filters_and_what_was_seen_hold_for_items_asked_for_too(client: TestClient, bundle: Bundle) -> None:
    seen = history_of(bundle, USER_ROW)
    chosen = [f"item{row}" for row in range(0, N_ITEMS, 3)]
    fitting = {row for row in range(0, N_ITEMS, 3) if bundle.catalogue.items([row])[0].brand == "Brand 6"}
    assert fitting
    (answer,) = post(client, user_ids=[USER], only_items=chosen, brand="Brand 6", k=100)
    assert set(rows_of(answer["items"])) == fitting
    own = [f"item{row}" for row in seen]
    assert set(rows_of(get(client, USER, only_items=own)["items"])) == set(seen)
    left = get(client, USER, only_items=own, exclude_seen=True)
    assert left["items"] == []
    assert left["shortfall"] == min(len(own), 100)


def test_a_stranger_gets_the_items_asked_for_by_popularity(client: TestClient, bundle: Bundle) -> None:
    chosen = [f"item{row}" for row in range(10, 40)]
    (answer,) = post(client, user_ids=["nobody"], only_items=chosen)
    assert sorted(item["item_id"] for item in answer["items"]) == sorted(chosen)
    counts = np.bincount(bundle.histories.items, minlength=N_ITEMS)
    assert [counts[row] for row in rows_of(answer["items"])] == sorted(counts[10:40], reverse=True)
    (session,) = post(client, history=["item3", "item13"], only_items=chosen)
    assert sorted(item["item_id"] for item in session["items"]) == sorted(chosen)
    assert session["fallback_used"] is False


@pytest.mark.parametrize("user", [USER, COLD_USER])
@pytest.mark.parametrize("model", ["full", "two_tower", "transitions", "popularity"])
@pytest.mark.parametrize("exclude_seen", [True, False, "purchases"])
def test_pages_are_slices_of_one_list(
    client: TestClient, bundle: Bundle, user: str, model: str, exclude_seen: bool | str
) -> None:
    wanted = {"model": model, "exclude_seen": exclude_seen, "as_of": "2030-01-01T00:00:00Z"}
    pages = [get(client, user, k=40, offset=offset, **wanted)["items"] for offset in range(0, N_ITEMS + 40, 40)]
    alone = get(client, user, k=40, **wanted)["items"]
    assert pages[0] == alone
    whole = [item for page in pages for item in page]
    assert [item["rank"] for item in whole] == list(range(1, len(whole) + 1))
    seen = set() if exclude_seen is False else set(history_of(bundle, int(user.removeprefix("user"))))
    assert sorted(rows_of(whole)) == sorted(set(range(N_ITEMS)) - seen)  # each once; here all that is seen was bought
    between = get(client, user, k=40, offset=75, **wanted)["items"]
    assert [item["item_id"] for item in between] == [item["item_id"] for item in whole[75:115]]


def test_a_page_behind_the_last_item_is_empty(client: TestClient) -> None:
    answer = get(client, USER, k=10, offset=N_ITEMS)
    assert (answer["items"], answer["shortfall"]) == ([], 10)
    assert get(client, USER, k=10, offset=5, explain="cheap")["items"][0]["why"]["text"]


def test_popular_and_similar_items_obey_the_same_wishes(client: TestClient, bundle: Bundle) -> None:
    for path in ("/items/popular", "/items/item13/similar"):
        whole = client.get(path, params={"k": 20}).json()["items"]
        page = client.get(path, params={"k": 8, "offset": 12}).json()["items"]
        assert page == whole[12:]
        gone = [item["item_id"] for item in whole[:2]]
        assert client.get(path, params={"k": 18, "exclude_items": gone}).json()["items"][0]["item_id"] not in gone
        some = client.get(path, params={"only_items": [whole[7]["item_id"], whole[3]["item_id"], "nix"]}).json()
        assert [item["item_id"] for item in some["items"]] == [whole[3]["item_id"], whole[7]["item_id"]]
        assert some["unknown_items"] == ["nix"]
        seen = set(history_of(bundle, USER_ROW))
        others = client.get(path, params={"k": 100, "user_id": USER}).json()["items"]
        assert not seen & set(rows_of(others))
        assert set(rows_of(client.get(path, params={"k": 100}).json()["items"])) & seen
        same_for_all = client.get(path, params={"k": 100, "user_id": USER, "exclude_seen": False}).json()["items"]
        assert same_for_all == client.get(path, params={"k": 100}).json()["items"]
    of_brands = client.get("/items/popular", params={"k": 100, "brand": ["Brand 5", "Brand 7"]}).json()["items"]
    assert {item["brand"] for item in of_brands} == {"Brand 5", "Brand 7"}


def test_explanations_know_the_same_wishes(client: TestClient) -> None:
    listed = get(client, "user1", k=10)["items"]
    first, second = (item["item_id"] for item in listed[:2])
    assert explain(client, first, exclude_items=[first, second], k=10)["rules"][-1] == {
        "name": "exclude_items",
        "allows": False,
    }
    assert "only_items" in [
        rule["name"] for rule in explain(client, first, only_items=[second], k=10)["rules"] if not rule["allows"]
    ]
    page = get(client, "user1", k=5, offset=5)["items"]
    told = explain(client, page[0]["item_id"], k=5, offset=5)
    assert told["stage"] == "listed"
    assert told["rank"] == 6
    chosen = [f"item{row}" for row in range(100, 130)]
    ranked = get(client, "user1", only_items=chosen)["items"]
    for item in (ranked[0], ranked[-1]):
        assert explain(client, item["item_id"], only_items=chosen)["rank"] == item["rank"]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("offset=-1", "offset: Input should be greater than or equal to 0"),
        ("offset=901", "offset: Input should be less than or equal to 900"),
        ("exclude_items=", "exclude_items: String should have at least 1 character"),
        ("&".join(f"brand=b{n}" for n in range(51)), "brand: List should have at most 50 items"),
        ("brand=a&brand=", "brand.1: String should have at least 1 character"),
        ("offset=1&offset=2", "offset: given more than once"),
    ],
)
@pytest.mark.parametrize("path", [f"/recommendations/{USER}", "/items/popular", "/items/item1/similar"])
def test_wishes_that_do_not_fit_are_named(client: TestClient, path: str, query: str, detail: str) -> None:
    assert detail in refusal(client.get(f"{path}?{query}"), 422)


@pytest.mark.parametrize("field", ["only_items", "category", "brand", "exclude_items"])
def test_a_list_of_nothing_is_no_wish(client: TestClient, field: str) -> None:
    response = client.post("/recommendations", json={"user_ids": [USER], field: []})
    assert f"{field}: List should have at least 1 item" in refusal(response, 422)


def test_a_body_names_500_items_at_most(client: TestClient) -> None:
    ids = [f"item{row}" for row in range(501)]
    response = client.post("/recommendations", json={"user_ids": [USER], "only_items": ids})
    assert "only_items: List should have at most 500 items" in refusal(response, 422)
    (answer,) = post(client, user_ids=[USER], only_items=ids[:500])
    assert len(answer["items"]) == 100
    assert len(answer["unknown_items"]) == 500 - N_ITEMS


RULES = [
    rule("no-3", "hide", 'item.brand == "Brand 3"', scenario="hide"),
    rule("one-each", "cap", by="brand", most=1, scenario="cap"),
    rule("third", "pin", 'item.id == "item191"', slot=3, scenario="pin"),
    rule("varied", "mmr", weight=0.9, scenario="mmr"),
]


@pytest.fixture(scope="module")
def ruled(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    rules = write_rules(tmp_path_factory.mktemp("rules") / "rules.yaml", RULES)
    with running(bundle=bundle_path, store="none", rules=rules) as (client, _):
        yield client


@pytest.mark.parametrize("user", [USER, "nobody"])
def test_rules_hold_for_items_asked_for(ruled: TestClient, bundle: Bundle, user: str) -> None:
    chosen = [f"item{row}" for row in range(40, 80)]
    brands = {record.item_id: record.brand for record in bundle.catalogue.items(range(N_ITEMS))}
    (hidden,) = post(ruled, user_ids=[user], only_items=chosen, scenario="hide")
    expected = {item for item in chosen if brands[item] != "Brand 3"}
    assert {item["item_id"] for item in hidden["items"]} == expected
    assert hidden["shortened_by"]["rules"] == ["no-3"]
    (capped,) = post(ruled, user_ids=[user], only_items=chosen, scenario="cap")
    listed = [item["brand"] for item in capped["items"] if item["brand"]]
    assert sorted(listed) == sorted({brand for item in chosen if (brand := brands[item])})
    (varied,) = post(ruled, user_ids=[user], only_items=chosen, scenario="mmr")
    assert {item["item_id"] for item in varied["items"]} == set(chosen)
    (pinned,) = post(ruled, user_ids=[user], only_items=chosen, scenario="pin")
    assert {item["item_id"] for item in pinned["items"]} == set(chosen), "what is pinned was not asked for"
    (with_pin,) = post(ruled, user_ids=[user], only_items=[*chosen, "item191"], scenario="pin")
    assert with_pin["items"][2]["item_id"] == "item191"


@pytest.mark.parametrize("scenario", ["hide", "cap", "pin", "mmr"])
@pytest.mark.parametrize("user", [USER, "nobody"])
def test_pages_under_rules_are_slices_of_one_list(ruled: TestClient, scenario: str, user: str) -> None:
    first, second, between = (get(ruled, user, k=4, offset=offset, scenario=scenario)["items"] for offset in (0, 4, 1))
    told = ("rank", "item_id", "rank_before", "rules")
    assert [[item[name] for name in told] for item in between] == [
        [item[name] for name in told] for item in [*first, *second][1:5]
    ]
    assert len({item["item_id"] for item in [*first, *second]}) == 8
    if scenario == "pin":
        assert [item["rank_before"] for item in [*first, *second]][3:] == [3, 4, 5, 6, 7]  # the third one was moved


def test_requests_that_wait_together_get_what_each_gets_alone(bundle_path: Path) -> None:
    chosen = [f"item{row}" for row in range(40, 80)]
    wanted: list[dict[str, Any]] = [
        *({}, {"only_items": chosen}, {"exclude_items": chosen}, {"offset": 5}, {"brand": ["Brand 5", "Brand 7"]}, {}),
        {"only_items": chosen, "exclude_seen": "purchases", "offset": 3},
    ]
    with service_of(bundle_path) as service:
        requests = [request_for(USER, "user7", **options) for options in wanted]
        together = service.recommend(requests)
        for request, answers in zip(requests, together, strict=True):
            (alone,) = service.recommend([request])
            assert isinstance(answers, list)
            assert isinstance(alone, list)
            for one, other in zip(answers, alone, strict=True):
                assert [(i.rank, i.item_id, i.score) for i in one.answer.items] == [
                    (i.rank, i.item_id, i.score) for i in other.answer.items
                ]
