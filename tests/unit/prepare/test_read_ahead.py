import threading
from collections.abc import Iterator

import pytest

from recsys.prepare.read_ahead import read_ahead


def test_gives_the_items_then_the_error() -> None:
    def items() -> Iterator[int]:
        yield from range(20)
        raise KeyError("late")

    seen = []
    with pytest.raises(KeyError, match="late"):
        seen.extend(read_ahead(items(), depth=2))
    it = read_ahead(iter(range(20)), depth=2)
    assert list(it) == list(range(20))


def test_ends_its_thread_when_the_consumer_stops() -> None:
    before = threading.active_count()
    stream = read_ahead(iter(lambda: 1, 2), depth=1)
    assert next(stream) == 1
    assert threading.active_count() == before + 1
    stream.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
