"""Experiments for tests of the server."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from tests.support.serving import Answer

Terms = dict[str, Any]


def terms(**changes: Any) -> Terms:
    """Of two variants: lists as they are, and the most popular items."""
    variants = [{"name": "old"}, {"name": "new", "overrides": {"model": "popularity"}}]
    return {"variants": variants, **changes}


def define(client: TestClient, key: str = "e", headers: dict[str, str] | None = None, **changes: Any) -> Answer:
    """The answer to an experiment that is taken."""
    return taken(client.put(f"/experiments/{key}", json=terms(**changes), headers=headers))


def start(client: TestClient, key: str = "e", **changes: Any) -> Answer:
    """The answer to the start of a new experiment."""
    define(client, key, **changes)
    return taken(client.post(f"/experiments/{key}/start"))


def taken(response: Any) -> Answer:
    assert response.status_code == 200, response.text
    answer: Answer = response.json()
    return answer


def assignment(client: TestClient, user_id: str, key: str = "e") -> Answer:
    """Which variant a user gets."""
    return taken(client.get(f"/experiments/{key}/assignment", params={"user_id": user_id}))
