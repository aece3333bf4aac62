"""Score the requests that wait at the same moment together: a batch costs far less than its rows one by one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class Batcher(Generic[Request, Answer]):
    """Hands requests to `compute` in batches, on one thread of its own.

    Nothing waits for a batch to fill: a request that finds the thread idle goes alone, and what arrives
    while a batch is computed makes up the next one.
    """

    def __init__(self, compute: Callable[[Sequence[Request]], Sequence[Answer]], max_batch: int) -> None:
        """`compute` returns one answer for each request, in their order; it is never called twice at once."""
        self._compute = compute
        self._max_batch = max_batch
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scoring")
        self._waiting: deque[tuple[Request, asyncio.Future[Answer]]] = deque()
        self._drain: asyncio.Task[None] | None = None

    async def submit(self, request: Request) -> Answer:
        """The answer to `request`; raises what `compute` raised for its batch."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((request, answer))
        if self._drain is None:
            self._drain = loop.create_task(self._drain_waiting())
        return await answer

    def close(self) -> None:
        """Finish the batch under way and end the thread."""
        self._thread.shutdown()

    async def _drain_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                size = min(len(self._waiting), self._max_batch)
                batch = [self._waiting.popleft() for _ in range(size)]
                try:
                    answers = await loop.run_in_executor(self._thread, self._compute, [request for request, _ in batch])
                except Exception as error:  # handed to every waiting request, not lost
                    for _, future in batch:
                        if not future.done():
                            future.set_exception(error)
                    continue
                for (_, future), answer in zip(batch, answers, strict=True):
                    if not future.done():  # the client may have gone
                        future.set_result(answer)
        finally:
            self._drain = None
