"""Calls that are held until a test lets them go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from tests.support.waiting import TIMEOUT_S


class Held(NamedTuple):
    """`computing` is set when a call waits; whoever sets `go_on` ends the wait of all."""

    computing: threading.Event
    go_on: threading.Event


@contextmanager
def held_calls(
    monkeypatch: pytest.MonkeyPatch, owner: type, method: str, when: Callable[[Any], bool] = lambda _: True
) -> Iterator[Held]:
    """Hold the calls of a method of one argument, those of which `when` is true."""
    held, call = Held(threading.Event(), threading.Event()), getattr(owner, method)

    def wait(self: object, argument: Any) -> Any:
        if when(argument):
            held.computing.set()
            held.go_on.wait(TIMEOUT_S)
        return call(self, argument)

    monkeypatch.setattr(owner, method, wait)
    yield held
    held.go_on.set()
