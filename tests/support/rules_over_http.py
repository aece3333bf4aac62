"""Rules for tests of the server: over bundles of `make_bundle`, whose user1 gets items of "Brand 1" first."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from tests.support.serving import Answer, get

Terms = dict[str, Any]


def hide(where: str, **terms: Any) -> Terms:
    return {"action": {"type": "hide"}, "where": where, **terms}


def put(client: TestClient, rule_id: str, terms: Terms, **headers: str) -> Answer:
    """The answer to a rule that is taken."""
    response = client.put(f"/rules/{rule_id}", json=terms, headers=headers)
    assert response.status_code == 200, response.text
    answer: Answer = response.json()
    return answer


def rules(client: TestClient, **headers: str) -> dict[str, Answer]:
    """All rules by id."""
    response = client.get("/rules", headers=headers)
    assert response.status_code == 200, response.text
    return {rule["id"]: rule for rule in response.json()["rules"]}


def listed(client: TestClient, user_id: str = "user1") -> list[str]:
    """The items of a user's list."""
    return [item["item_id"] for item in get(client, user_id)["items"]]


def rules_source(client: TestClient) -> str:
    """What /ready says of the rules."""
    source: str = client.get("/ready").json()["rules"]
    return source
