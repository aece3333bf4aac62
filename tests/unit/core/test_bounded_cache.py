"""What is remembered has its bounds, whatever clients ask for."""

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from random import Random
from sys import getsizeof

from hypothesis import given
from hypothesis import strategies as st

from recsys.bundle import ItemCard
from recsys.core.bounded_cache import BoundedCache, footprint

KEYS = st.lists(st.text("ab", max_size=300), max_size=12)


def held(cache: BoundedCache[str, str]) -> tuple[int, int]:
    """Entries, and bytes of their texts."""
    values = cache._values
    return len(values), sum(getsizeof(key) + getsizeof(value) for key, value in values.items())


@given(st.lists(KEYS, max_size=30), st.integers(1, 20), st.integers(0, 6000))
def test_it_gives_the_values_and_holds_no_more_than_it_may(calls: list[list[str]], most: int, max_bytes: int) -> None:
    asked: list[str] = []

    def read(keys: Sequence[str]) -> Mapping[str, str]:
        assert len(set(keys)) == len(keys)
        asked.extend(keys)
        return {key: key.upper() for key in keys if not key.endswith("b")}

    cache = BoundedCache(read, most, max_bytes)
    for keys in calls:
        before = len(asked)
        values = cache(keys)
        assert {key: values.get(key) for key in keys} == {
            key: None if key.endswith("b") else key.upper() for key in keys
        }
        entries, size = held(cache)
        assert entries <= most
        assert size <= max_bytes
        assert len(asked) - before <= len(set(keys))


def test_threads_that_ask_at_once_get_the_values_and_keep_the_bounds() -> None:
    most, max_bytes, over = 40, 20_000, threading.Event()

    def read(keys: Sequence[str]) -> Mapping[str, str]:
        time.sleep(0.0001)  # another thread has its turn
        return {key: key.upper() for key in keys}

    cache = BoundedCache(read, most, max_bytes)

    def ask(seed: int) -> None:
        random = Random(seed)  # no secret
        for _ in range(150):
            keys = ["k" * random.randint(1, 60) for _ in range(random.randint(1, 12))]
            values = cache(keys)
            assert {key: values[key] for key in keys} == {key: key.upper() for key in keys}

    def look() -> None:
        while not over.is_set():
            assert len(cache._values) <= most

    with ThreadPoolExecutor(7) as pool:
        looking = pool.submit(look)
        asking = [pool.submit(ask, seed) for seed in range(6)]
        wait(asking)
        over.set()
        for one in (looking, *asking):
            one.result()


def test_what_is_remembered_is_not_read_again() -> None:
    read: list[Sequence[str]] = []

    def lengths(keys: Sequence[str]) -> Mapping[str, int]:
        read.append(sorted(keys))
        return {key: len(key) for key in keys}

    cache = BoundedCache(lengths, most=100, max_bytes=10_000)
    for _ in range(3):
        assert cache(["a", "bb"])["bb"] == 2
    assert read == [["a", "bb"]]
    assert cache(["x" * 20_000])["x" * 20_000] == 20_000, "more than it may hold is read, and not kept"
    assert cache(["a"])["a"] == 1


def test_a_card_weighs_what_its_texts_do() -> None:
    card = ItemCard("i", "t" * 1000, None, 1.0)
    assert 1000 < footprint(card) < 1400
