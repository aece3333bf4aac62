"""Why there is no answer of the language model."""

from __future__ import annotations

from enum import StrEnum


class Failure(StrEnum):
    """What went wrong with a call, or why there was none."""

    BUSY = "busy"
    """As many calls are under way as may be at once."""
    OVER_BUDGET = "over_budget"
    RESTING = "resting"
    """Calls failed lately, or the service asked to be left alone; nothing is asked for a while."""
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    """No connection, or it ended before the answer did."""
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    """A status of 500 or more."""
    REJECTED = "rejected"
    """Another status: the key, the model's name or the URL is wrong."""
    REDIRECTED = "redirected"
    """Redirects are not followed: the key would go with them."""
    TOO_LARGE = "too_large"
    BROKEN = "broken"
    """Not what was asked for: no JSON, another schema, cut off."""
    ERROR = "error"
    """A fault of this program."""


PASSING = frozenset({Failure.UNREACHABLE, Failure.UNAVAILABLE, Failure.BROKEN, Failure.TOO_LARGE})
"""After these a second try may go better."""
UNASKED = frozenset({Failure.BUSY, Failure.OVER_BUDGET, Failure.RESTING})
"""With these no call was made."""


class NoAnswerError(Exception):
    """There is none.

    Attributes:
        failure: why.
        rest_s: seconds for which the service asked to be left alone; 0: it did not.
    """

    def __init__(self, failure: Failure, detail: str = "", rest_s: float = 0.0) -> None:
        super().__init__(detail or failure)
        self.failure, self.rest_s = failure, rest_s
