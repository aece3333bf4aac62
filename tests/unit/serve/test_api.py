"""The API over a small bundle: what it answers and what it refuses."""

import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from fastapi.testclient import TestClient
from numpy.typing import NDArray

from recsys.bundle import Bundle, open_bundle
from recsys.retrieval.base import Queries
from serve.app import create_app
from serve.problems import MEDIA_TYPE
from serve.schemas import MAX_K
from serve.service import NO_HISTORY, UNKNOWN_USER, RecommendationRequest, RecommendationService
from serve.settings import Settings
from tests.bundle_factory import CANDIDATES, MAX_HISTORY, PROPOSER_CANDIDATES, PROPOSERS, make_bundle

N_ITEMS = 200  # of the fixture's bundle
USER, USER_ROW = "user3", 3
COLD_USER = "user49"  # the last one, without a history


@pytest.fixture(scope="module")
def bundle(bundle_path: Path) -> Bundle:
    return open_bundle(bundle_path)


def get(client: TestClient, user_id: str, **parameters: object) -> dict[str, Any]:
    response = client.get(f"/recommendations/{quote(user_id, safe='')}", params=parameters)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def refusal(client: TestClient, address: str) -> dict[str, Any]:
    """The problem document of a request that must fail."""
    response = client.get(address)
    assert response.headers["content-type"] == MEDIA_TYPE
    problem: dict[str, Any] = response.json()
    assert problem.keys() == {"type", "title", "status", "detail"}
    assert problem["status"] == response.status_code
    assert "Traceback" not in response.text
    return problem


def row_of(item_id: str) -> int:
    return int(item_id.removeprefix("item"))


def retrieval_scores(bundle: Bundle, history: NDArray[np.int32]) -> NDArray[np.float32]:
    """Of all items: the factory's query tower is the mean of the most recent items."""
    return bundle.item_embeddings @ bundle.item_embeddings[history[-MAX_HISTORY:]].mean(axis=0)


def test_personal_list(client: TestClient, bundle: Bundle) -> None:
    answer = get(client, USER, k=10)
    assert answer["user_id"] == USER
    assert answer["model_source"] == "two_tower"
    assert answer["fallback_used"] is False
    assert answer["fallback_reason"] is None
    assert answer["bundle"] == {"name": "tiny", "version": bundle.version, "synthetic": True}

    items = answer["items"]
    assert [item["rank"] for item in items] == list(range(1, 11))
    history = bundle.histories.select([USER_ROW]).items
    rows = [row_of(item["item_id"]) for item in items]
    assert len(set(rows)) == 10
    assert not set(rows) & set(history.tolist())

    np.testing.assert_allclose(
        [item["retrieval_score"] for item in items], retrieval_scores(bundle, history)[rows], rtol=1e-5
    )
    scores = [item["score"] for item in items]
    assert scores == sorted(scores, reverse=True)
    query = Queries(bundle.histories.select([USER_ROW]), np.array([USER_ROW], np.int32), np.zeros(1, np.int64))
    ranked = bundle.recommender().recommend(query, 10)
    assert rows == ranked.items[0].tolist()
    np.testing.assert_allclose(scores, ranked.scores[0], atol=1e-5)
    np.testing.assert_allclose([item["predicted_rating"] for item in items], ranked.ratings[0], rtol=1e-5)


def test_every_item_names_who_proposed_it(client: TestClient, bundle: Bundle) -> None:
    items = get(client, USER, k=10)["items"]
    query = Queries(bundle.histories.select([USER_ROW]), np.array([USER_ROW], np.int32), np.zeros(1, np.int64))
    proposed = {"two_tower": bundle.two_tower().retrieve(query, CANDIDATES).items[0]}
    proposed |= {name: bundle.retriever(name).retrieve(query, PROPOSER_CANDIDATES).items[0] for name in PROPOSERS}
    for item in items:
        assert item["sources"] == [name for name, rows in proposed.items() if row_of(item["item_id"]) in rows]
        assert item["sources"]
    assert any(item["sources"] != ["two_tower"] for item in items)


def test_items_are_described_from_the_catalogue(client: TestClient, bundle: Bundle) -> None:
    items = get(client, USER, k=MAX_K)["items"]
    records = bundle.catalogue.items([row_of(item["item_id"]) for item in items])
    described = [(item["title"], item["brand"], item["price"]) for item in items]
    assert described == [(record.title, record.brand, record.price) for record in records]
    assert None in {price for _, _, price in described}, "the list should show an unknown price too"


def test_k_cuts_the_same_list(client: TestClient) -> None:
    assert len(get(client, USER)["items"]) == 10
    whole = get(client, USER, k=MAX_K)["items"]
    assert len(whole) == MAX_K
    assert get(client, USER, k=1)["items"] == whole[:1]


def test_seen_items_return_on_request(client: TestClient, bundle: Bundle) -> None:
    seen = {f"item{row}" for row in bundle.histories.select([USER_ROW]).items}
    listed = {item["item_id"] for item in get(client, USER, k=50, exclude_seen=False)["items"]}
    assert seen & listed
    assert not seen & {item["item_id"] for item in get(client, USER, k=50, exclude_seen=True)["items"]}


@pytest.mark.parametrize(
    "user_id", ["nobody", "a/b", "../../etc/passwd", "ü ö", "用户", "🛒", "a?k=5#x", "'; DROP TABLE users; --", "\x00"]
)
def test_unknown_user_gets_what_is_popular(user_id: str, client: TestClient, bundle: Bundle) -> None:
    answer = get(client, user_id, k=5)
    assert answer["user_id"] == user_id
    assert answer["fallback_used"] is True
    assert answer["fallback_reason"] == UNKNOWN_USER
    assert answer["model_source"] == "popularity"
    counts = np.bincount(bundle.histories.items, minlength=N_ITEMS)
    listed = [counts[row_of(item["item_id"])] for item in answer["items"]]
    assert listed == sorted(counts, reverse=True)[:5]
    assert [item["predicted_rating"] for item in answer["items"]] == [None] * 5
    assert [item["sources"] for item in answer["items"]] == [[]] * 5


def test_known_user_without_history_gets_what_is_popular(client: TestClient) -> None:
    answer = get(client, COLD_USER, k=5)
    assert answer["fallback_used"] is True
    assert answer["fallback_reason"] == NO_HISTORY
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
        ("exclude_seen=perhaps", "exclude_seen: Input should be a valid boolean"),
        ("limit=5", "limit: Extra inputs are not permitted"),
    ],
)
def test_parameters_that_do_not_fit_are_named(query: str, detail: str, client: TestClient) -> None:
    problem = refusal(client, f"/recommendations/{USER}?{query}")
    assert problem["status"] == 422
    assert detail in problem["detail"]


def test_a_user_must_be_named(client: TestClient) -> None:
    problem = refusal(client, "/recommendations/")
    assert problem["status"] == 422
    assert problem["detail"].startswith("user_id:")


def test_address_that_does_not_exist(client: TestClient) -> None:
    assert refusal(client, "/nowhere")["status"] == 404


def test_method_that_does_not_exist(client: TestClient) -> None:
    response = client.delete(f"/recommendations/{USER}")
    assert response.status_code == 405
    assert response.json()["title"] == "Method Not Allowed"


def test_a_bug_shows_no_trace(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(RecommendationService, "loaded", property(fail))
    for address in ("/ready", f"/recommendations/{USER}"):
        problem = refusal(client, address)
        assert problem["status"] == 500
        assert "secret" not in str(problem)


def test_health_and_index(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    index = client.get("/").json()
    for name in ("docs", "health", "ready"):
        assert client.get(index[name]).status_code == 200
    assert client.get(index["recommendations"].format(user_id=USER)).status_code == 200


def test_ready_names_the_bundle(client: TestClient, bundle: Bundle) -> None:
    answer = client.get("/ready").json()
    assert answer["status"] == "ready"
    assert answer["bundle"]["version"] == bundle.version


def test_without_a_bundle_it_lives_but_is_not_ready(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    with TestClient(create_app(Settings(bundle=missing))) as client:
        assert client.get("/health").status_code == 200
        deadline = time.monotonic() + 10
        while str(missing) not in refusal(client, "/ready")["detail"]:  # until loading has failed
            assert time.monotonic() < deadline
        for address in ("/ready", f"/recommendations/{USER}"):
            assert refusal(client, address)["status"] == 503
            assert int(client.get(address).headers["retry-after"]) > 0


def test_openapi_describes_every_answer(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                (media_type,) = response["content"]
                assert media_type == ("application/json" if status == "200" else MEDIA_TYPE), path
                reference = response["content"][media_type]["schema"]["$ref"]
                assert reference.rsplit("/", 1)[1] in schemas, path
    examples = {name: field["examples"] for name, field in schemas["RecommendedItem"]["properties"].items()}
    assert len(examples) == 9


@pytest.mark.parametrize("ranker", [True, False])
def test_a_bundle_that_predicts_no_ratings(tmp_path: Path, ranker: bool) -> None:
    bundle = make_bundle(tmp_path, n_items=30, n_users=5, ratings=False, ranker=ranker)
    service = RecommendationService(Settings(bundle=bundle))
    service.load()
    (answer,) = service.recommend([RecommendationRequest("user0", 5, exclude_seen=True)])
    assert [item.predicted_rating for item in answer.items] == [None] * 5
    assert len(answer.items) == 5


def test_a_bundle_without_a_ranker_gives_the_two_towers_order(tmp_path: Path) -> None:
    service = RecommendationService(Settings(bundle=make_bundle(tmp_path, n_items=30, n_users=5, ranker=False)))
    service.load()
    (answer,) = service.recommend([RecommendationRequest("user0", 5, exclude_seen=True)])
    np.testing.assert_allclose(
        [item.score for item in answer.items], [item.retrieval_score for item in answer.items], rtol=1e-5
    )
    assert [item.sources for item in answer.items] == [["two_tower"]] * 5


def test_a_list_ends_where_the_catalogue_does(tmp_path: Path) -> None:
    service = RecommendationService(Settings(bundle=make_bundle(tmp_path, n_items=20, n_users=5)))
    service.load()
    history = service.loaded.bundle.histories.select([0]).items
    (answer,) = service.recommend([RecommendationRequest("user0", 100, exclude_seen=True)])
    assert len(answer.items) == 20 - len(history)


def test_requests_answered_together_get_what_they_would_alone(bundle_path: Path) -> None:
    service = RecommendationService(Settings(bundle=bundle_path))
    service.load()
    requests = [
        RecommendationRequest(user_id, k, exclude_seen)
        for user_id in (USER, "nobody", "user7", COLD_USER, "user0")
        for k in (3, 10)
        for exclude_seen in (True, False)
    ]
    together = service.recommend(requests)
    for request, answer in zip(requests, together, strict=True):
        (alone,) = service.recommend([request])
        assert (answer.user_id, answer.fallback_reason) == (alone.user_id, alone.fallback_reason)
        assert [(i.item_id, i.sources) for i in answer.items] == [(i.item_id, i.sources) for i in alone.items]
        np.testing.assert_allclose([i.score for i in answer.items], [i.score for i in alone.items], atol=1e-5)


def test_fewer_candidates_by_setting(bundle_path: Path) -> None:
    proposed = {}
    for candidates in (1, None):
        service = RecommendationService(Settings(bundle=bundle_path, candidates=candidates))
        service.load()
        (answer,) = service.recommend([RecommendationRequest(USER, 3, exclude_seen=True)])
        proposed[candidates] = {row_of(item.item_id) for item in answer.items if "two_tower" in item.sources}
    bundle = service.loaded.bundle
    history = bundle.histories.select([USER_ROW]).items
    retrieval = retrieval_scores(bundle, history)
    retrieval[history] = -np.inf
    first = set(np.argsort(-retrieval)[:3].tolist())  # never fewer than the length of the list
    assert proposed[1] <= first
    assert not proposed[None] <= first
