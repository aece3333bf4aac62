"""The way of a request: into a batch, through the service, into the log of what was shown."""

from __future__ import annotations

from collections.abc import Sequence

from serve.parts import Parts
from serve.recommendations.answers import RecommendationResponse
from serve.recommendations.batching import Batcher
from serve.recommendations.made_lists import MadeList
from serve.recommendations.served_log import ServedLog
from serve.recommendations.service import RecommendationRequest, RecommendationService


class RecommendationQueue:
    """Takes requests from the event loop and has them answered on the scoring thread.

    Attributes:
        service: recommends.
        served_log: what was shown; None: not kept.
    """

    def __init__(self, parts: Parts) -> None:
        """Compose the parts; nothing runs before `start`."""
        settings = parts.settings
        self.service = RecommendationService(parts)
        keeps_log = parts.link is not None and settings.served_log
        self.served_log = ServedLog(parts.link.store, parts.metrics) if parts.link and keeps_log else None
        self._waiting_users = parts.metrics.waiting_users
        self._max_batch, self._max_queue = settings.max_batch, settings.max_queue

    def start(self) -> None:
        """Begin to take requests."""
        self.batcher = Batcher[RecommendationRequest, list[MadeList]](
            self._recommend, self._max_batch, self._max_queue, lambda request: request.size
        )
        if self.served_log:
            self.served_log.start()

    async def submit(self, request_id: str, request: RecommendationRequest) -> list[RecommendationResponse]:
        """One answer for each subject of the request, in order, noted in the log if it is to be.

        Raises:
            OverloadedError: too many wait already.
            NotReadyError: no bundle is loaded.
            UnknownModelError: the bundle has no such model.
        """
        made = await self.batcher.submit(request)
        if self.served_log is not None and request.options.logged:
            self.served_log.add(request_id, made)
        return [one.answer for one in made]

    def _recommend(self, requests: Sequence[RecommendationRequest]) -> Sequence[list[MadeList] | Exception]:
        """What the service makes of a batch, by the scoring thread."""
        self._waiting_users.set(self.batcher.waiting)
        return self.service.recommend(requests)

    def close(self) -> None:
        """Finish what is under way, and write what the log holds."""
        self.batcher.close()
        if self.served_log:
            self.served_log.close()
