"""Who is behind the ids of users: what is to be forgotten of them, and which ids are those of one person.

A *tombstone* says that what a user did up to a time is to be forgotten: it is invisible in every bundle, and no
preparation reads it. It names nobody: the id is kept as its SHA-256 alone. An *alias* says that what an id did in a
time belongs to another user, such as what an anonymous session did until its user logged in. Whatever an id does later
is of somebody else again: a device may be shared, and a forgotten person may come back as a stranger.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self


def hash_of(user_id: str) -> str:
    """SHA-256 of an id in UTF-8, in 64 hexadecimal digits: as DuckDB's `sha256` gives it."""
    return hashlib.sha256(user_id.encode("utf8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is to be forgotten of a user.

    Attributes:
        user_hash: see `hash_of`.
        timestamp: what is at this time or before it, in seconds since 1970.
    """

    user_hash: str
    timestamp: float


@dataclass(frozen=True, slots=True)
class Alias:
    """What an id did in a time belongs to a user.

    Attributes:
        alias_id: the id, of an anonymous session for example. No user to whom something belongs is an alias.
        user_id: the user to whom it belongs.
        since, until: after the first and up to the second, in seconds since 1970. Aliases of one id do not overlap.
    """

    alias_id: str
    user_id: str
    since: float
    until: float

    def holds(self, timestamp: float) -> bool:
        """Whether a time is one of those."""
        return self.since < timestamp <= self.until


@dataclass(frozen=True)
class Persons:
    """All tombstones and aliases as of one moment.

    Attributes:
        tombstones: times of what is to be forgotten, by the hash of the id; see `Tombstone`.
        aliases_from: by an id, to whom belongs what it did in which time.
        aliases_of: by the id of a user, the aliases whose doings are that user's.
        version: number of changes until then.
    """

    tombstones: Mapping[str, float] = field(default_factory=dict)
    aliases_from: Mapping[str, tuple[Alias, ...]] = field(default_factory=dict)
    aliases_of: Mapping[str, tuple[Alias, ...]] = field(default_factory=dict)
    version: int = 0

    @classmethod
    def of(cls, tombstones: Iterable[Tombstone], aliases: Iterable[Alias], version: int = 0) -> Self:
        """Those given."""
        return cls({one.user_hash: one.timestamp for one in tombstones}, *_by_ids(aliases), version)

    def after(self, tombstones: Sequence[Tombstone], aliases: Sequence[Alias], version: int) -> Persons:
        """What becomes of them by changes: newer tombstones and aliases take the places of those of before.

        An alias is known again by its id and its beginning. With a user all that is the user's is forgotten.
        """
        if not tombstones and not aliases:
            return replace(self, version=version)
        times = {one.user_hash: one.timestamp for one in tombstones}
        changed = {(alias.alias_id, alias.since): alias for alias in aliases}
        kept = {(alias.alias_id, alias.since): alias for alias in self.aliases} | changed
        if times:
            forgotten = {user for user in {alias.user_id for alias in kept.values()} if hash_of(user) in times}
            kept = {
                key: alias
                for key, alias in kept.items()
                if alias.user_id not in forgotten or alias.until > times[hash_of(alias.user_id)]
            }
        known = {**self.tombstones, **times} if times else self.tombstones
        return Persons(known, *_by_ids(kept.values()), version)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.tombstones or self.aliases_from)

    @property
    def aliases(self) -> Iterator[Alias]:
        """All of them."""
        return (alias for aliases in self.aliases_from.values() for alias in aliases)

    def forgotten_until(self, user_id: str) -> float:
        """The time up to which a user is forgotten; -inf: never was."""
        return self.tombstones.get(hash_of(user_id), -math.inf) if self.tombstones else -math.inf

    def user_of(self, user_id: str, timestamp: float) -> str | None:
        """To whom belongs what an id did at a time: first by the aliases; None: it is to be forgotten."""
        for alias in self.aliases_from.get(user_id, ()):
            if alias.holds(timestamp):
                user_id = alias.user_id
                break
        return None if timestamp <= self.forgotten_until(user_id) else user_id


def _by_ids(aliases: Iterable[Alias]) -> tuple[dict[str, tuple[Alias, ...]], dict[str, tuple[Alias, ...]]]:
    """Aliases by their own ids, and by those of their users."""
    of_ids: dict[str, list[Alias]] = {}
    of_users: dict[str, list[Alias]] = {}
    for alias in aliases:
        of_ids.setdefault(alias.alias_id, []).append(alias)
        of_users.setdefault(alias.user_id, []).append(alias)
    return {name: tuple(one) for name, one in of_ids.items()}, {name: tuple(one) for name, one in of_users.items()}
