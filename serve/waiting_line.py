"""Work on a thread of its own, one piece after the other, with a bound on how much of it may wait, and with rests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar, TypeVarTuple

from serve.errors import OverloadedError

Given = TypeVarTuple("Given")
Result = TypeVar("Result")
REST: Final = 0.25
"""Of the time that something long computes, for how much it then rests: others of the process want the interpreter."""


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


class Pace:
    """What something long calls now and then, to let others of the process in."""

    def __init__(self) -> None:
        """It begins now."""
        self._since = time.monotonic()

    def __call__(self) -> None:
        """Rest for a share of the time since the last call."""
        time.sleep(REST * (time.monotonic() - self._since))
        self._since = time.monotonic()
