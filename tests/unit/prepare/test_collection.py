"""The search for objects that refer to each other is put off, and on again after."""

from __future__ import annotations

import gc

import pytest

from recsys.prepare.collection import without_collection


def failing() -> None:
    with without_collection():
        assert not gc.isenabled()
        with without_collection():
            pass
        assert not gc.isenabled()
        raise ValueError("stop")


def test_it_is_as_it_was_also_after_an_error() -> None:
    assert gc.isenabled()
    with pytest.raises(ValueError, match="stop"):
        failing()
    assert gc.isenabled()
