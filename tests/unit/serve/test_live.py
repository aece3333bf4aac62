"""Histories of the bundle and events of the store, merged; and what that does to the next recommendation."""

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.bundle import Bundle
from recsys.core.events import EVENT_WEIGHTS
from recsys.core.histories import Histories
from recsys.core.item_changes import ItemChange
from recsys.histories.event_types import EventTypes
from recsys.histories.live_histories import LiveHistories, times_of_last
from recsys.histories.merging import merge, merge_repeats
from recsys.store import Event
from serve.bundles.loaded import LoadedBundle
from serve.histories.user_histories import UserHistories
from serve.metrics import Metrics
from serve.persons.known import KnownPersons
from tests.support.bundles import DAY, START
from tests.support.live import overlay
from tests.support.serving import COLD_USER, get, history_of, retrieval_scores, rows_of, running

USER, USER_ROW = "user3", 3
NOW = START + 1000 * DAY

Entry = tuple[int, int, float | None, float]
entries = st.lists(
    st.tuples(
        st.integers(0, 5), st.integers(0, 8), st.none() | st.integers(1, 5).map(float), st.sampled_from([1.0, 3.0, 5.0])
    ),
    max_size=8,
)


def naive(base: list[Entry], added: list[Entry], until: int | None) -> list[Entry]:
    """One event at a time."""
    found: dict[int, Entry] = {}
    for item, at, rating, weight in sorted([*base, *added], key=lambda entry: entry[1]):
        if until is not None and at > until:
            continue
        _, _, old_rating, old_weight = found.pop(item, (item, 0, None, 0.0))  # its place is now the last
        found[item] = (item, at, old_rating if rating is None else rating, max(weight, old_weight))
    return list(found.values())


def as_histories(users: list[list[Entry]]) -> Histories:
    rows = [b for b, user in enumerate(users) for _ in user]
    flat = [entry for user in users for entry in user]
    items, times, ratings, weights = (list(column) for column in zip(*flat, strict=True)) if flat else ([], [], [], [])
    return Histories.from_rows(
        len(users),
        np.array(rows, np.int64),
        np.array(items, np.int32),
        np.array(times, np.int64),
        np.array([np.nan if rating is None else rating for rating in ratings], np.float32),
        np.array(weights, np.float32),
    )


def as_lists(histories: Histories) -> list[list[Entry]]:
    found: list[list[Entry]] = []
    for start, end in zip(histories.indptr[:-1], histories.indptr[1:], strict=True):
        part = slice(start, end)
        columns = (histories.items, histories.timestamps, histories.ratings, histories.weights)
        rows = zip(*(column[part].tolist() for column in columns), strict=True)
        found.append([(item, at, None if math.isnan(rating) else rating, weight) for item, at, rating, weight in rows])
    return found


@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(entries, entries), min_size=1, max_size=4), st.none() | st.integers(-1, 9))
def test_merging_is_the_same_as_one_event_at_a_time(users: list[tuple[list[Entry], list[Entry]]], until: int) -> None:
    base = [naive(own, [], None) for own, _ in users]  # as a bundle holds it: each item once, in order
    counts = [len(events) for _, events in users]
    added = [value for _, events in users for i, t, r, w in events for value in (i, t, math.nan if r is None else r, w)]
    expected = [naive(own, events, until) for own, (_, events) in zip(base, users, strict=True)]
    assert as_lists(merge(as_histories(base), range(len(users)), counts, added, until, 6)) == expected
    # Of users of whom nothing is known, and in another order.
    strangers = merge(
        as_histories(base[::-1]), [-1, len(users)][: len(users)], counts[:2], added[: 4 * sum(counts[:2])], until, 6
    )
    assert as_lists(strangers) == [naive([], events, until) for _, events in users[:2]]


def naive_repeats(base: list[Entry], added: list[Entry], until: int | None) -> list[Entry]:
    """Of each item the strongest entries, one a second: in a second the rated one, of several the latest."""
    entries = [entry for entry in (*base, *added) if until is None or entry[1] <= until]
    found: list[Entry] = []
    for item, at in sorted({entry[:2] for entry in entries}, key=lambda key: key[1]):
        strongest = max(entry[3] for entry in entries if entry[0] == item)
        same = [entry for entry in entries if entry[:2] == (item, at) and entry[3] == strongest]
        if same:
            found.append(([entry for entry in same if entry[2] is not None] or same)[-1])
    return found


@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(entries, entries), min_size=1, max_size=4), st.none() | st.integers(-1, 9))
def test_repeats_are_merged_as_one_by_one(users: list[tuple[list[Entry], list[Entry]]], until: int) -> None:
    base = [sorted(naive_repeats(own, [], None), key=lambda entry: entry[1]) for own, _ in users]
    counts = [len(events) for _, events in users]
    added = [value for _, events in users for i, t, r, w in events for value in (i, t, math.nan if r is None else r, w)]
    merged = merge_repeats(as_histories(base), range(len(users)), counts, added, until, 6)
    expected = [naive_repeats(own, events, until) for own, (_, events) in zip(base, users, strict=True)]
    assert [sorted(history, key=str) for history in as_lists(merged)] == [
        sorted(history, key=str) for history in expected
    ]
    assert all(at == sorted(at) for at in ([entry[1] for entry in history] for history in as_lists(merged)))


def test_time_of_the_last_interaction() -> None:
    histories = as_histories([[(1, 5, None, 1.0), (2, 9, None, 1.0)], []])
    assert times_of_last(histories) == [9, None]


def test_events_weigh_what_they_did_in_training(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(EventTypes.of(bundle).weights.values()) == {1.0}
    config = {"data": {"format": "events", "event_weights": {"view": 0.5}}}
    monkeypatch.setattr(bundle, "manifest", msgspec.structs.replace(bundle.manifest, config=config))
    assert EventTypes.of(bundle).weights == {**EVENT_WEIGHTS, "view": 0.5}


@pytest.fixture(scope="module")
def live(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    store = tmp_path_factory.mktemp("live") / "events.sqlite"
    with running(bundle=bundle_path, store=f"sqlite:///{store}") as (client, _):
        yield client


def tell(client: TestClient, user_id: str, item_id: str, kind: str = "view", **more: object) -> None:
    event = {"user_id": user_id, "item_id": item_id, "event_type": kind, **more}
    response = client.post("/events", json=event)
    assert response.status_code == 200, response.text


def test_a_new_user_with_one_event_gets_personal_results(live: TestClient, bundle: Bundle) -> None:
    assert get(live, "newcomer")["fallback_used"] is True
    tell(live, "newcomer", "item17")
    answer = get(live, "newcomer")
    assert (answer["fallback_used"], answer["primary_model"], answer["store"]) == (False, "full", "live")
    assert answer["user"]["known"] is True
    assert (answer["user"]["interactions"], answer["user"]["live_events"]) == (1, 1)
    rows = rows_of(answer["items"])
    assert 17 not in rows
    np.testing.assert_allclose(
        [item["retrieval_score"] for item in answer["items"]], retrieval_scores(bundle, [17])[rows], rtol=1e-5
    )


def test_a_known_users_event_enters_the_user_tower(live: TestClient, bundle: Bundle) -> None:
    before = get(live, USER, k=50)
    top = before["items"][0]["item_id"]
    tell(live, USER, top, "purchase", price=3)
    answer = get(live, USER, k=50)
    assert top not in {item["item_id"] for item in answer["items"]}
    assert answer["user"]["interactions"] == before["user"]["interactions"] + 1
    history = [*history_of(bundle, USER_ROW), int(top.removeprefix("item"))]
    rows = rows_of(answer["items"])
    np.testing.assert_allclose(
        [item["retrieval_score"] for item in answer["items"]], retrieval_scores(bundle, history)[rows], rtol=1e-5
    )


def test_an_event_that_the_bundle_knows_counts_once(live: TestClient, bundle: Bundle) -> None:
    history = bundle.histories.select([5])
    before = get(live, "user5")
    for row, at in zip(history.items.tolist(), history.timestamps.tolist(), strict=True):
        tell(live, "user5", f"item{row}", "purchase", timestamp=at)
    after = get(live, "user5")
    assert after["user"]["live_events"] == len(history.items)
    assert after["user"]["interactions"] == before["user"]["interactions"]
    assert after["items"] == before["items"]


def test_a_page_that_refreshes_itself_pushes_nothing_out(live: TestClient) -> None:
    now = time.time()
    tell(live, "refresher", "item20", "purchase", timestamp=now - 1000)
    views = [
        {"user_id": "refresher", "item_id": "item21", "event_type": "view", "timestamp": now - 900 + n}
        for n in range(600)
    ]
    assert live.post("/events", json=views).status_code == 200
    answer = get(live, "refresher", k=50)
    assert answer["user"]["interactions"] == 2
    assert not {"item20", "item21"} & {item["item_id"] for item in answer["items"]}


def test_events_of_unknown_items_are_kept_but_not_read(live: TestClient) -> None:
    tell(live, "explorer", "item of tomorrow")
    answer = get(live, "explorer")
    assert answer["user"] == {"known": True, "interactions": 0, "live_events": 1, "last_interaction_at": None}
    assert answer["fallback_used"] is True


def test_as_of_reads_only_what_was_known(live: TestClient, bundle: Bundle) -> None:
    history = bundle.histories.select([7])
    times = history.timestamps.tolist()
    middle = times[len(times) // 2]
    known = [row for row, at in zip(history.items.tolist(), times, strict=True) if at <= middle]
    tell(live, "user7", "item42", timestamp=NOW)
    early = get(live, "user7", as_of=middle, k=20)
    assert early["user"]["interactions"] == len(known)
    assert early["user"]["live_events"] == 0
    rows = rows_of(early["items"])
    assert not set(rows) & set(known)
    np.testing.assert_allclose(
        [item["retrieval_score"] for item in early["items"]], retrieval_scores(bundle, known)[rows], rtol=1e-5
    )
    assert get(live, "user7", as_of=NOW - 1)["user"]["interactions"] == len(times)
    late = get(live, "user7", as_of=time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(NOW)))
    assert late["user"]["interactions"] == len(times) + 1
    assert get(live, "user7", as_of=0)["fallback_used"] is True


def test_a_cold_user_of_the_bundle_warms_up(live: TestClient) -> None:
    assert get(live, COLD_USER)["fallback_used"] is True
    tell(live, COLD_USER, "item8", "add_to_cart")
    assert get(live, COLD_USER)["fallback_used"] is False


def test_only_the_latest_events_are_read(bundle_path: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/events.sqlite"
    with running(bundle=bundle_path, store=store, live_events=2) as (client, _):
        for position in range(4):
            tell(client, "busy", f"item{position}", timestamp=NOW + position)
        rows = rows_of(get(client, "busy", k=100, exclude_seen=True)["items"])
    assert {0, 1} & set(rows)
    assert not {2, 3} & set(rows)


def test_without_a_store_the_bundle_answers(bundle_path: Path) -> None:
    with running(bundle=bundle_path, store="none") as (client, _):
        assert get(client, USER)["store"] == "off"
        assert client.get("/ready").json()["store"] == "off"
        event = {"user_id": "u", "item_id": "item1", "event_type": "view"}
        assert client.post("/events", json=event).status_code == 503
        assert client.get("/items").status_code == 503


def offered(answer: dict[str, Any]) -> dict[str, float]:
    return {item["item_id"]: item["score"] for item in answer["items"]}


def test_what_was_only_viewed_may_come_back(live: TestClient) -> None:
    now = time.time()
    for n, kind in enumerate(["view", "add_to_cart", "purchase", "click"]):
        tell(live, "browser", f"item{30 + n}", kind, timestamp=now - 100 + n)
    tell(live, "browser", "item34", "rating", rating=4.0, timestamp=now - 50)
    tell(live, "browser", "item35", "view", timestamp=now - 40)
    tell(live, "browser", "item35", "purchase", timestamp=now - 60)  # bought, then viewed again
    seen = {f"item{n}" for n in range(30, 36)}
    viewed = {"item30", "item31", "item33"}
    none, unbought = (offered(get(live, "browser", k=100, exclude_seen=flag)) for flag in ("true", "purchases"))
    assert (seen & none.keys(), seen & unbought.keys()) == (set(), viewed)
    body = {"user_ids": ["browser", COLD_USER], "k": 100, "exclude_seen": "purchases"}
    both = live.post("/recommendations", json=body).json()["results"]
    assert offered(both[0]).keys() == unbought.keys()
    # What a session holds was seen, and nobody says that it was bought.
    session = {"history": ["item30", "item31"], "k": 100, "exclude_seen": "purchases"}
    assert {"item30", "item31"} <= offered(live.post("/recommendations", json=session).json()["results"][0]).keys()


def test_what_was_only_viewed_is_ranked_as_if_it_were_new(live: TestClient) -> None:
    for n in range(40, 43):
        tell(live, "window shopper", f"item{n}", timestamp=time.time() - 100 + n)
    every, unbought = (get(live, "window shopper", k=60, exclude_seen=flag)["items"] for flag in ("false", "purchases"))
    place = {item["item_id"]: item["rank"] for item in unbought}
    behind = {item["item_id"]: item["rank"] for item in every}
    viewed = [f"item{n}" for n in range(40, 43)]
    assert all(place[item] < behind.get(item, 99) for item in viewed)
    scores = [item["score"] for item in unbought if item["model_source"] == "ranker"]
    assert scores == sorted(scores, reverse=True)


def test_all_reviews_of_a_bundle_tell_of_purchases(live: TestClient, bundle: Bundle) -> None:
    history = {f"item{row}" for row in history_of(bundle, 7)}
    assert history
    assert not history & offered(get(live, "user7", k=100, exclude_seen="purchases")).keys()


@pytest.mark.parametrize(
    ("weights", "bought"),
    [
        pytest.param({"view": 1.0, "purchase": 5.0}, {5.0}, id="by the weight of purchases"),
        pytest.param({"1": 1.0, "2": 3.0, "4": 5.0}, {5.0}, id="by the greatest, where none is called purchase"),
        pytest.param({"view": 1.0, "add_to_cart": 3.0, "purchase": 3.0}, {3.0, 5.0}, id="and what weighs as much"),
    ],
)
def test_what_the_bundle_holds_was_bought_if_its_weight_says_so(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, weights: dict[str, float], bought: set[float]
) -> None:
    drawn = np.random.default_rng(0).choice(np.array([1, 3, 5], np.float32), len(bundle.histories.items))
    histories = replace(bundle.histories, weights=drawn)
    config = {"data": {"format": "events", "event_weights": weights}}
    monkeypatch.setattr(bundle, "manifest", msgspec.structs.replace(bundle.manifest, config=config))
    monkeypatch.setitem(bundle.__dict__, "histories", histories)
    users = [f"user{n}" for n in range(len(histories))]
    queries = LiveHistories(bundle, None, 10).of([*users, "stranger"], NOW, purchases=True).queries
    assert queries.bought is not None
    for row in range(len(users)):
        own = histories.select([row])
        expected = [
            item for item, weight in zip(own.items.tolist(), own.weights.tolist(), strict=True) if weight in bought
        ]
        assert queries.bought.select([row]).items.tolist() == expected
    assert queries.select([3]).bought.items.tolist() == queries.bought.select([3]).items.tolist()


def test_a_return_takes_back_the_latest_event_of_the_store(bundle: Bundle) -> None:
    types = EventTypes.of(bundle)
    told = [
        Event("1", "u", "a", "purchase", 1.0),
        Event("2", "u", "a", "view", 2.0),
        Event("3", "u", "b", "purchase", 3.0),
        Event("4", "u", "a", "refund", 4.0),
        Event("5", "u", "c", "refund", 5.0),
        Event("6", "u", "a", "of tomorrow", 6.0),
    ]
    assert [event.event_id for event in types.standing(told)] == ["2", "3"]
    assert types.standing(told[:3]) == told[:3]


def test_strangers_are_told_what_may_be_left_out(live: TestClient) -> None:
    for unknown in ("purchase ", "bought", "2"):
        assert live.get("/recommendations/browser", params={"exclude_seen": unknown}).status_code == 422
    assert live.post("/recommendations", json={"user_ids": ["u"], "exclude_seen": "true"}).status_code == 422


def test_histories_over_live_items_hold_new_ones_and_read_purchases_once(bundle: Bundle) -> None:
    base = LoadedBundle(bundle)
    changes = [ItemChange("new0"), ItemChange("new1")]
    overlays = [base.over(overlay(bundle, changes[:count])) for count in (1, 2)]
    histories = UserHistories(None, 10, KnownPersons(Metrics(), stored=False))
    seen = [histories.of(loaded) for loaded in (base, *overlays)]
    sessions = [("new0", "item3", "new1")] * 3
    items = [of.of([one], NOW).queries.histories.items.tolist() for of, one in zip(seen, sessions, strict=True)]
    n_items = bundle.n_items
    assert items == [[3], [n_items, 3], [n_items, 3, n_items + 1]]
    purchases = [of.of([USER], NOW, purchases=True).queries.bought for of in seen]
    assert all(bought is not None and bought.items.tolist() == history_of(bundle, USER_ROW) for bought in purchases)
    assert histories.of(overlays[1]) is seen[2]
