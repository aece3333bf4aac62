"""Experiments for tests of the server: `pytest_plugins` brings a shop to have them in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serve.server import Server
from tests.support.serving import Answer, running

Terms = dict[str, Any]


@pytest.fixture
def served(bundle_path: Path, tmp_path: Path) -> Iterator[tuple[TestClient, Server]]:
    """A shop without experiments."""
    with running(bundle=bundle_path, store=f"sqlite:///{tmp_path}/store.sqlite") as client_and_server:
        yield client_and_server


@pytest.fixture
def shop(served: tuple[TestClient, Server]) -> TestClient:
    return served[0]


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
