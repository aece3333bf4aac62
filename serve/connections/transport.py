"""The transport as those who answer see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class EndingTransport:
    """What a response writes to: the transport, but for its end, which is not its own to choose."""

    def __init__(self, transport: asyncio.Transport, end: Callable[[], None]) -> None:
        # The transport's own methods: a call costs what it did.
        self.write: Callable[[bytes], None] = transport.write
        self.is_closing = transport.is_closing
        self.pause_reading, self.resume_reading = transport.pause_reading, transport.resume_reading
        self.close = end

    def fall_silent(self) -> None:
        """From now on what is written is lost: nobody is there, and an answer under way is no error for that."""
        self.write = _lose


def _lose(_data: object) -> None:
    pass
