"""One small bundle, and a client of an app that has loaded it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serve.app import create_app
from serve.settings import Settings
from tests.bundle_factory import make_bundle

N_ITEMS, N_USERS = 200, 50
READY_TIMEOUT_S = 60


@pytest.fixture(scope="session")
def bundle_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("saved_model"), N_ITEMS, N_USERS)


@contextmanager
def ready_client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while (answer := client.get("/ready")).status_code != 200:
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.01)
        yield client


@pytest.fixture(scope="session")
def client(bundle_path: Path) -> Iterator[TestClient]:
    with ready_client(Settings(bundle=bundle_path)) as client:
        yield client
