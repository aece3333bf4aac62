"""Users: a listing of bundle and store together, and profiles."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from recsys.bundle import Bundle
from tests.support.serving import N_USERS, history_of, refusal, running

AT = 1_600_000_000
STRANGERS = ["Zoë", "a/b", "user1x", "🛒", "~"]


@pytest.fixture(scope="module")
def shop(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """With events of users that the bundle does not know, and of two that it does."""
    url = f"sqlite:///{tmp_path_factory.mktemp('users')}/store.sqlite"
    events = [{"user_id": user, "item_id": "item1", "event_type": "view", "timestamp": AT} for user in STRANGERS]
    events += [
        {"user_id": "user4", "item_id": "item10", "event_type": "purchase", "timestamp": AT, "price": 4, "quantity": 3},
        {"user_id": "user4", "item_id": "item20", "event_type": "purchase", "timestamp": AT + 1, "price": 2.5},
        {"user_id": "user4", "item_id": "item10", "event_type": "rating", "timestamp": AT + 2, "rating": 2},
        {"user_id": "user40", "item_id": "item1", "event_type": "view", "timestamp": AT},
    ]
    with running(bundle=bundle_path, store=url) as (client, _):
        assert client.post("/events", json=events).json()["accepted"] == len(events)
        yield client


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_every_user_once_in_the_order_of_ids(shop: TestClient, bundle: Bundle, limit: int) -> None:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = shop.get("/users", params={"limit": limit, **cursor}).json()
        found += answer["users"]
        if answer["next_cursor"] is None:
            break
        assert len(answer["users"]) == limit
        cursor = {"cursor": answer["next_cursor"]}
    of_bundle = bundle.catalogue.user_ids(range(N_USERS))
    assert [user["user_id"] for user in found] == sorted([*of_bundle, *STRANGERS])
    by_id = {user["user_id"]: user for user in found}
    lengths = bundle.histories.lengths
    assert {user: by_id[user]["interactions"] for user in of_bundle} == dict(
        zip(of_bundle, lengths.tolist(), strict=True)
    )
    events = {user: row["live_events"] for user, row in by_id.items() if row["live_events"]}
    assert events == {**dict.fromkeys(STRANGERS, 1), "user4": 3, "user40": 1}
    assert by_id["user4"]["last_event_at"] == "2020-09-13T12:26:42Z"


@pytest.mark.parametrize(
    "query", ["user1", "user4", "user", "Z", "a/", "🛒", "~", "", "USER", "user49", "nobody", "\U0010ffff"]
)
def test_users_whose_ids_begin_so(shop: TestClient, bundle: Bundle, query: str) -> None:
    everyone = sorted([*bundle.catalogue.user_ids(range(N_USERS)), *STRANGERS])
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = shop.get("/users", params={"query": query, "limit": 3, **cursor}).json()
        found += [user["user_id"] for user in answer["users"]]
        if answer["next_cursor"] is None:
            break
        cursor = {"cursor": answer["next_cursor"]}
    assert found == [user for user in everyone if user.startswith(query)]


def test_a_query_longer_than_any_id_is_refused(shop: TestClient) -> None:
    assert "query" in refusal(shop.get("/users", params={"query": "u" * 513}), 422)


def test_a_cursor_that_was_not_given_is_refused(shop: TestClient) -> None:
    for cursor in ("x", "WyJpdGVtcyIsMSwiYSJd", "", "%00"):
        assert "cursor" in refusal(shop.get("/users", params={"cursor": cursor}), 422)


def test_a_profile(shop: TestClient, bundle: Bundle) -> None:
    answer = shop.get("/users/user4/profile", params={"limit": 2}).json()
    rows = list(dict.fromkeys([*history_of(bundle, 4), 10, 20]))
    records = bundle.catalogue.items(rows)
    assert answer["interactions"] == len(rows)
    assert [(item["item_id"], item["rating"]) for item in answer["history"]] == [("item10", 2.0), ("item20", None)]
    assert answer["history"][0]["at"] == "2020-09-13T12:26:42Z"
    shown = [(item["categories"], item["image"], item["action"]) for item in answer["history"]]
    of_items = [(list(records[rows.index(row)].categories), records[rows.index(row)].image) for row in (10, 20)]
    assert shown == [(*of_items[0], "rating"), (*of_items[1], "purchase")]  # what is rated was rated
    assert answer["totals"] == {
        "events": 3,
        "by_type": {"purchase": 2, "rating": 1},
        "purchased": 4.0,
        "spent": 14.5,
    }
    for kind, names in (
        ("favourite_brands", [r.brand for r in records if r.brand]),
        ("favourite_categories", [name for r in records for name in r.categories]),
    ):
        counts = Counter(names)
        assert [row["items"] for row in answer[kind]] == sorted(counts.values(), reverse=True)[:5]
        for row in answer[kind]:
            assert row["items"] == counts[row["name"]]
            assert row["share"] == pytest.approx(row["items"] / len(rows))
    prices = [r.price for r in records if r.price is not None]
    assert answer["spending"]["mean_price"] == pytest.approx(sum(prices) / len(prices))


def test_spending_is_compared_with_all_users(shop: TestClient, bundle: Bundle) -> None:
    prices = {r.row: r.price for r in bundle.catalogue.items(range(200))}
    means = {}
    for user in range(N_USERS):
        known = [price for row in history_of(bundle, user) if (price := prices[row]) is not None]
        if known:
            means[user] = sum(known) / len(known)
    quartiles = np.quantile(list(means.values()), [0.25, 0.5, 0.75])
    for user in (0, 1, 2, 3, 6, 8):
        spending = shop.get(f"/users/user{user}/profile").json()["spending"]
        np.testing.assert_allclose(spending["quartiles"], quartiles, rtol=1e-6)
        position = sum(means[user] > quartile for quartile in quartiles)
        assert spending["segment"] == ["small", "low_average", "average", "high"][position]


def test_a_profile_of_someone_without_history(shop: TestClient) -> None:
    answer = shop.get("/users/user49/profile").json()
    assert (answer["interactions"], answer["history"], answer["totals"]) == (0, [], None)
    assert answer["spending"]["segment"] is None
    assert answer["favourite_brands"] == []


@pytest.mark.parametrize("user_id", ["nobody", "a%2F..%2Fb"])
def test_nobody_has_no_profile(shop: TestClient, user_id: str) -> None:
    assert "knows a user" in refusal(shop.get(f"/users/{user_id}/profile"), 404)


def test_an_id_with_a_slash(shop: TestClient) -> None:
    assert shop.get("/users/a%2Fb/profile").json()["user_id"] == "a/b"
