"""A bounded number of results, those used last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """Keeps what was made for a key, for any number of threads; two that ask at once may both make it."""

    def __init__(self, most: int) -> None:
        """Keep at most so many."""
        self._most, self._made, self._lock = most, OrderedDict[Key, Value](), Lock()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """What was made for the key, or is made now."""
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        made = make()
        with self._lock:
            self._made[key] = made
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        return made
