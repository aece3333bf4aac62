"""Stores on SQLite and on PostgreSQL: `pytest_plugins = "tests.support.store_fixtures"` brings them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.store import Store
from tests.support.databases import patient
from tests.support.postgres import CannotStart, PostgresServer
from tests.support.ready_stores import make_tables

BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests of the run, or of each process of it; some stop it for a while."""
    try:
        server = PostgresServer()
    except CannotStart as error:
        pytest.skip(str(error))
    yield server
    server.remove()


@pytest.fixture(params=BACKENDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, of each kind in turn."""
    return _empty(request, tmp_path)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """A store with tables and nothing in them."""
    make_tables(store_url)
    with patient(store_url) as store:
        store.upgrade()
        yield store


@pytest.fixture(scope="module", params=BACKENDS)
def unchanged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with tables, shared by the tests of a module that change nothing in it."""
    url = _empty(request, tmp_path_factory.mktemp("store"))
    make_tables(url)
    with patient(url) as store:
        store.upgrade()
        yield store


def _empty(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'store.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_url()
