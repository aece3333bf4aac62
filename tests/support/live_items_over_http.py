"""Live items for tests of the server: over bundles of `make_bundle`."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from tests.support.serving import Answer, get

Fields = dict[str, Any]


def patch(client: TestClient, item_id: str, fields: Fields, **headers: str) -> Answer:
    """The answer to a change that is taken."""
    return _taken(client.patch(f"/items/{item_id}", json=fields, headers=headers))


def put(client: TestClient, item_id: str, fields: Fields, **headers: str) -> Answer:
    """The answer to an item that is taken."""
    return _taken(client.put(f"/items/{item_id}", json=fields, headers=headers))


def delete(client: TestClient, item_id: str, **headers: str) -> Answer:
    """The answer to an item that goes."""
    return _taken(client.delete(f"/items/{item_id}", headers=headers))


def item(client: TestClient, item_id: str) -> Answer:
    """What is said of an item."""
    return _taken(client.get(f"/items/{item_id}"))


def listed(client: TestClient, user_id: str = "user1", **wanted: object) -> list[str]:
    """The items of a user's list."""
    return [entry["item_id"] for entry in get(client, user_id, **wanted)["items"]]


def found(client: TestClient, query: str) -> list[str]:
    """The items that a search finds."""
    return [entry["item_id"] for entry in _taken(client.get("/items", params={"query": query}))["items"]]


def _taken(response: Any) -> Answer:
    assert response.status_code == 200, response.text
    answer: Answer = response.json()
    return answer
