"""Explanations over HTTP: what is answered for listed items, others, sessions and strangers, and what is refused."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.serving import get, refusal

Answer = dict[str, Any]


def explain(client: TestClient, item_id: str, **wanted: object) -> Answer:
    response = client.post("/explanations", json={"user_id": "user1", "item_id": item_id, **wanted})
    assert response.status_code == 200, response.text
    answer: Answer = response.json()
    return answer


def refused(client: TestClient, status: int, **wanted: object) -> str:
    return refusal(client.post("/explanations", json={"user_id": "user1", "item_id": "item0", **wanted}), status)


@pytest.mark.parametrize("depth", ["cheap", "full"])
@pytest.mark.parametrize(
    "options", [{}, {"k": 3}, {"model": "transitions"}, {"exclude_seen": False}, {"max_price": 15}]
)
def test_a_listed_item_is_where_the_list_has_it(client: TestClient, options: Answer, depth: str) -> None:
    listed = get(client, "user1", **options)
    for item in (listed["items"][0], listed["items"][-1]):
        answer = explain(client, item["item_id"], depth=depth, **options)
        shown = {name: item[name] for name in ("item_id", "title", "brand", "price")}
        assert answer["item"] == shown
        assert (answer["stage"], answer["rank"]) == ("listed", item["rank"])
        assert answer["score"] == pytest.approx(item["score"], abs=2e-6)
        assert answer["confidence"] == pytest.approx(item["confidence"], abs=2e-6)
        assert answer["user"] == listed["user"]
        assert answer["bundle"] == listed["bundle"]
        assert (answer["k"], answer["depth"], answer["model"]) == (
            options.get("k", 10),
            depth,
            options.get("model", "full"),
        )
        assert answer["fallback_used"] is False
        assert answer["fallback_reason"] is None
