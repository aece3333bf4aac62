"""Whose the interactions of a bundle are: some are to be forgotten, some became another user's, see `Persons`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

import numpy as np

from recsys.bundle import Bundle
from recsys.core.histories import Histories
from recsys.core.persons import Alias, Persons
from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Int64Array


@dataclass(frozen=True)
class Owned:
    """The interactions of a bundle that are a user's, where these are others than those of the user's row.

    Attributes:
        entries: item row, time, rating and weight of each, oldest first, as `merge` takes them.
        own: whether some of them are of the user's row.
    """

    entries: list[float] = field(default_factory=list)
    own: bool = False


@dataclass(frozen=True)
class Ownership:
    """Says whose the interactions of one bundle are.

    Attributes:
        persons: who is forgotten, and which ids are one person's.
        made_at: when the bundle was made, in seconds since 1970. Whoever was forgotten since is so whatever the times
            of the interactions say.
        rows: gives the user rows of ids; `NO_ITEM` for an unknown one.
    """

    persons: Persons
    made_at: float
    rows: Callable[[Sequence[str]], Mapping[str, int]]

    @classmethod
    def of(cls, bundle: Bundle, persons: Persons, rows: Callable[[Sequence[str]], Mapping[str, int]]) -> Self:
        """Of the interactions of a bundle."""
        return cls(persons, datetime.fromisoformat(bundle.manifest.created_at).timestamp(), rows)

    def concerns(self, user_id: str) -> bool:
        """Whether anything is known of a user that a bundle may not know."""
        persons = self.persons
        return bool(persons) and (
            user_id in persons.aliases_of
            or user_id in persons.aliases_from
            or persons.forgotten_until(user_id) > -np.inf
        )

    def of_user(self, histories: Histories, user_id: str, row: int) -> Owned | None:
        """The interactions that are a user's; None: those of the user's row, all and no others.

        Args:
            histories: of the bundle's users.
            user_id: of the user.
            row: the user's; `NO_ITEM`: the bundle does not know the user.
        """
        if not self.concerns(user_id):
            return None
        forgotten_until = self.persons.forgotten_until(user_id)
        place = _of_row(histories, row)
        own = _outside(histories.timestamps[place], self.persons.aliases_from.get(user_id, ()), forgotten_until)
        hidden = forgotten_until >= self.made_at  # with the row's attributes, also where it has no interactions
        if hidden:
            own[:] = False
        parts = [np.arange(place.start, place.stop)[own]]
        aliases = self.persons.aliases_of.get(user_id, ())
        alias_rows = self.rows([alias.alias_id for alias in aliases])
        for alias in aliases:
            other = _of_row(histories, alias_rows[alias.alias_id])
            times = histories.timestamps[other]
            held = (times > max(alias.since, forgotten_until)) & (times <= alias.until)
            parts.append(np.arange(other.start, other.stop)[held])
        if own.all() and not hidden and not any(len(part) for part in parts[1:]):
            return None
        return Owned(_entries(histories, np.concatenate(parts)), bool(own.any()))


def _outside(times: Int64Array, aliases: Iterable[Alias], forgotten_until: float) -> BoolArray:
    """Which of the times are neither of another user nor forgotten."""
    outside: BoolArray = times > forgotten_until
    for alias in aliases:
        outside &= (times <= alias.since) | (times > alias.until)
    return outside


def _of_row(histories: Histories, row: int) -> slice:
    if row == NO_ITEM:
        return slice(0, 0)
    return slice(int(histories.indptr[row]), int(histories.indptr[row + 1]))


def _entries(histories: Histories, places: Int64Array) -> list[float]:
    places = places[np.argsort(histories.timestamps[places], kind="stable")]
    columns = (histories.items, histories.timestamps, histories.ratings, histories.weights)
    entries: list[float] = np.stack([column[places].astype(np.float64) for column in columns], axis=1).ravel().tolist()
    return entries
