"""What the shop's rules do to lists, over HTTP. Each rule has a scenario of its own, so one server has all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from recsys.bundle import Bundle
from recsys.pipeline.allow import Among
from serve.histories.summary import FILTERED, NO_MORE, RULED
from tests.support.serving import COLD_USER, N_ITEMS, Answer, explain, get, query_of, refusal, row_of, rows_of, running
from tests.support.shop_rules import rule, write_rules

USER = "user1"
GROUP_3 = 'item.category == "Group 3"'
BRAND_3 = 'item.brand == "Brand 3"'
PINNED, BOOSTED = "item191", "item190"
HIGH = 'user.segment == "high"'
RULES = [
    rule("no-3", "hide", BRAND_3, scenario="hide"),
    rule("only-3", "require", BRAND_3, scenario="require"),
    rule("up", "boost", f'item.id == "{BOOSTED}"', by=3, scenario="boost"),
    rule("down", "bury", "item.price > 20.0", scenario="bury"),
    rule("third", "pin", f'item.id == "{PINNED}"', slot=3, scenario="pin"),
    rule("half", "promote", GROUP_3, share=0.5, scenario="promote"),
    rule("one-each", "cap", by="brand", most=1, scenario="cap"),
    rule("one-of-a-kind", "cap", by="category", most=1, scenario="kinds"),
    rule("only-3-few", "require", BRAND_3, scenario="few"),
    rule("two", "cap", by="brand", most=2, scenario="few"),
    rule("varied", "mmr", weight=0.9, scenario="mmr"),
    rule("as-before", "calibrate", by="category", weight=1.0, scenario="calibrate"),
    rule("dearer", "upsell", factor=100, weight=100, most=1.5, scenario="upsell"),
    rule("cheaper", "price_fit", weight=100, tolerance=1.0, scenario="price_fit"),
    rule("again", "repurchase", scenario="repurchase"),
    rule("no-3-for-high", "hide", BRAND_3, when=HIGH, scenario="segments"),
    rule("not-for-user1", "hide", BRAND_3, when='user.id == "user1"', scenario="ids"),
    rule("german", "hide", BRAND_3, when='context.country == "DE"', scenario="context"),
    rule("full-basket", "hide", BRAND_3, when="context.basket > 30.0", scenario="context"),
    rule(
        "german-by-now",
        "hide",
        BRAND_3,
        when='context.country == "DE" && now > timestamp("2020-01-01T00:00:00Z")',
        scenario="now",
    ),
    rule("not-yours", "hide", BRAND_3, when='user.id == "nobody"', scenario="buy_again"),
    rule("nothing", "mmr", weight=0.0, scenario="nothing"),
    rule("expired", "hide", "item.price > 0.0", scenario="expired", valid_to="2020-01-01T00:00:00Z"),
]


@pytest.fixture(scope="module")
def ruled(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    rules = write_rules(tmp_path_factory.mktemp("rules") / "rules.yaml", RULES)
    with running(bundle=bundle_path, store="none", rules=rules) as (client, _):
        yield client


def without_times(answer: Answer) -> Answer:
    return {
        name: value for name, value in answer.items() if name not in ("recommendation_id", "timing", "generated_at")
    }


def posted(client: TestClient, **body: object) -> list[Answer]:
    response = client.post("/recommendations", json=body)
    assert response.status_code == 200, response.text
    results: list[Answer] = response.json()["results"]
    return results


def brands(answer: Answer) -> list[str | None]:
    return [item["brand"] for item in answer["items"]]


def ids(answer: Answer) -> list[str]:
    return [item["item_id"] for item in answer["items"]]


def moved_by(answer: Answer, rule_id: str) -> list[str]:
    return [item["item_id"] for item in answer["items"] if rule_id in item["rules"]]


def ranked(client: TestClient, user: str = USER, **parameters: object) -> list[str]:
    """All that is ranked for a user, and popular items behind them."""
    return ids(get(client, user, k=100, **parameters))


@pytest.mark.parametrize("scenario", [None, "nothing", "expired", "no such scenario"])
@pytest.mark.parametrize("user", [USER, COLD_USER, "stranger"])
def test_where_no_rule_is_in_force_answers_are_what_they_were(
    client: TestClient, ruled: TestClient, scenario: str | None, user: str
) -> None:
    given = {} if scenario is None else {"scenario": scenario}
    expected, answer = get(client, user, explain="cheap"), get(ruled, user, explain="cheap", **given)
    assert answer.pop("store") == "off"
    assert expected.pop("store") == "live"
    assert without_times(answer) == without_times(expected)


@pytest.mark.parametrize("user", [USER, COLD_USER, "stranger"])
@pytest.mark.parametrize("model", ["full", "transitions", "popularity", "hybrid"])
def test_require_is_what_the_filter_is(ruled: TestClient, user: str, model: str) -> None:
    by_rule = get(ruled, user, scenario="require", model=model)
    by_filter = get(ruled, user, brand="Brand 3", model=model)
    assert [{**item, "rank_before": 0, "rules": 0} for item in by_filter["items"]] == [
        {**item, "rank_before": 0, "rules": 0} for item in by_rule["items"]
    ]
    assert [item["rank_before"] for item in by_rule["items"]] == list(range(1, len(by_rule["items"]) + 1))
    assert by_rule["shortfall"] == by_filter["shortfall"]
    why = by_filter["fallback_reason"]
    assert by_rule["fallback_reason"] == (RULED if why == FILTERED else why)


def test_whom_a_rule_is_not_for_is_told_so_however_requests_are_gathered(ruled: TestClient) -> None:
    others = [f"user{number}" for number in range(2, 20)]
    alone = [get(ruled, user, scenario="ids") for user in others]
    together = posted(ruled, user_ids=["user1", *others], scenario="ids")[1:]
    assert [answer["items"] for answer in alone] == [answer["items"] for answer in together]
    for answer in alone:
        assert [(item["rank_before"], item["rules"]) for item in answer["items"]] == [
            (item["rank"], []) for item in answer["items"]
        ]


@pytest.mark.parametrize("user", [USER, COLD_USER, "stranger"])
def test_what_is_due_again_beside_rules_that_do_not_act(ruled: TestClient, user: str) -> None:
    answer = get(ruled, user, scenario="buy_again")
    assert all((item["rank_before"], item["rules"]) == (item["rank"], []) for item in answer["items"])
    assert bool(answer["items"]) == (user == USER)


def test_what_is_hidden_is_in_no_list(ruled: TestClient, bundle: Bundle) -> None:
    hidden = np.array([row % 10 == 3 and row % 4 != 0 for row in range(N_ITEMS)])
    changed = 0
    for user in range(20):
        for model in ("full", "bpr"):
            before, answer = (
                get(ruled, f"user{user}", model=model),
                get(ruled, f"user{user}", model=model, scenario="hide"),
            )
            assert "Brand 3" not in brands(answer)
            assert answer["shortfall"] == 0
            changed += "Brand 3" in brands(before)
            if "Brand 3" not in brands(before):
                assert ids(answer) == ids(before)
        alone = bundle.recommender().recommend(
            query_of(bundle, user), 10, restrictions=[Among(~hidden)], by=bundle.source("bpr")
        )
        assert rows_of(answer["items"]) == alone.items[0].tolist()
    assert changed
    assert "Brand 3" not in brands(get(ruled, "stranger", scenario="hide", k=100))


def test_a_boosted_item_rises_and_says_from_where(ruled: TestClient) -> None:
    before = ranked(ruled)
    answer = get(ruled, USER, scenario="boost", k=100)
    rank = before.index(BOOSTED) + 1
    (item,) = [item for item in answer["items"] if item["item_id"] == BOOSTED]
    assert item["rank_before"] == rank
    assert item["rank"] < rank
    assert item["rules"] == ["up"]
    assert [one for one in ids(answer) if one != BOOSTED] == [one for one in before if one != BOOSTED]


def test_what_is_buried_stands_behind_all_others(ruled: TestClient) -> None:
    dear = [bool(item["price"] and item["price"] > 20) for item in get(ruled, USER, scenario="bury", k=100)["items"]]
    assert dear == sorted(dear)
    assert {True, False} == set(dear)


def test_a_pinned_item_has_its_slot_and_the_others_their_order(ruled: TestClient) -> None:
    before, answer = ranked(ruled), get(ruled, USER, scenario="pin")
    assert ids(answer) == [*before[:2], PINNED, *before[2:9]]
    assert answer["items"][2]["rules"] == ["third"]
    assert answer["items"][2]["rank_before"] > 10
    assert [item["rank_before"] for item in answer["items"][3:]] == list(range(3, 10))
    short = get(ruled, USER, scenario="pin", k=2)
    assert ids(short) == before[:2]


def test_every_beginning_of_a_list_has_its_share_of_what_is_promoted(ruled: TestClient) -> None:
    for user in (USER, COLD_USER, "stranger"):
        rows = rows_of(get(ruled, user, scenario="promote")["items"])
        promoted = [row % 10 == 3 for row in rows]
        assert all(sum(promoted[:n]) >= n // 2 for n in range(1, 11)), user


@pytest.mark.parametrize("user", [USER, "user7", COLD_USER, "stranger"])
def test_caps_hold_and_a_list_that_they_shorten_says_so(ruled: TestClient, user: str) -> None:
    capped = get(ruled, user, scenario="cap")
    assert max(Counter(brand for brand in brands(capped) if brand).values()) == 1
    assert capped["shortfall"] == 0
    assert "shortened_by" not in capped
    few = get(ruled, user, scenario="few")
    assert brands(few) == ["Brand 3"] * 2
    assert few["shortfall"] == 8
    assert set(few["shortened_by"]["rules"]) == {"two", "only-3-few"}
    assert few["shortened_by"]["reason"] == "the shop's rules leave too few items"


@pytest.mark.parametrize(("scenario", "user", "model"), [("kinds", "user4", "full"), ("require", USER, "transitions")])
def test_popular_items_stand_in_for_what_rules_take_of_the_models(
    ruled: TestClient, scenario: str, user: str, model: str
) -> None:
    """The model has more items than the list holds, and too few that the rules let in."""
    wanted = {"model": model, "k": 9}
    assert not get(ruled, user, **wanted)["fallback_used"]
    answer = get(ruled, user, scenario=scenario, **wanted)
    assert (answer["fallback_used"], answer["fallback_reason"], answer["shortfall"]) == (True, RULED, 0)
    item_id = next(item["item_id"] for item in answer["items"] if item["model_source"] == "popularity")
    told = explain(ruled, item_id, user_id=user, scenario=scenario, depth="cheap", **wanted)
    assert (told["stage"], told["fallback_reason"]) == ("filled", RULED)


def test_rules_that_take_nothing_are_not_why_a_model_has_no_more(ruled: TestClient) -> None:
    for scenario in ("mmr", "boost"):
        assert get(ruled, USER, scenario=scenario, model="transitions", k=100)["fallback_reason"] == NO_MORE


def test_variety_makes_the_items_of_a_list_less_alike(ruled: TestClient, bundle: Bundle) -> None:
    vectors = bundle.item_embeddings.astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    def likeness(answer: Answer) -> float:
        listed = vectors[rows_of(answer["items"])]
        return float((listed @ listed.T)[np.triu_indices(len(listed), 1)].mean())

    varied = get(ruled, USER, scenario="mmr")
    assert likeness(varied) < likeness(get(ruled, USER)) - 0.2
    assert moved_by(varied, "varied")


def test_a_calibrated_list_is_mixed_as_the_history_is(ruled: TestClient, bundle: Bundle) -> None:
    history = query_of(bundle, 1).histories.items
    mix = np.bincount(history % 10, minlength=10) / len(history)

    def distance(answer: Answer) -> float:
        rows = np.array(rows_of(answer["items"]))
        return float(np.abs(np.bincount(rows % 10, minlength=10) / len(rows) - mix).sum())

    calibrated = get(ruled, USER, scenario="calibrate")
    assert distance(calibrated) < distance(get(ruled, USER))


def test_prices_move_lists_as_the_rules_say(ruled: TestClient, bundle: Bundle) -> None:
    mean = get_profile(ruled, USER)["spending"]["mean_price"]
    prices = [item["price"] for item in get(ruled, USER, scenario="upsell")["items"]]
    assert all(price is not None and price >= 1.5 * mean for price in prices)
    fitting = [item["price"] for item in get(ruled, USER, scenario="price_fit")["items"]]
    assert all(price is None or price <= mean for price in fitting)


def get_profile(client: TestClient, user: str) -> Answer:
    profile: Answer = client.get(f"/users/{user}/profile").json()
    return profile


def test_what_was_bought_comes_again_when_it_is_due(ruled: TestClient, bundle: Bundle) -> None:
    bought = set(query_of(bundle, 1).histories.items.tolist())
    assert not bought & set(rows_of(get(ruled, USER, k=100)["items"]))
    assert bought & set(rows_of(get(ruled, USER, scenario="repurchase", k=100)["items"]))
    again = get(ruled, USER, scenario="buy_again", k=100)
    assert set(rows_of(again["items"])) == bought
    assert again["fallback_used"] is False
    assert get(ruled, "stranger", scenario="buy_again")["items"] == []


def test_users_of_one_request_have_the_rules_of_their_segments(ruled: TestClient) -> None:
    users = [f"user{n}" for n in range(40)]
    segments = {user: get_profile(ruled, user)["spending"]["segment"] for user in users}
    high = [user for user in users if segments[user] == "high"]
    assert any("Brand 3" in brands(get(ruled, user, k=100)) for user in high)
    for user, answer in zip(users, posted(ruled, user_ids=users, k=100, scenario="segments"), strict=True):
        assert answer["user_id"] == user
        assert ids(answer) == ids(get(ruled, user, k=100, scenario="segments"))
        if segments[user] == "high":
            assert "Brand 3" not in brands(answer)
        else:
            assert ids(answer) == ids(get(ruled, user, k=100))
    one, other = posted(ruled, user_ids=["user1", "user2"], k=100, scenario="ids")
    assert "Brand 3" not in brands(one)
    assert "Brand 3" in brands(other)


@pytest.mark.parametrize(
    ("context", "hides"),
    [
        ({}, False),
        ({"country": "DE"}, True),
        ({"country": "FR", "basket": 30}, False),
        ({"country": "FR", "basket": 30.5}, True),
        ({"country": True}, False),
        ({"basket": True}, False),
        ({"other": 1.0}, False),
    ],
)
def test_rules_read_the_context_of_a_request(ruled: TestClient, context: dict[str, Any], hides: bool) -> None:
    asked = {"k": 100, "scenario": "context"}
    for subject in ({"user_ids": [USER]}, {"history": ["item3", "item13"]}):
        (answer,) = posted(ruled, **subject, **asked, context=context)
        assert ("Brand 3" not in brands(answer)) == hides
    if not any(isinstance(value, bool) for value in context.values()):
        in_query = {f"context.{name}": value for name, value in context.items()}
        assert ("Brand 3" not in brands(get(ruled, USER, **asked, **in_query))) == hides


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("context.a=1&context.a=2", "context.a: given more than once"),
        ("context=3", "context"),
        ("context.=1", "context"),
        ("context.a-b=1", "context"),
        ("&".join(f"context.a{n}=1" for n in range(21)), "20"),
        ("context.a=" + 201 * "x", "context.a"),
        ("scenario=", "scenario"),
        ("scenario=" + 101 * "x", "scenario"),
        ("Context.a=1", "Context.a"),
    ],
)
def test_a_context_that_cannot_be_meant_is_refused(ruled: TestClient, query: str, said: str) -> None:
    assert said in refusal(ruled.get(f"/recommendations/{USER}?{query}"), 422)


@pytest.mark.parametrize(
    "context",
    [{"a": None}, {"a": [1]}, {"a": {}}, {"a": 201 * "x"}, {"a b": 1}, {f"a{n}": n for n in range(21)}, [], "a"],
)
def test_so_is_one_in_a_body(ruled: TestClient, context: object) -> None:
    said = refusal(ruled.post("/recommendations", json={"user_ids": [USER], "context": context}), 422)
    assert "context" in said


def test_similar_and_popular_items_obey_what_needs_no_user(ruled: TestClient) -> None:
    hidden = {f"item{row}" for row in range(N_ITEMS) if row % 10 == 3 and row % 4}
    for path in ("/items/item23/similar", "/items/popular"):
        plain = ruled.get(path, params={"k": 100}).json()
        assert hidden & set(ids(plain))
        assert "shortened_by" not in plain
        without = ruled.get(path, params={"k": 100, "scenario": "hide"}).json()
        kept = [item for item in ids(plain) if item not in hidden]
        assert ids(without)[: len(kept)] == kept
        assert not hidden & set(ids(without))
        assert [item["rank"] for item in without["items"]] == list(range(1, len(without["items"]) + 1))
        for scenario in ("segments", "ids", "context", "expired"):
            assert ids(ruled.get(path, params={"k": 100, "scenario": scenario}).json()) == ids(plain)
        only = ruled.get(path, params={"k": 100, "scenario": "require"}).json()
        assert set(ids(only)) <= hidden
        assert only["shortened_by"] == {"reason": "the shop's rules leave too few items", "rules": ["only-3"]}


@pytest.mark.parametrize("path", ["/items/item23/similar", "/items/popular"])
@pytest.mark.parametrize(
    ("scenario", "context", "acts"),
    [
        ("context", {"context.country": "DE"}, True),
        ("context", {"context.country": "CH"}, False),
        ("context", {"context.country": "CH", "context.basket": "30.5"}, True),
        ("context", {"context.basket": "30"}, False),
        ("now", {"context.country": "DE"}, True),
        ("now", {}, False),
        ("home", {"context.country": "DE"}, False),
    ],
)
def test_similar_and_popular_items_obey_conditions_of_the_context(
    ruled: TestClient, path: str, scenario: str, context: dict[str, str], acts: bool
) -> None:
    hidden = {f"item{row}" for row in range(N_ITEMS) if row % 10 == 3 and row % 4}
    plain = ids(ruled.get(path, params={"k": 50}).json())
    assert hidden & set(plain)
    listed = ids(ruled.get(path, params={"k": 50, "scenario": scenario, **context}).json())
    if acts:
        assert not hidden & set(listed)
    else:
        assert listed == plain


@pytest.mark.parametrize("path", ["/items/item23/similar", "/items/popular"])
@pytest.mark.parametrize(
    "query",
    [
        "context.a=" + 201 * "x",
        "context.a%20b=1",
        "context.a=1&context.a=2",
        "context.a=1&context=2",
        "context=DE",
        "&".join(f"context.a{n}=1" for n in range(21)),
    ],
)
def test_a_context_that_does_not_fit_is_refused_there_too(ruled: TestClient, path: str, query: str) -> None:
    assert "context" in refusal(ruled.get(f"{path}?{query}"), 422)


def test_popular_items_are_all_that_rules_leave(ruled: TestClient) -> None:
    only = ruled.get("/items/popular", params={"k": 100, "scenario": "require"}).json()
    assert {row_of(item) for item in ids(only)} == {row for row in range(N_ITEMS) if row % 10 == 3 and row % 4}
