"""What workers do in the tests of the buckets that they share; imports next to nothing, since each starts anew."""

from __future__ import annotations

from multiprocessing.queues import Queue

from serve.shared import Shared


def take_many(shared: Shared, count: int, taken: Queue[int]) -> None:
    """Take so many tokens of one caller; tell how many there were."""
    assert shared.buckets is not None
    taken.put(sum(shared.buckets.take("a").wait_s == 0 for _ in range(count)))
