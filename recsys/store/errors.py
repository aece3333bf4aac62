"""Errors of the store. A caller that serves requests answers `StoreUnavailable` with "try again later"."""

from recsys.core.errors import RecsysError


class StoreError(RecsysError):
    """The store's URL is wrong, or its schema is not the one this version needs."""

    exit_code = 6


class StoreUnavailable(RecsysError):  # noqa: N818 - what the caller sees, not a fault of the caller
    """The database is down, locked, full, or slower than the time limit; the same call may succeed later."""

    exit_code = 7


class StoreDamaged(StoreUnavailable):
    """The database's file is removed, replaced, overwritten or corrupt: nothing of it is to be relied upon."""


class InvalidRecord(RecsysError):  # noqa: N818 - says it all
    """A record holds a value that cannot be stored; nothing of the call has been stored."""

    exit_code = 3


class InvalidCursor(RecsysError):  # noqa: N818 - says it all
    """A cursor is not one that the same listing gave."""

    exit_code = 2


class RuleConflict(RecsysError):  # noqa: N818 - says it all
    """A rule is not what the caller believes it to be, or there are as many as may be; nothing was changed."""

    exit_code = 2


class TooManyRules(RuleConflict):
    """There are as many rules as may be."""
