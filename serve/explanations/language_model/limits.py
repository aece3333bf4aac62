"""How much a language model is asked: so many calls at once, so many a minute, and none while it keeps failing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from serve.buckets import Buckets
from serve.explanations.language_model.failures import Failure, NoAnswerError

FAILURES, REST_S = 3, 10.0  # so many in a row, and nothing is asked for so long; after each further one, twice as long
LONGEST_REST_S = 300.0  # whatever the service asks for
CALLER = "language model"


class Limits:
    """The calls of one process; the budget may be that of all workers."""

    def __init__(self, budget: Buckets, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget, self._free, self._clock = budget, at_once, clock
        self._failures, self._rests_until = 0, 0.0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around a call.

        Raises:
            NoAnswerError: there may be none now.
        """
        if self._clock() < self._rests_until:
            raise NoAnswerError(Failure.RESTING)
        if not self._free:
            raise NoAnswerError(Failure.BUSY)
        if self._budget.take(CALLER).wait_s:
            raise NoAnswerError(Failure.OVER_BUDGET)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1

    def succeeded(self) -> None:
        """The service answered, whatever its answer is worth."""
        self._failures = 0

    def failed(self, rest_s: float = 0.0) -> None:
        """It did not, or asked to be left alone for so long."""
        self._failures += 1
        if not rest_s and self._failures >= FAILURES:
            rest_s = REST_S * 2.0 ** min(self._failures - FAILURES, 16)
        if rest_s:
            self._rests_until = self._clock() + min(rest_s, LONGEST_REST_S)
