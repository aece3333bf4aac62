"""What the tests of the server share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import numpy as np
from fastapi.testclient import TestClient

from recsys.bundle import Bundle
from recsys.core.queries import Queries
from recsys.core.types import Float32Array
from serve.app import create_app
from serve.http.problems import MEDIA_TYPE
from serve.recommendations.answers import RecommendationResponse
from serve.recommendations.schemas import RecommendationQuery
from serve.recommendations.service import RecommendationRequest, RecommendationService
from serve.server import Server
from serve.settings import Settings
from tests.support.bundles import MAX_HISTORY
from tests.support.databases import PATIENT_S
from tests.support.ready_stores import make_tables
from tests.support.waiting import START_TIMEOUT_S, eventually

Answer = dict[str, Any]
N_ITEMS, N_USERS = 200, 50
COLD_USER = "user49"  # the last one, without a history
# However busy the machine, the store is in time; search is left alone unless asked for.
UNHURRIED = {"store_timeout_s": PATIENT_S, "store_read_timeout_s": PATIENT_S, "index_items": False}


@contextmanager
def running(*, wait: bool = True, loaded: bool = True, **settings: Any) -> Iterator[tuple[TestClient, Server]]:
    """A client of an app of its own, and the app's parts.

    It has `loaded` its bundle, and opened its store unless told not to `wait` for that.
    """
    chosen = Settings(**{**UNHURRIED, **settings})
    make_tables(chosen.store)
    app = create_app(chosen, early=not loaded)
    with TestClient(app, raise_server_exceptions=False) as client:
        server: Server = app.state.server
        if wait and loaded and server.parts.link is not None:
            eventually(lambda: server.parts.link.reachable)
        yield client, server


@contextmanager
def without_bundle(**settings: Any) -> Iterator[TestClient]:
    """A client of an app that has nothing to recommend from."""
    with running(wait=False, loaded=False, bundle=Path("none"), store="none", reload_poll_s=0, **settings) as (
        client,
        _,
    ):
        yield client


@contextmanager
def service_of(bundle: Path, **settings: Any) -> Iterator[RecommendationService]:
    """A service without HTTP and store."""
    server = Server(Settings(bundle=bundle, store="none", **settings))
    server.start()
    try:
        server.parts.bundles.first.result(START_TIMEOUT_S)
        server.parts.bundles.loaded  # noqa: B018  # raises where nothing could be loaded
        yield server.recommendations.service
    finally:
        server.close()


def request_for(*user_ids: str, **options: Any) -> RecommendationRequest:
    return RecommendationRequest(RecommendationQuery(**options).options(), user_ids)


def answer_to(service: RecommendationService, user_id: str, **options: Any) -> Answer:
    """The answer to one request for one user."""
    (answers,) = service.recommend([request_for(user_id, **options)])
    assert isinstance(answers, list), answers
    (made,) = answers
    return as_json(made.answer)


def as_json(answer: RecommendationResponse) -> Answer:
    """An answer as its reader gets it."""
    read: Answer = msgspec.json.decode(msgspec.json.encode(answer))
    return read


def get(client: TestClient, user_id: str, **parameters: object) -> dict[str, Any]:
    """The recommendations of a user."""
    response = client.get(f"/recommendations/{quote(user_id, safe='')}", params=parameters)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def explain(client: TestClient, item_id: str, **wanted: object) -> Answer:
    """Why an item is in a list, or is not: that of user1 unless told otherwise; what is None is not sent."""
    body = {"user_id": "user1", "item_id": item_id, **wanted}
    given = {name: value for name, value in body.items() if value is not None}
    response = client.post("/explanations", json=given)
    assert response.status_code == 200, response.text
    answer: Answer = response.json()
    return answer


def refusal(response: Any, status: int) -> str:
    """The detail of the problem document of a request that must fail."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == MEDIA_TYPE
    problem: dict[str, Any] = response.json()
    assert problem.keys() == {"type", "title", "status", "detail"}
    assert problem["status"] == status
    assert "Traceback" not in response.text
    detail: str = problem["detail"]
    return detail


def row_of(item_id: str) -> int:
    return int(item_id.removeprefix("item"))


def rows_of(items: Sequence[dict[str, Any]]) -> list[int]:
    return [row_of(item["item_id"]) for item in items]


def same(one: Answer, other: Answer) -> None:
    """Two answers say the same, but for their ids and times, and for what rounding makes of scores."""
    for name in one.keys() - {"recommendation_id", "items", "timing", "generated_at"}:
        assert one[name] == other[name], name
    assert [(i["item_id"], i["sources"]) for i in one["items"]] == [
        (i["item_id"], i["sources"]) for i in other["items"]
    ]
    np.testing.assert_allclose([i["score"] for i in one["items"]], [i["score"] for i in other["items"]], atol=1e-5)


def history_of(bundle: Bundle, user_row: int) -> list[int]:
    return [int(row) for row in bundle.histories.select([user_row]).items]


def query_of(bundle: Bundle, user_row: int) -> Queries:
    return Queries(bundle.histories.select([user_row]), np.array([user_row], np.int32), np.zeros(1, np.int64))


def retrieval_scores(bundle: Bundle, history: Sequence[int]) -> Float32Array:
    """Of all items: the factory's query tower is the mean of the most recent items."""
    embeddings = bundle.item_embeddings.astype(np.float32)
    scores: Float32Array = embeddings @ embeddings[history[-MAX_HISTORY:]].mean(axis=0)
    return scores
