"""Work on a thread of its own, one piece after the other, with a bound on how much of it may wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from serve.errors import OverloadedError

Given = TypeVarTuple("Given")
Result = TypeVar("Result")


class WaitingLine:
    """Takes work from the event loop, which goes on meanwhile."""

    def __init__(self, name: str, most: int) -> None:
        """Prepare the line.

        Args:
            name: of the thread, which runs from the first piece of work on.
            most: pieces that wait or are under way.
        """
        self._thread, self._most, self._waiting = ThreadPoolExecutor(1, name), most, 0

    async def run(self, function: Callable[[*Given], Result], *given: *Given) -> Result:
        """What the function gives for these arguments; raises what it raises.

        Raises:
            OverloadedError: too many wait already.
        """
        if self._waiting >= self._most:
            raise OverloadedError
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, function, *given)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Finish what is under way and end the thread; nobody waits any more for what is queued."""
        self._thread.shutdown(cancel_futures=True)
