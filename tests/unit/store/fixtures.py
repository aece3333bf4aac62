"""Stores on SQLite and on PostgreSQL: `pytest_plugins = "tests.unit.store.fixtures"` brings them to a test module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.store import Store
from tests.unit.store.postgres import CannotStart, PostgresServer

BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests of the run."""
    try:
        server = PostgresServer()
    except CannotStart as error:
        pytest.skip(str(error))
    yield server
    server.remove()


@pytest.fixture(params=BACKENDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_url()


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """A store with tables and nothing in them."""
    with Store.open(store_url) as store:
        store.upgrade()
        yield store
