"""Why a request cannot be answered, said without HTTP: `serve.http.problems` gives each its status."""

from __future__ import annotations


class NotReadyError(Exception):
    """No bundle is loaded (yet); the message says why."""


class OverloadedError(Exception):
    """More requests wait than are allowed to; this one was not queued."""


class UnknownModelError(Exception):
    """The bundle that answers has no such model; the message names those it has."""
