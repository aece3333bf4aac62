"""Fixtures for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parents[1] / "../shared/data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real review files, which is not part of the repository."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real review files (../shared/data) are not on this machine")
    return SHARED_DATA.resolve()
