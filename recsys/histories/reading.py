"""What histories read of a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from recsys.core.errors import RecsysError
from recsys.store import Event, Store, StoreUnavailable, UserAttributes

StoreState = Literal["live", "off", "unavailable"]


class HistoryReader(Protocol):
    """A store, as far as histories ask it.

    Both raise StoreUnavailable where it does not answer.
    """

    def events_of(self, user_ids: Sequence[str], until: float | None, limit: int) -> dict[str, list[Event]]:
        """As `Store.item_events_of`."""
        ...

    def attributes_of(self, user_ids: Sequence[str]) -> dict[str, UserAttributes]:
        """What was said of those users of whom anything was."""
        ...


@dataclass(frozen=True)
class StoreReader:
    """Reads a store for whoever may wait for it."""

    store: Store

    def events_of(self, user_ids: Sequence[str], until: float | None, limit: int) -> dict[str, list[Event]]:
        """See `HistoryReader`."""
        try:
            return self.store.item_events_of(user_ids, until=until, limit=limit)
        except RecsysError as error:
            raise _unavailable(error) from error

    def attributes_of(self, user_ids: Sequence[str]) -> dict[str, UserAttributes]:
        """See `HistoryReader`."""
        try:
            return self.store.live_users.attributes_of_users(user_ids)
        except RecsysError as error:
            raise _unavailable(error) from error


def _unavailable(error: RecsysError) -> StoreUnavailable:
    if isinstance(error, StoreUnavailable):
        return error
    return StoreUnavailable(error.expected, error.got, error.remedy)
