"""Fixtures for all tests."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from hypothesis import settings

from serve import logs

# Before any test, as pytest captures what is configured when a test begins; and before anything imports TensorFlow,
# whose log handler closes the stream that pytest captures as soon as logs are configured.
logs.configure("info", "json")

# A machine that is busy makes no test wrong.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")

_FREEZE, _UNFREEZE = gc.freeze, gc.unfreeze  # which tests run without

SHARED_DATA = Path(__file__).parents[1] / "../shared/data"


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Leave what freezes and thaws to `frozen_imports`."""
    gc.freeze = gc.unfreeze = lambda: None


@pytest.fixture(scope="module", autouse=True)
def frozen_imports() -> None:
    """Let the garbage collector pass over what is there before a module's tests, millions of objects.

    A server that starts collects garbage and then freezes all that there is, and one that ends thaws it. In a process
    of tests, where hundreds of servers start, each would look through all that was imported and kept by then. What a
    module's tests make themselves is found by the collector as ever.
    """
    gc.collect()
    _FREEZE()


def pytest_unconfigure() -> None:
    """Thaw what was frozen, or DuckDB complains of its objects when the process ends."""
    _UNFREEZE()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real review files, which is not part of the repository."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real review files (../shared/data) are not on this machine")
    return SHARED_DATA.resolve()
