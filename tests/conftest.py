"""Fixtures for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# A machine that is busy makes no test wrong.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")

SHARED_DATA = Path(__file__).parents[1] / "../shared/data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real review files, which is not part of the repository."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real review files (../shared/data) are not on this machine")
    return SHARED_DATA.resolve()
