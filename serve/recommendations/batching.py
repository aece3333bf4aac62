"""Score the requests that wait at the same moment together: a batch costs far less than its rows one by one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from serve.errors import OverloadedError

Request = TypeVar("Request")
Result = TypeVar("Result")


class Batcher(Generic[Request, Result]):
    """Hands requests to `compute` in batches, on one thread of its own.

    Nothing waits for a batch to fill: a request that finds the thread idle goes alone, and what arrives
    while a batch is computed makes up the next one.
    """

    def __init__(
        self,
        compute: Callable[[Sequence[Request]], Sequence[Result | Exception]],
        max_batch: int,
        max_waiting: int = 1 << 20,
        size: Callable[[Request], int] = lambda _: 1,
    ) -> None:
        """Prepare the thread.

        Args:
            compute: returns one result for each request, in their order, or the exception that its request gets;
                it is never called twice at once.
            max_batch: largest total size of a batch; a larger request goes alone.
            max_waiting: largest total size of the requests that wait.
            size: of a request.
        """
        self._compute, self._size = compute, size
        self._max_batch, self._max_waiting = max_batch, max_waiting
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scoring")
        self._waiting: deque[tuple[Request, int, asyncio.Future[Result]]] = deque()
        self._waiting_size = 0
        self._drain: asyncio.Task[None] | None = None

    async def submit(self, request: Request) -> Result:
        """The result of `request`; raises what `compute` raised for its batch or gave for it.

        Raises:
            OverloadedError: too much waits already; it never is for a request that finds nothing waiting.
        """
        size = self._size(request)
        if self._waiting and self._waiting_size + size > self._max_waiting:
            raise OverloadedError
        loop = asyncio.get_running_loop()
        result: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((request, size, result))
        self._waiting_size += size
        if self._drain is None:
            self._drain = loop.create_task(self._drain_waiting())
        return await result

    @property
    def waiting(self) -> int:
        """Total size of the requests that wait for a batch."""
        return self._waiting_size

    def close(self) -> None:
        """Finish the batch under way and end the thread."""
        self._thread.shutdown()

    def _next_batch(self) -> list[tuple[Request, asyncio.Future[Result]]]:
        batch: list[tuple[Request, asyncio.Future[Result]]] = []
        total = 0
        while self._waiting and (not batch or total + self._waiting[0][1] <= self._max_batch):
            request, size, result = self._waiting.popleft()
            self._waiting_size -= size
            total += size
            batch.append((request, result))
        return batch

    async def _drain_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch = self._next_batch()
                results: Sequence[Result | Exception]
                try:
                    results = await loop.run_in_executor(self._thread, self._compute, [request for request, _ in batch])
                except Exception as error:  # handed to every waiting request, not lost
                    results = [error] * len(batch)
                for (_, future), result in zip(batch, results, strict=True):
                    if future.done():  # the client may have gone
                        continue
                    if isinstance(result, Exception):
                        future.set_exception(result)
                    else:
                        future.set_result(result)
        finally:
            self._drain = None
