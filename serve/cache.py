"""Values that were read once and are remembered, so many at most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """Values by key. Once there would be more than `most`, it begins anew with those asked for."""

    def __init__(self, read: Callable[[Sequence[Key]], Mapping[Key, Value]], most: int) -> None:
        """`read`: the values of keys, each of which is there once."""
        self._read, self._most = read, most
        self._values: dict[Key, Value] = {}

    def __call__(self, keys: Iterable[Key]) -> Mapping[Key, Value]:
        """At least the values of these keys, as far as `read` gives them."""
        values = self._values
        keys = set(keys)
        missing = [key for key in keys if key not in values]
        if missing:
            if len(values) + len(missing) > self._most:
                values = self._values = {}  # a new one: another thread may be reading the old one
                missing = list(keys)
            values.update(self._read(missing))
        return values
