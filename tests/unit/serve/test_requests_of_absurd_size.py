"""Bodies and queries that nobody means: refused with an answer of a few lines, whatever their size."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from serve.http.bodies import MAX_DEPTH, MAX_NAMES, MAX_VALUES, check_size
from serve.http.limits import MAX_PARAMETERS, MAX_QUERY_BYTES, fault_of_query
from serve.http.problems import MOST_ERRORS
from tests.support.bundles import make_bundle
from tests.support.serving import refusal, running

EVENT = {"user_id": "u", "item_id": "i", "event_type": "view"}
LINES = 6000  # characters


def names(count: int) -> dict[str, int]:
    return {f"n{number}": number for number in range(count)}


@pytest.mark.parametrize("address", ["/events", "/recommendations"])
def test_the_first_errors_and_how_many_more(address: str, client: TestClient) -> None:
    for count in (30, 90, 1000, 70_000):
        detail = refusal(client.post(address, json=names(count)), 422)
        assert len(detail) < LINES
        assert "n0" in detail
        assert f"n{MOST_ERRORS}" not in detail
        more = int(detail.rpartition("and ")[2].removesuffix(" more").replace(",", ""))
        # Of an object of few names those that are missing are errors, too.
        assert count - MOST_ERRORS <= more <= count - MOST_ERRORS + 3


def test_of_a_batch_too(client: TestClient) -> None:
    detail = refusal(client.post("/events", json=[{**EVENT, "event_type": 1}] * 1000), 422)
    assert detail.count("event_type") == MOST_ERRORS
    assert detail.endswith("; and 980 more")
    assert len(refusal(client.post("/events", json=[names(9)] * 1000), 422)) < LINES
    assert "10,000 values" in refusal(client.post("/events", json=[names(20)] * 1000), 422)


@pytest.mark.parametrize(
    "body",
    [
        {"n" * 50_000: 1},
        {**EVENT, "user_id": "u" * 50_000},
        {**EVENT, "user_id": ["u" * 50_000] * 3},
        {**EVENT, "event_type": "t" * 50_000},
        {**EVENT, "rating": "9" * 50_000},
        {**EVENT, "user_id": {f"{n}" * 500: n for n in range(90)}},
    ],
)
def test_little_of_what_came_comes_back(body: Any, client: TestClient) -> None:
    assert len(refusal(client.post("/events", json=body), 422)) < 1000


def nested(levels: int) -> Any:
    content: Any = 0
    for level in range(levels):
        content = [content] if level % 2 else {"a": content}
    return content


def size_is_refused(content: Any) -> bool:
    try:
        check_size(content)
    except HTTPException as error:
        return error.status_code == 422 and len(error.detail) < LINES
    return False


def test_bounds_of_bodies() -> None:
    assert not size_is_refused(nested(MAX_DEPTH))
    assert size_is_refused(nested(MAX_DEPTH + 1))
    assert size_is_refused(nested(900))
    assert not size_is_refused(names(MAX_NAMES))
    assert size_is_refused(names(MAX_NAMES + 1))
    assert not size_is_refused([0] * MAX_VALUES)
    assert size_is_refused([0] * (MAX_VALUES + 1))
    assert size_is_refused([[0] * 99] * 101)


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=60,
)


@given(JSON)
def test_of_depth_it_knows_as_much_as_json_itself(content: Any) -> None:
    def depth(part: Any) -> int:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        return int(isinstance(part, dict | list)) + max(map(depth, inner), default=0)

    assert size_is_refused(content) == (depth(content) > MAX_DEPTH)


@pytest.mark.parametrize("address", ["/recommendations/user3", "/items", "/users", "/health", "/nowhere"])
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("&".join(f"n{n}=1" for n in range(MAX_PARAMETERS + 1)), 422),
        ("&" * 10_000, 422),
        ("k=1&" * 4000, 422),
        ("cursor=" + "x" * MAX_QUERY_BYTES, 414),
        ("brand=%ff", 422),
        ("brand=%C3%28", 422),
        ("brand=%zz", 422),
        ("brand=%", 422),
    ],
)
def test_queries_that_nobody_means(address: str, query: str, status: int, client: TestClient) -> None:
    assert len(refusal(client.get(f"{address}?{query}"), status)) < 300


@given(st.dictionaries(st.text(max_size=5), st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=9))
def test_any_text_can_be_asked_for(given_: dict[str, str]) -> None:
    assert fault_of_query(urlencode({k.encode("utf8", "replace"): v for k, v in given_.items()}).encode()) is None


def test_addresses_come_back_cut(client: TestClient) -> None:
    assert len(refusal(client.get("/nowhere/" + "x" * 10_000), 404)) < 400


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "PROPFIND", "X"])
@pytest.mark.parametrize("address", ["/events", "/recommendations/user3", "/items", "/health", "/docs"])
def test_methods_that_do_not_exist(method: str, address: str, client: TestClient) -> None:
    response = client.request(method, address)
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) <= {"GET", "POST", "HEAD"}
    if method != "HEAD":
        refusal(response, 405)


def test_a_rating_of_another_scale(client: TestClient, tmp_path: Path) -> None:
    least, greatest = 1.0, 5.0
    rated = {**EVENT, "event_type": "rating"}
    for rating in (least, greatest, 3.5):
        assert client.post("/events", json={**rated, "rating": rating}).json()["accepted"] == 1
    before = client.get("/stats").json()["store_statistics"]["events"]
    for rating in (0, 5.01, -5, 1e9):
        detail = refusal(client.post("/events", json={**rated, "rating": rating}), 422)
        assert "from 1 to 5" in detail
        detail = refusal(client.post("/events", json=[rated | {"rating": 2}, rated | {"rating": rating}]), 422)
        assert detail.startswith("batch.1.rating")
    assert client.get("/stats").json()["store_statistics"]["events"] == before
    with running(bundle=make_bundle(tmp_path, ratings=False), store=f"sqlite:///{tmp_path}/events.sqlite") as (
        other,
        _,
    ):
        assert other.post("/events", json={**rated, "rating": 99}).json()["accepted"] == 1, "it has no scale"
