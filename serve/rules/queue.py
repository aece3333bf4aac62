"""The way of a preview: made on a thread of its own, while lists go on."""

from __future__ import annotations

from serve.parts import Parts
from serve.rules.answers import PreviewResponse
from serve.rules.options import PreviewRequest
from serve.rules.preview import previewed
from serve.waiting_line import WaitingLine


class PreviewQueue:
    """Takes requests from the event loop, a few at a time."""

    def __init__(self, parts: Parts) -> None:
        """Compose the parts; nothing runs before the first request."""
        self._parts, self._line = parts, WaitingLine("previewing", parts.settings.max_previews)

    async def submit(self, request: PreviewRequest) -> PreviewResponse:
        """The preview that is asked for.

        Raises:
            OverloadedError: too many wait already.
            NotReadyError: no bundle is loaded.
            TooManyPartsError: it would take too long.
        """
        answer = await self._line.run(previewed, self._parts, request)
        self._parts.metrics.rules_previewed()
        return answer

    def close(self) -> None:
        """Finish what is made at the moment and end the thread; nobody waits any more for what is queued."""
        self._line.close()
