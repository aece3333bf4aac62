"""Why a request cannot be answered, said without HTTP: `serve.http.problems` gives each its status."""

from __future__ import annotations


class NotReadyError(Exception):
    """No bundle is loaded (yet); the message says why.

    Attributes:
        in_general: the same for strangers, without what only those who run the server should read.
    """

    def __init__(self, message: str, in_general: str | None = None) -> None:
        super().__init__(message)
        self.in_general = message if in_general is None else in_general


class OverloadedError(Exception):
    """More requests wait than are allowed to; this one was not queued."""


class TooSlowError(Exception):
    """An answer would take longer than one may; the message says what to ask instead."""


class UnknownItemError(Exception):
    """The catalogue of the bundle that answers holds no such item; the message names it."""


class TooManyItemsError(Exception):
    """There would be more new items than may live beside the bundle; the message says what to do."""


class NoReportError(Exception):
    """There is no report of the bundle that answers; the message says what to do."""


class UnknownRuleError(Exception):
    """There is no such rule; the message names it."""


class UnknownExperimentError(Exception):
    """There is no such experiment; the message names it."""


class UnfitRequestError(Exception):
    """What a request asks for does not go together, or does not exist here; the message says what was expected."""


class UnknownModelError(Exception):
    """The bundle that answers has no such model; the message names those it has."""
