"""Errors of the store. A caller that serves requests answers `StoreUnavailable` with "try again later"."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from recsys.core.errors import RecsysError

_MOST_SHOWN: Final = 20


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


class TextConflict(RecsysError):  # noqa: N818 - says it all
    """A rule or an experiment is not what the caller believes it to be, or there are too many; nothing was changed."""

    exit_code = 2


class TooManyTexts(TextConflict):
    """There are as many rules, or experiments, as may be."""


class ItemConflict(RecsysError):  # noqa: N818 - says it all
    """Items are not what the caller believes them to be; nothing was changed.

    Attributes:
        faults: what is wrong, by the places of the changes, from 0.
        missing: places of those that change an item which there is not.
    """

    exit_code = 2

    def __init__(self, faults: Mapping[int, str], missing: Collection[int]) -> None:
        self.faults, self.missing = dict(faults), frozenset(missing)
        shown = "; ".join(f"change {place}: {fault}" for place, fault in list(self.faults.items())[:_MOST_SHOWN])
        super().__init__(
            "items as the changes expect them", shown, "read them again and decide anew; nothing was changed"
        )


class PersonConflict(RecsysError):  # noqa: N818 - says it all
    """Two ids cannot be one person's; nothing was changed."""

    exit_code = 2
