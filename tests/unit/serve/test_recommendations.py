"""Recommendations over a small bundle: what is answered and what is refused."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from fastapi.testclient import TestClient

from recsys.bundle import Bundle
from serve.errors import UnknownModelError
from serve.histories.summary import NO_HISTORY, NO_MORE, UNKNOWN_ITEMS, UNKNOWN_USER
from serve.http.schemas import MAX_K, MAX_USERS
from serve.recommendations.answers import RecommendationList, RecommendationResponse
from tests.support.bundles import CANDIDATES, PROPOSER_CANDIDATES, PROPOSERS, make_bundle
from tests.support.serving import (
    COLD_USER,
    N_ITEMS,
    answer_to,
    as_json,
    get,
    history_of,
    query_of,
    refusal,
    request_for,
    retrieval_scores,
    row_of,
    rows_of,
    same,
    service_of,
)

USER, USER_ROW = "user3", 3


def post(client: TestClient, **body: Any) -> list[dict[str, Any]]:
    response = client.post("/recommendations", json=body)
    assert response.status_code == 200, response.text
    msgspec.json.decode(response.content, type=RecommendationList)
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def test_personal_list(client: TestClient, bundle: Bundle) -> None:
    answer = get(client, USER, k=10)
    history = history_of(bundle, USER_ROW)
    assert answer["user_id"] == USER
    assert answer["user"]["known"] is True
    assert answer["user"]["interactions"] == len(history)
    assert answer["primary_model"] == "full"
    assert (answer["fallback_used"], answer["fallback_reason"], answer["shortfall"]) == (False, None, 0)
    assert answer["bundle"] == {"name": "tiny", "version": bundle.version, "synthetic": True}

    items = answer["items"]
    assert [item["rank"] for item in items] == list(range(1, 11))
    assert {item["model_source"] for item in items} == {"ranker"}
    rows = rows_of(items)
    assert len(set(rows)) == 10
    assert not set(rows) & set(history)
    np.testing.assert_allclose(
        [item["retrieval_score"] for item in items], retrieval_scores(bundle, history)[rows], rtol=1e-5
    )
    ranked = bundle.recommender().recommend(query_of(bundle, USER_ROW), 10)
    assert rows == ranked.items[0].tolist()
    np.testing.assert_allclose([item["score"] for item in items], ranked.scores[0], atol=1e-5)
    np.testing.assert_allclose([item["predicted_rating"] for item in items], ranked.ratings[0], rtol=1e-5)


def test_confidence_is_the_logistic_function_of_the_score(client: TestClient) -> None:
    items = get(client, USER, k=50)["items"]
    scores = np.array([item["score"] for item in items])
    np.testing.assert_allclose([item["confidence"] for item in items], 1 / (1 + np.exp(-scores)), atol=2e-6)


def test_every_item_names_who_proposed_it(client: TestClient, bundle: Bundle) -> None:
    items = get(client, USER, k=10)["items"]
    query = query_of(bundle, USER_ROW)
    proposed = {"two_tower": bundle.two_tower().propose(query, CANDIDATES).items[0]}
    proposed |= {name: bundle.source(name).propose(query, PROPOSER_CANDIDATES).items[0] for name in PROPOSERS}
    for item in items:
        assert item["sources"] == [name for name, rows in proposed.items() if row_of(item["item_id"]) in rows]
        assert item["source"] == item["sources"][0]
    assert any(item["sources"] != ["two_tower"] for item in items)


def test_items_are_described_from_the_catalogue(client: TestClient, bundle: Bundle) -> None:
    items = get(client, USER, k=MAX_K)["items"]
    records = bundle.catalogue.items(rows_of(items))
    described = [(item["title"], item["brand"], item["price"]) for item in items]
    assert described == [(record.title, record.brand, record.price) for record in records]
    assert None in {price for _, _, price in described}, "the list should show an unknown price too"


def test_answers_fit_their_model(client: TestClient) -> None:
    for parameters in ({}, {"model": "bpr"}, {"category": "nowhere"}, {"min_price": 10}, {"as_of": 0}):
        for user_id in (USER, "nobody"):
            response = client.get(f"/recommendations/{user_id}", params=parameters)
            msgspec.json.decode(response.content, type=RecommendationResponse)


def test_k_cuts_the_same_list(client: TestClient) -> None:
    assert len(get(client, USER)["items"]) == 10
    whole = get(client, USER, k=MAX_K)["items"]
    assert len(whole) == MAX_K
    assert get(client, USER, k=1)["items"] == whole[:1]


def test_seen_items_return_on_request(client: TestClient, bundle: Bundle) -> None:
    seen = set(history_of(bundle, USER_ROW))
    assert seen & set(rows_of(get(client, USER, k=50, exclude_seen=False)["items"]))
    assert not seen & set(rows_of(get(client, USER, k=50, exclude_seen=True)["items"]))


@pytest.mark.parametrize("model", ["two_tower", "transitions", "neighbours_bm25", "content_encoder", "bpr", "hybrid"])
def test_a_retriever_alone(client: TestClient, bundle: Bundle, model: str) -> None:
    answer = get(client, USER, k=5, model=model)
    found = bundle.source(model).propose(query_of(bundle, USER_ROW), 5)
    assert answer["primary_model"] == model
    assert rows_of(answer["items"]) == found.items[0].tolist()
    np.testing.assert_allclose([item["score"] for item in answer["items"]], found.scores[0], atol=1e-5)
    for item in answer["items"]:
        assert (item["source"], item["sources"], item["model_source"]) == (model, [model], model)
        assert (item["retrieval_score"] is not None) == (model == "two_tower")


def test_popularity_asked_for_is_no_fallback(client: TestClient, bundle: Bundle) -> None:
    answer = get(client, "nobody", k=3, model="popularity")
    assert answer["fallback_used"] is False
    assert answer["primary_model"] == "popularity"
    counts = np.bincount(bundle.histories.items, minlength=N_ITEMS)
    assert [item["score"] for item in answer["items"]] == sorted(counts, reverse=True)[:3]
    shares = np.array(sorted(counts, reverse=True)[:3]) / counts.sum()
    np.testing.assert_allclose([item["confidence"] for item in answer["items"]], shares, atol=1e-6)


def test_a_retriever_that_runs_out_is_filled_up_with_popular_items(client: TestClient, bundle: Bundle) -> None:
    answer = get(client, "user1", k=100, model="transitions")
    found = bundle.source("transitions").propose(query_of(bundle, 1), 100).items[0]
    own = [int(row) for row in found if row >= 0]
    assert 0 < len(own) < 100
    rows = rows_of(answer["items"])
    assert rows[: len(own)] == own
    assert len(set(rows)) == 100
    assert not set(rows) & set(history_of(bundle, 1))
    sources = [item["model_source"] for item in answer["items"]]
    assert sources == ["transitions"] * len(own) + ["popularity"] * (100 - len(own))
    assert (answer["primary_model"], answer["fallback_used"], answer["fallback_reason"]) == (
        "transitions",
        True,
        NO_MORE,
    )


def test_an_unknown_model_is_refused_with_those_there_are(client: TestClient) -> None:
    detail = refusal(client.get(f"/recommendations/{USER}?model=magic"), 422)
    assert "magic" in detail
    assert "full, two_tower, popularity" in detail


@pytest.mark.parametrize(
    "user_id",
    ["nobody", "a/b", "../../etc/passwd", "ü ö", "用户", "🛒", "a?k=5#x", "'; DROP TABLE users; --"],
)
def test_unknown_user_gets_what_is_popular(user_id: str, client: TestClient, bundle: Bundle) -> None:
    answer = get(client, user_id, k=5)
    assert answer["user_id"] == user_id
    assert answer["user"] == {"known": False, "interactions": 0, "live_events": 0, "last_interaction_at": None}
    assert (answer["fallback_used"], answer["fallback_reason"]) == (True, UNKNOWN_USER)
    assert answer["primary_model"] == "popularity"
    counts = np.bincount(bundle.histories.items, minlength=N_ITEMS)
    assert [counts[row] for row in rows_of(answer["items"])] == sorted(counts, reverse=True)[:5]
    for item in answer["items"]:
        assert (item["predicted_rating"], item["retrieval_score"]) == (None, None)
        assert item["sources"] == ["popularity"]


def test_known_user_without_history_gets_what_is_popular(client: TestClient) -> None:
    answer = get(client, COLD_USER, k=5)
    assert (answer["fallback_used"], answer["fallback_reason"]) == (True, NO_HISTORY)
    assert answer["items"] == get(client, "nobody", k=5)["items"]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("k=0", "k: Input should be greater than or equal to 1 (got '0')"),
        ("k=101", "k: Input should be less than or equal to 100 (got '101')"),
        ("k=9999999999999999999999", "k: Input should be less than or equal to 100"),
        ("k=ten", "k: Input should be a valid integer"),
        ("k=1.5", "k: Input should be a valid integer"),
        ("k=", "k: Input should be a valid integer"),
        ("k=nan", "k: Input should be a valid integer"),
        ("k=1&k=2", "k: given more than once"),
        ("exclude_seen=perhaps", "exclude_seen.bool: Input should be a valid boolean"),
        ("limit=5", "limit: Extra inputs are not permitted"),
        ("user_ids=a", "user_ids: Extra inputs are not permitted"),
        ("min_price=-1", "min_price: Input should be greater than or equal to 0"),
        ("min_price=nan", "min_price: Input should be a finite number"),
        ("min_price=3&max_price=2", "min_price must not exceed max_price"),
        ("as_of=yesterday", "as_of: expected a time such as"),
        ("as_of=2024-05-01T12:00:00", "as_of: expected a time such as"),  # which zone?
        ("as_of=20240501", "a time needs its offset"),  # a day, and no number of seconds
        ("as_of=1e300", "as_of: expected a time such as"),
        ("brand=", "brand: String should have at least 1 character"),
        (f"brand={'x' * 600}", "brand: String should have at most 512 characters"),
    ],
)
def test_parameters_that_do_not_fit_are_named(query: str, detail: str, client: TestClient) -> None:
    assert detail in refusal(client.get(f"/recommendations/{USER}?{query}"), 422)


def test_a_user_must_be_named(client: TestClient) -> None:
    assert refusal(client.get("/recommendations/"), 422).startswith("user_id:")


def test_many_users_get_what_each_would_alone(client: TestClient) -> None:
    user_ids = [USER, "nobody", "user7", COLD_USER, "user0", USER]
    results = post(client, user_ids=user_ids, k=4, exclude_seen=False)
    assert [result["user_id"] for result in results] == user_ids
    for user_id, result in zip(user_ids, results, strict=True):
        same(result, get(client, user_id, k=4, exclude_seen=False))


def test_a_session_gets_what_a_user_of_that_history_would(client: TestClient, bundle: Bundle) -> None:
    (result,) = post(client, history=["item3", "no such item", "item13"], k=10)
    assert result["user_id"] is None
    assert result["user"]["interactions"] == 2
    assert result["fallback_used"] is False
    rows = rows_of(result["items"])
    assert not {3, 13} & set(rows)
    scores = retrieval_scores(bundle, [3, 13])
    np.testing.assert_allclose([item["retrieval_score"] for item in result["items"]], scores[rows], rtol=1e-5)
    (again,) = post(client, history=["item13", "item3", "item13"], k=10)
    assert again["user"]["interactions"] == 2


def test_a_session_of_unknown_items_gets_what_is_popular(client: TestClient) -> None:
    (result,) = post(client, history=["no such item"], k=3)
    assert (result["fallback_used"], result["fallback_reason"]) == (True, UNKNOWN_ITEMS)
    assert result["items"] == get(client, "nobody", k=3)["items"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "give either user_ids or history"),
        ({"user_ids": ["a"], "history": ["item1"]}, "give either user_ids or history"),
        ({"user_ids": []}, "user_ids: List should have at least 1 item"),
        ({"user_ids": ["a"] * (MAX_USERS + 1)}, f"user_ids: List should have at most {MAX_USERS} items"),
        ({"user_ids": [""]}, "user_ids.0: String should have at least 1 character"),
        ({"user_ids": [7]}, "user_ids.0: Input should be a valid string (got 7)"),
        ({"user_ids": [None]}, "user_ids.0: Input should be a valid string (got None)"),
        ({"user_ids": ["a"], "k": 101}, "k: Input should be less than or equal to 100 (got 101)"),
        ({"user_ids": ["a"], "limit": 1}, "limit: Extra inputs are not permitted"),
        ([], "request: Input should be a valid dictionary"),
    ],
)
def test_a_body_that_does_not_fit_is_refused(client: TestClient, body: Any, detail: str) -> None:
    assert detail in refusal(client.post("/recommendations", json=body), 422)


def test_parameters_of_a_post_belong_into_its_body(client: TestClient) -> None:
    response = client.post("/recommendations?k=3", json={"user_ids": ["a"]})
    assert refusal(response, 422).startswith("k: this address takes no query parameters")


@pytest.mark.parametrize("ranker", [True, False])
def test_a_bundle_that_predicts_no_ratings(tmp_path: Path, ranker: bool) -> None:
    bundle = make_bundle(tmp_path, n_items=30, n_users=5, ratings=False, ranker=ranker)
    with service_of(bundle) as service:
        items = answer_to(service, "user0", k=5)["items"]
    assert len(items) == 5
    assert all(item["predicted_rating"] is None for item in items)


def test_a_bundle_without_a_ranker_gives_the_two_towers_order(tmp_path: Path) -> None:
    with service_of(make_bundle(tmp_path, n_items=30, n_users=5, ranker=False)) as service:
        items = answer_to(service, "user0", k=5)["items"]
    np.testing.assert_allclose(
        [item["score"] for item in items], [item["retrieval_score"] for item in items], rtol=1e-5
    )
    assert [(item["sources"], item["model_source"]) for item in items] == [(["two_tower"], "two_tower")] * 5


def test_a_list_ends_where_the_catalogue_does(tmp_path: Path) -> None:
    with service_of(make_bundle(tmp_path, n_items=20, n_users=5)) as service:
        answer = answer_to(service, "user0", k=100)
        history = history_of(service.bundles.loaded.bundle, 0)
    assert len(answer["items"]) == 20 - len(history)
    assert answer["shortfall"] == 100 - len(answer["items"])


def test_requests_answered_together_get_what_they_would_alone(bundle_path: Path) -> None:
    requests = [
        request_for(*user_ids, k=k, exclude_seen=exclude_seen, model=model)
        for user_ids in ((USER, "user7"), ("nobody",), (COLD_USER, "user0", USER))
        for k in (3, 10)
        for exclude_seen in (True, False)
        for model in ("full", "two_tower")
    ]
    with service_of(bundle_path) as service:
        together = service.recommend(requests)
        for request, answers in zip(requests, together, strict=True):
            (alone,) = service.recommend([request])
            assert isinstance(alone, list)
            assert isinstance(answers, list)
            assert len(answers) == request.size
            for answer, expected in zip(answers, alone, strict=True):
                same(as_json(answer.answer), as_json(expected.answer))


def test_a_request_that_fails_fails_alone(bundle_path: Path) -> None:
    with service_of(bundle_path) as service:
        good, bad = service.recommend([request_for(USER), request_for(USER, model="magic")])
    assert isinstance(good, list)
    assert isinstance(bad, UnknownModelError)


def test_fewer_candidates_by_setting(bundle_path: Path, bundle: Bundle) -> None:
    proposed = {}
    for candidates in (1, None):
        with service_of(bundle_path, candidates=candidates) as service:
            items = answer_to(service, USER, k=3)["items"]
        proposed[candidates] = {row_of(item["item_id"]) for item in items if "two_tower" in item["sources"]}
    history = history_of(bundle, USER_ROW)
    retrieval = retrieval_scores(bundle, history)
    retrieval[history] = -np.inf
    first = set(np.argsort(-retrieval)[:3].tolist())  # never fewer than the length of the list
    assert proposed[1] <= first
    assert not proposed[None] <= first


def test_timing_and_time_of_an_answer(client: TestClient) -> None:
    answer = get(client, USER)
    timing = answer["timing"]
    assert all(value >= 0 for value in timing.values())
    stages = ("store_ms", "query_tower_ms", "ann_ms", "ranking_ms")
    assert 0 < sum(timing[stage] for stage in stages) <= timing["total_ms"]
    assert min(timing["query_tower_ms"], timing["ann_ms"]) > 0
