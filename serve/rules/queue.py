"""The way of a preview: made on a thread of its own, while lists go on."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from serve.errors import OverloadedError
from serve.parts import Parts
from serve.rules.answers import PreviewResponse
from serve.rules.options import PreviewRequest
from serve.rules.preview import previewed


class PreviewQueue:
    """Takes requests from the event loop, a few at a time."""

    def __init__(self, parts: Parts) -> None:
        """Compose the parts; nothing runs before `start`."""
        self._parts, self._most, self._waiting = parts, parts.settings.max_previews, 0

    def start(self) -> None:
        """Begin to take requests."""
        self._thread = ThreadPoolExecutor(1, "previewing")

    async def submit(self, request: PreviewRequest) -> PreviewResponse:
        """The preview that is asked for.

        Raises:
            OverloadedError: too many wait already.
            NotReadyError: no bundle is loaded.
            TooManyPartsError: it would take too long.
        """
        if self._waiting >= self._most:
            raise OverloadedError
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._thread, previewed, self._parts, request)
        finally:
            self._waiting -= 1
        self._parts.metrics.rules_previewed()
        return answer

    def close(self) -> None:
        """Finish what is made at the moment and end the thread; nobody waits any more for what is queued."""
        self._thread.shutdown(cancel_futures=True)
