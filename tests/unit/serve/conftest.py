"""One small bundle, and a client of an app that has loaded it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from recsys.bundle import Bundle, open_bundle
from tests.support.bundles import make_bundle
from tests.support.serving import N_ITEMS, N_USERS, running


@pytest.fixture(scope="session")
def bundle_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("saved_model"), N_ITEMS, N_USERS)


@pytest.fixture(scope="session")
def bundle(bundle_path: Path) -> Bundle:
    return open_bundle(bundle_path)


@pytest.fixture(scope="session")
def client(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    store = tmp_path_factory.mktemp("store") / "events.sqlite"
    with running(bundle=bundle_path, store=f"sqlite:///{store}") as (client, _):
        yield client
