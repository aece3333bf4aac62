"""Values that were read once and are remembered: so many at most, and so many bytes of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from sys import getsizeof
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_BYTES = 16 << 20
ENTRY_BYTES = 100  # of the table, for each value


class BoundedCache(Generic[Key, Value]):
    """Values by key. Where there would be more than it may hold, it begins anew with those asked for.

    Clients choose many of the keys: their number alone would bound nothing. Safe to use from any number of threads.
    """

    def __init__(
        self, read: Callable[[Sequence[Key]], Mapping[Key, Value]], most: int, max_bytes: int = MAX_BYTES
    ) -> None:
        """Nothing is read yet.

        Args:
            read: the values of keys, each of which is there once.
            most: number of values.
            max_bytes: of keys, which are texts or numbers, and of values, which are such or tuples of such.
        """
        self._read, self._most, self._max_bytes = read, most, max_bytes
        self._values: dict[Key, Value] = {}
        self._bytes = 0
        self._changing = threading.Lock()

    def __call__(self, keys: Iterable[Key]) -> Mapping[Key, Value]:
        """At least the values of these keys, as far as `read` gives them."""
        values = self._values
        keys = set(keys)
        missing = [key for key in keys if key not in values]
        if not missing:
            return values
        if len(values) + len(missing) > self._most:
            values, missing = {}, list(keys)  # a new one: another thread may be reading the old one
        read = self._read(missing)
        with self._changing:
            return self._with(values, keys, read)

    def _with(self, values: dict[Key, Value], keys: set[Key], read: Mapping[Key, Value]) -> Mapping[Key, Value]:
        size = _bytes_of(read)
        fits = self._bytes + size <= self._max_bytes and len(values) + len(read) <= self._most  # other threads add, too
        if values is self._values and fits:
            values.update(read)
            self._bytes += size
            return values
        anew = {**{key: values[key] for key in keys if key in values}, **read}
        size = _bytes_of(anew)
        # What is too much on its own is of use to this call alone.
        self._values, self._bytes = (anew, size) if size <= self._max_bytes and len(anew) <= self._most else ({}, 0)
        return anew


def _bytes_of(values: Mapping[Key, Value]) -> int:
    return sum(map(getsizeof, values)) + sum(map(footprint, values.values())) + ENTRY_BYTES * len(values)


def footprint(value: object) -> int:
    """Bytes that a text, a number or a tuple of these takes in memory."""
    return getsizeof(value) + (sum(map(getsizeof, value)) if isinstance(value, tuple) else 0)
