"""A shop to experiment in: `pytest_plugins = "tests.support.experiment_fixtures"` brings it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serve.server import Server
from tests.support.serving import running


@pytest.fixture
def served(bundle_path: Path, tmp_path: Path) -> Iterator[tuple[TestClient, Server]]:
    """A shop without experiments."""
    with running(bundle=bundle_path, store=f"sqlite:///{tmp_path}/store.sqlite") as client_and_server:
        yield client_and_server


@pytest.fixture
def shop(served: tuple[TestClient, Server]) -> TestClient:
    return served[0]
