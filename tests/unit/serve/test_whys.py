"""Reasons in lists: every statement is held against the catalogue, the history and the sources' own lists."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from fastapi.testclient import TestClient

from recsys.bundle import Bundle, ItemRecord
from recsys.core.queries import NO_ITEM
from recsys.explain.cheap import CheapReasons
from recsys.explain.facts.from_catalogue import NEAR, SPECIFIC_SHARE
from recsys.pipeline.features.names import HABIT_DECAY
from recsys.pipeline.recommendations import Recommendations
from serve.kernels import write_reason_keys
from serve.recommendations import remembered_whys
from serve.recommendations.answers import RecommendationList, RecommendationResponse
from serve.recommendations.whys import Whys
from tests.support import bundles
from tests.support.bundles import make_bundle
from tests.support.counting import both, later
from tests.support.serving import COLD_USER, N_ITEMS, N_USERS, get, history_of, refusal, row_of, rows_of, running

USERS = [f"user{row}" for row in range(0, N_USERS - 1, 4)]
BEHAVIOUR = {"next_purchase", "co_purchase"}
ORDER = ["shared_brand", "shared_category", "price_near_habit", "predicted_rating", "popularity"]


def explained(client: TestClient, user_id: str, **parameters: object) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = get(client, user_id, explain="cheap", **parameters)["items"]
    assert items
    return items


def true_facts(bundle: Bundle, item: dict[str, Any], history: list[int]) -> dict[str, tuple[object, int]]:
    """By kind value and count of what is true of an item besides its reason."""
    row, past = row_of(item["item_id"]), [one for one in history if one != row_of(item["item_id"])]
    records = {record.row: record for record in bundle.catalogue.items(sorted({row, *history}))}
    found: dict[str, tuple[object, int]] = {}
    brand = records[row].brand
    sharing = [one for one in past if brand and records[one].brand == brand]
    if sharing:
        found["shared_brand"] = brand, len(sharing)
    names = [categories for _, categories, _ in bundle.catalogue.facets()]
    sizes = {name: sum(name in of_item for of_item in names) for name in records[row].categories}
    specific = [name for name in sizes if sizes[name] <= SPECIFIC_SHARE * N_ITEMS]
    shared = [name for name in specific if any(name in records[one].categories for one in past)]
    if shared:
        rarest = min(shared, key=lambda name: sizes[name])
        found["shared_category"] = rarest, sum(rarest in records[one].categories for one in past)
    steps = {position: len(history) - 1 - position for position in range(len(history))}
    prices = {position: records[one].price for position, one in enumerate(history)}
    known = {position: price for position, price in prices.items() if price}
    price = records[row].price
    if known and price:
        weights = {position: HABIT_DECAY ** steps[position] for position in known}
        habit = sum(weights[position] * math.log(known[position]) for position in known) / sum(weights.values())
        some = any(1 / NEAR <= price / paid <= NEAR for paid in known.values())
        if some and abs(math.log(price) - habit) <= math.log(NEAR):
            found["price_near_habit"] = pytest.approx(price, abs=0.001), 1
    predictor = bundle.rating_predictor
    assert predictor is not None
    rating = item["predicted_rating"]
    if rating is not None and rating > predictor.statistics.global_mean:
        found["predicted_rating"] = pytest.approx(rating, abs=0.0501), 1
    counts = np.bincount(bundle.histories.items, minlength=N_ITEMS)
    rank = 1 + int((counts > counts[row]).sum())
    if rank <= 10:  # the first twentieth
        found["popularity"] = rank, 1
    return found


def counts_of(kind: str, bundle: Bundle, chosen: int, item: int) -> set[int]:
    """The numbers of customers that may be told of two items, counted anew."""
    together, after = both(bundle.histories, chosen, item), later(bundle.histories, chosen, item, 50)
    if kind == "next_purchase":
        return {after} - {0}
    return {together, 1 if after == 0 else together} - {0}


def test_a_list_without_reasons_is_as_it_was(client: TestClient) -> None:
    for explain in ({}, {"explain": "none"}):
        response = client.get("/recommendations/user3", params=explain)
        assert "why" not in response.text
    plain, why = get(client, "user3")["items"], explained(client, "user3")
    assert [{name: value for name, value in item.items() if name != "why"} for item in why] == plain


@pytest.mark.parametrize("user", ["user1", "nobody"])
def test_an_empty_list_has_nothing_to_say(client: TestClient, user: str) -> None:
    answer = get(client, user, explain="cheap", brand="nix")
    assert (answer["items"], answer["shortfall"]) == ([], 10)


def test_what_is_asked_for_is_checked(client: TestClient) -> None:
    assert "explain" in refusal(client.get("/recommendations/user3", params={"explain": "full"}), 422)
    assert "explain" in refusal(client.post("/recommendations", json={"user_ids": ["user3"], "explain": True}), 422)


@pytest.mark.parametrize("user_id", USERS)
def test_every_fact_is_true_and_the_second_is_the_first_of_the_order(
    client: TestClient, bundle: Bundle, user_id: str
) -> None:
    history = history_of(bundle, row_of(user_id.replace("user", "item")))
    for item in explained(client, user_id):
        facts, expected = item["why"]["facts"], true_facts(bundle, item, history)
        others = [fact for fact in facts if fact["kind"] in ORDER]
        wanted = [kind for kind in ORDER if kind in expected][: 2 - (len(facts) - len(others))]
        assert [fact["kind"] for fact in others] == wanted
        for fact in others:
            assert (fact["value"], fact["count"]) == expected[fact["kind"]]
        for fact in facts:
            if fact["item_id"] is None:
                continue
            assert row_of(fact["item_id"]) in history
            (named,) = bundle.catalogue.items([row_of(fact["item_id"])])
            assert fact["action"] == "rating"  # all of them are rated
            if fact["kind"] in BEHAVIOUR:
                assert fact["count"] in counts_of(fact["kind"], bundle, named.row, row_of(item["item_id"]))
                told = re.search(r"(\d+) (?:of the )?customers", item["why"]["text"].replace(named.title or "", ""))
                assert (int(told[1]) if told else 1) == fact["count"]
            if fact["kind"] not in ORDER:
                assert fact["value"] == named.title
                assert f"“{named.title}”" in item["why"]["text"]
                assert "rated" in item["why"]["text"]


def test_reasons_name_items_of_the_history(client: TestClient) -> None:
    kinds = [item["why"]["facts"][0]["kind"] for user_id in USERS for item in explained(client, user_id)]
    assert {"co_purchase", "similar_text"} <= set(kinds)
    assert len([kind for kind in kinds if kind not in ORDER]) > 0.9 * len(kinds)


def test_a_list_does_not_say_the_same_of_all(client: TestClient) -> None:
    for user_id in USERS:
        texts = [item["why"]["text"] for item in explained(client, user_id)]
        assert len(set(texts)) >= 3
        assert all(one != other for one, other in pairwise(texts))


@pytest.mark.parametrize("user_id", [COLD_USER, "nobody"])
def test_popular_items_that_fill_a_list_up_are_popular_and_nothing_else(
    client: TestClient, bundle: Bundle, user_id: str
) -> None:
    counts = np.bincount(bundle.histories.items, minlength=N_ITEMS)
    for item in explained(client, user_id):
        (fact,) = item["why"]["facts"]
        assert fact["kind"] == "popularity"
        assert fact["value"] == 1 + (counts > counts[row_of(item["item_id"])]).sum()
        assert (fact["item_id"], fact["action"]) == (None, None)
        assert "you" not in item["why"]["text"].split()


def test_a_list_that_is_filled_up_changes_its_tone(client: TestClient) -> None:
    body = {"history": ["item7"], "model": "transitions", "k": 50, "explain": "cheap"}
    items = client.post("/recommendations", json=body).json()["results"][0]["items"]
    popular = [item["model_source"] == "popularity" for item in items]
    assert True in popular
    assert False in popular
    for item, filled in zip(items, popular, strict=True):
        assert (item["why"]["facts"][0]["kind"] in BEHAVIOUR) != filled
        assert [fact["kind"] for fact in item["why"]["facts"]] == ["popularity"] or not filled


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        ("transitions", BEHAVIOUR),
        ("neighbours_bm25", {"co_purchase"}),
        ("content_encoder", {"similar_text"}),
        ("bpr", {"taste"}),
        ("two_tower", {"similar_text", "taste"}),
        ("hybrid", {"next_purchase", "co_purchase", "similar_text", "taste"}),
        ("blend", {"next_purchase", "co_purchase", "similar_text"}),
        ("popularity", {"popularity"}),
    ],
)
def test_lists_of_one_model_give_its_reasons(client: TestClient, model: str, kinds: set[str]) -> None:
    items = explained(client, "user5", model=model, k=5)
    first = {item["why"]["facts"][0]["kind"] for item in items if item["model_source"] == model}
    assert first
    assert first <= kinds


def test_of_a_session_nobody_knows_what_was_done(client: TestClient) -> None:
    body = {"history": ["item3", "item13", "item23"], "explain": "cheap"}
    response = client.post("/recommendations", json=body)
    msgspec.json.decode(response.content, type=RecommendationList)
    (answer,) = response.json()["results"]
    named = [fact for item in answer["items"] for fact in item["why"]["facts"] if fact["item_id"]]
    assert named
    assert {fact["action"] for fact in named} == {None}
    assert {fact["item_id"] for fact in named} <= set(body["history"])
    assert all("rated" not in item["why"]["text"] for item in answer["items"])


def test_a_batch_says_of_each_user_what_a_request_alone_says(client: TestClient) -> None:
    users = [*USERS, COLD_USER]
    results = client.post("/recommendations", json={"user_ids": users, "explain": "cheap"}).json()["results"]
    for user_id, answer in zip(users, results, strict=True):
        alone = explained(client, user_id)
        assert rows_of(answer["items"]) == rows_of(alone)
        assert [item["why"] for item in answer["items"]] == [item["why"] for item in alone]
    msgspec.json.decode(msgspec.json.encode(results[0]), type=RecommendationResponse)


@pytest.fixture(scope="module")
def live(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Of a server that keeps the categories of groups 3 and 4 quiet."""
    store = f"sqlite:///{tmp_path_factory.mktemp('store') / 'events.sqlite'}"
    with running(bundle=bundle_path, store=store, sensitive_categories="Group 3, Group 4") as (client, _):
        yield client


def test_live_events_tell_what_was_done(live: TestClient) -> None:
    for item, kind in (("item5", "view"), ("item15", "purchase")):
        event = {"user_id": "newcomer", "item_id": item, "event_type": kind}
        assert live.post("/events", json=event).status_code == 200
    facts = [fact for item in explained(live, "newcomer") for fact in item["why"]["facts"] if fact["item_id"]]
    actions = {(fact["item_id"], fact["action"]) for fact in facts}
    assert actions <= {("item5", "view"), ("item15", "purchase")}
    assert ("item15", "purchase") in actions
    assert any("which you bought" in item["why"]["text"] for item in explained(live, "newcomer"))


def test_sensitive_items_and_categories_are_never_named(live: TestClient, bundle: Bundle) -> None:
    quiet = {row for row in range(N_ITEMS) if row % 10 in (3, 4)}
    met = 0
    for row in range(N_USERS - 1):
        hidden = quiet & set(history_of(bundle, row))
        met += bool(hidden)
        for item in explained(live, f"user{row}"):
            for fact in item["why"]["facts"]:
                assert fact["value"] not in ("Group 3", "Group 4")
                assert fact["item_id"] is None or row_of(fact["item_id"]) not in quiet
            titles = [record.title for record in bundle.catalogue.items(sorted(hidden))]
            assert not any(f"“{title}”" in item["why"]["text"] for title in titles)
    assert met > 10


def test_a_bundle_without_ranker_and_ratings_says_why(tmp_path: Path) -> None:
    path = make_bundle(tmp_path, N_ITEMS, N_USERS, ranker=False, ratings=False)
    with running(bundle=path, store="none") as (client, _):
        items = explained(client, "user5")
        assert {item["model_source"] for item in items} == {"two_tower"}
        assert {item["why"]["facts"][0]["kind"] for item in items} <= {"similar_text", "taste"}


def test_reasons_are_counted_by_kind(live: TestClient) -> None:
    def counted() -> dict[str, float]:
        lines = [line for line in live.get("/metrics").text.splitlines() if line.startswith("recsys_reasons_total{")]
        return {line.split('"')[1]: float(line.split()[-1]) for line in lines}

    before = counted()
    items = [*explained(live, "user7"), *explained(live, COLD_USER)]
    kinds = [item["why"]["facts"][0]["kind"] for item in items]
    after = counted()
    assert {kind: after[kind] - before.get(kind, 0) for kind in set(kinds)} == {
        kind: kinds.count(kind) for kind in set(kinds)
    }
    assert sum(after.values()) - sum(before.values()) == len(items)


def test_keys_of_facts_tell_what_was_done_by_rating_then_by_weight() -> None:
    # One list of padding and two items; the second has no second fact.
    items = np.array([[4, NO_ITEM, 5]], np.int32)
    facts = np.array([[[[1, 9, 0, 1], [5, 2, 1, 3]], [[-1] * 4] * 2, [[1, 9, 2, 1], [-1] * 4]]])
    past = np.array([0, 3]), np.array([9, 8, 9], np.int32), np.float32([2, 3, 3]), np.float32([np.nan, np.nan, 4])
    types = np.float32([np.nan, np.nan, 3, 5])
    keys, rows = np.empty((2, 2, 6), np.int64), np.empty(2, np.int64)
    write_reason_keys(items, facts, *past, np.array([False]), types, 3, keys, rows)
    assert rows.tolist() == [0, 0]
    # A weight of 2 tells nothing, one of 3 the third type, and what has a rating was rated.
    assert keys[0].tolist() == [[1, 9, 9, 0, 1, 0], [5, 2, 8, 2, 3, -1]]
    assert keys[1].tolist() == [[1, 9, 9, 1, 1, 1], [-1, -1, -1, -1, -1, -1]]
    write_reason_keys(items, facts, *past, np.array([True]), types, 3, keys, rows)
    assert keys[..., 3].tolist() == [[0, 0], [0, -1]]


@pytest.mark.parametrize(("length", "least"), [(100, 2), (101, 1)])
def test_of_a_history_that_is_not_looked_at_as_a_whole_no_number_is_told(
    client: TestClient, bundle: Bundle, length: int, least: int
) -> None:
    history = list(range(length))
    wanted = {"history": [f"item{row}" for row in history], "explain": "cheap", "k": 20}
    (answer,) = client.post("/recommendations", json=wanted).json()["results"]
    counts = set()
    for item in answer["items"]:
        expected = true_facts(bundle, item, history)
        for fact in item["why"]["facts"]:
            if fact["kind"] in ("shared_brand", "shared_category"):
                value, count = expected[fact["kind"]]
                assert (fact["value"], fact["count"]) == (value, min(count, 1) if least == 1 else count)
                counts.add(fact["count"])
    assert min(counts, default=0) >= least


def test_a_list_that_is_asked_for_again_is_not_explained_again(
    live: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    explain = Whys.of

    def counted(self: Whys, made: Recommendations, *rest: Any) -> Any:
        asked.append(len(made.items))
        return explain(self, made, *rest)

    monkeypatch.setattr(Whys, "of", counted)
    first = explained(live, "user11", k=9)
    assert asked == [1]
    assert explained(live, "user11", k=9) == first
    assert asked == [1]
    both = live.post("/recommendations", json={"user_ids": ["user13", "user11"], "k": 9, "explain": "cheap"})
    assert asked == [1, 1]  # of user13 alone
    assert [item["why"] for item in both.json()["results"][1]["items"]] == [item["why"] for item in first]
    assert explained(live, "user11", k=9, model="hybrid")
    assert asked == [1, 1, 1]


def test_what_a_source_from_outside_says_is_asked_anew(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    explain = Whys.of

    def counted(self: Whys, made: Recommendations, *rest: Any) -> Any:
        asked.append(len(made.items))
        return explain(self, made, *rest)

    monkeypatch.setattr(Whys, "of", counted)
    monkeypatch.setattr(CheapReasons, "of_lists_alone", False)
    assert explained(client, "user12", k=8) == explained(client, "user12", k=8)
    assert asked == [1, 1]


def test_what_is_done_with_the_same_item_is_told_at_once(live: TestClient) -> None:
    for kind in ("view", "purchase"):
        event = {"user_id": "returning", "item_id": "item25", "event_type": kind}
        assert live.post("/events", json=event).status_code == 200
        facts = [fact for item in explained(live, "returning") for fact in item["why"]["facts"]]
        assert {fact["action"] for fact in facts if fact["item_id"]} == {kind}


def test_what_is_remembered_is_bounded(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {user_id: explained(client, user_id) for user_id in USERS}
    monkeypatch.setattr(remembered_whys, "MAX_ITEMS", 25)
    monkeypatch.setattr(remembered_whys, "LONGEST_HISTORY", 5)
    for _ in range(2):
        assert {user_id: explained(client, user_id) for user_id in USERS} == expected


def test_what_has_no_name_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless(row: int, _: np.random.Generator) -> ItemRecord:
        return ItemRecord(row, f"item{row}", title=f"Thing {row}", brand="-", categories=("All", "\u202e" * (row % 12)))

    monkeypatch.setattr(bundles, "_record", nameless)
    with running(bundle=make_bundle(tmp_path), store="none") as (client, _):
        for user_id in USERS:
            for item in explained(client, user_id, k=20):
                assert not {fact["kind"] for fact in item["why"]["facts"]} & {"shared_brand", "shared_category"}


def test_the_user_is_no_customer_to_be_told_of(client: TestClient, bundle: Bundle) -> None:
    """In a list that repeats choices, one of those who chose both items is the reader."""
    told = 0
    for user_id in USERS:
        history = history_of(bundle, row_of(user_id.replace("user", "item")))
        for item in explained(client, user_id, exclude_seen=False, k=20):
            for fact in item["why"]["facts"]:
                if row_of(item["item_id"]) in history and fact["kind"] in ("next_purchase", "co_purchase"):
                    supporters = both(bundle.histories, row_of(fact["item_id"]), row_of(item["item_id"]))
                    assert supporters > fact["count"] == 1
                    told += 1
    assert told
