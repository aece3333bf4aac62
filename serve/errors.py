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


class UnknownModelError(Exception):
    """The bundle that answers has no such model; the message names those it has."""
