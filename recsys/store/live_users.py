"""What a shop says of its users: attributes, whom to forget, and which ids are one person's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from recsys.core.item_changes import FieldValue
from recsys.core.persons import Alias, Persons, Tombstone, hash_of
from recsys.store import experiment_units
from recsys.store.database import Database
from recsys.store.errors import PersonConflict
from recsys.store.live_user_records import ForgottenUser, MergedUser, UserAttributes, attributes_of, check_attributes
from recsys.store.persons import NOTHING_BEFORE
from recsys.store.records import check_key, is_storable, storable
from recsys.store.tables import (
    ALIASES,
    EVENTS,
    LIST_EVENTS,
    PERSONS_VERSION,
    SERVED,
    TOMBSTONES,
    USER_ATTRIBUTES,
    USERS,
)
from recsys.store.user_export import UserExport

_E, _U, _S, _L = EVENTS.c, USERS.c, SERVED.c, LIST_EVENTS.c
_UA, _T, _A, _V = USER_ATTRIBUTES.c, TOMBSTONES.c, ALIASES.c, PERSONS_VERSION.c
ROWS_AT_ONCE: Final = 2000
NO_EXPERIMENTS: Final[Mapping[str, int]] = MappingProxyType({})
NO_LAYERS: Final[Mapping[str, str]] = MappingProxyType({})
PATIENCE_S: Final = 30.0
"""Longest that forgetting or merging may take: a person may have hundreds of thousands of events."""


class LiveUsers:
    """The live users of a store. Errors as of `Store`.

    Who forgets or merges locks the number of changes first, and holds off those that append events or served lists: so
    nothing of a forgotten person is written once that person is forgotten, whatever was on its way.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> int:
        """How many changes of tombstones and aliases there have been; a single row is read."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(_V.version)).scalar_one())

    def persons(self) -> Persons:
        """All tombstones and aliases, at least those up to `version()` at the start of the call."""
        version = self.version()
        with self._database.read() as connection:
            # Aliases first: a tombstone that is read later hides more, never less.
            aliases = [_alias(row) for row in connection.execute(sa.select(ALIASES).order_by(_A.alias_id, _A.since))]
            tombstones = [Tombstone(*row) for row in connection.execute(sa.select(_T.user_hash, _T.timestamp))]
        return Persons.of(tombstones, aliases, version)

    def follow(self, before: Persons) -> Persons:
        """The tombstones and aliases of now, of which those of before are known: what has changed is read."""
        version = self.version()
        if version == before.version:
            return before
        if version < before.version or not before.version:  # another state of the store, or the first one
            found = self.persons()
            # What was forgotten stays so, though the store was restored from before.
            return replace(found, tombstones={**before.tombstones, **found.tombstones})
        with self._database.read() as connection:
            aliases = connection.execute(sa.select(ALIASES).where(_A.version > before.version)).all()
            tombs = connection.execute(sa.select(TOMBSTONES).where(_T.version > before.version)).all()
        tombstones = [Tombstone(row.user_hash, row.timestamp) for row in tombs]
        return before.after(tombstones, [_alias(row) for row in aliases], version)

    def attributes_of(self, user_id: str) -> UserAttributes | None:
        """What was said of a user; None: nothing."""
        return self.attributes_of_users([user_id]).get(user_id)

    def attributes_of_users(self, user_ids: Sequence[str]) -> dict[str, UserAttributes]:
        """What was said of those users of whom anything was."""
        asked = [user_id for user_id in user_ids if is_storable(user_id)]
        found: dict[str, UserAttributes] = {}
        for start in range(0, len(asked), ROWS_AT_ONCE):
            statement = sa.select(USER_ATTRIBUTES).where(_UA.user_id.in_(asked[start : start + ROWS_AT_ONCE]))
            with self._database.read() as connection:
                found |= {row.user_id: _attributes(row) for row in connection.execute(statement)}
        return found

    def all_attributes(self) -> Iterator[UserAttributes]:
        """What was said of all users, in the order of their ids, read in parts."""
        last = ""
        while True:
            statement = sa.select(USER_ATTRIBUTES).where(_UA.user_id > last).order_by(_UA.user_id).limit(ROWS_AT_ONCE)
            with self._database.read() as connection:
                rows = connection.execute(statement).all()
            yield from map(_attributes, rows)
            if len(rows) < ROWS_AT_ONCE:
                return
            last = rows[-1].user_id

    def export(self, user_id: str) -> UserExport:
        """All that is kept of a user beside the attributes, to be read in parts."""
        return UserExport(self._database, user_id)

    def put(
        self, user_id: str, attributes: dict[str, FieldValue], *, consent: bool, who: str | None, timestamp: float
    ) -> tuple[UserAttributes, UserAttributes | None]:
        """Say what is to be kept of a user, in the place of what was kept; without consent nothing is.

        Args:
            user_id: of the user.
            attributes: values by name.
            consent: whether the user agrees to their being kept.
            who: who says so, if that is known. Characters that no database can hold become U+FFFD.
            timestamp: seconds since 1970.

        Returns:
            What is kept now, and what was kept before; None: nothing was.

        Raises:
            InvalidRecord: the id or an attribute cannot be stored.
        """
        kept = UserAttributes(
            user_id, attributes if consent else {}, consent, timestamp, None if who is None else storable(who)
        )
        written = check_attributes(user_id, kept.attributes)
        insert = self._database.backend.insert(USER_ATTRIBUTES)
        upsert = insert.on_conflict_do_update(
            index_elements=[_UA.user_id],
            set_={name: insert.excluded[name] for name in ("attributes", "consent", "updated_at", "updated_by")},
        )
        row = {
            "user_id": user_id,
            "attributes": written,
            "consent": int(consent),
            "updated_at": timestamp,
            "updated_by": kept.updated_by,
        }
        with self._database.write() as connection:
            before = connection.execute(sa.select(USER_ATTRIBUTES).where(_UA.user_id == user_id)).one_or_none()
            connection.execute(upsert, row)
        return kept, None if before is None else _attributes(before)

    def forget(self, user_id: str, timestamp: float) -> ForgottenUser:
        """Remove all that the store has of a user, and leave a tombstone, in one transaction; it may be repeated.

        Events of that time or before it that come later are not stored. What an alias of the user did is forgotten
        with the user. Later events are of a new person.

        Args:
            user_id: of the user, whom the store need not know.
            timestamp: seconds since 1970, now.

        Raises:
            InvalidRecord: no user can have such an id.
        """
        check_key(user_id, "the id of a user")
        with self._database.write(PATIENCE_S) as connection:
            version = self._lock(connection)
            events = connection.execute(sa.delete(EVENTS).where(_E.user_id == user_id)).rowcount
            connection.execute(sa.delete(USERS).where(_U.user_id == user_id))
            list_events = connection.execute(sa.delete(LIST_EVENTS).where(_L.user_id == user_id)).rowcount
            served = connection.execute(sa.delete(SERVED).where(_S.user_id == user_id)).rowcount
            attributes = connection.execute(sa.delete(USER_ATTRIBUTES).where(_UA.user_id == user_id)).rowcount
            own = connection.execute(sa.select(ALIASES).where(_A.user_id == user_id)).all()
            timestamp = max([timestamp, *(row.until for row in own)])  # a clock may have been ahead
            connection.execute(sa.delete(ALIASES).where(_A.user_id == user_id))
            experiment_units.forget(connection, [user_id, *(row.alias_id for row in own)])
            others = sa.select(_A.user_id).where(_A.alias_id == user_id).distinct().order_by(_A.user_id)
            merged_into = tuple(connection.execute(others).scalars())
            for forgotten_id, until in [*((row.alias_id, row.until) for row in own), (user_id, timestamp)]:
                self._entomb(connection, forgotten_id, until, version)
        return ForgottenUser(timestamp, events, served, attributes, len(own), merged_into, list_events)

    def merge(
        self,
        user_id: str,
        from_id: str,
        timestamp: float,
        running: Mapping[str, int] = NO_EXPERIMENTS,
        layers: Mapping[str, str] = NO_LAYERS,
    ) -> MergedUser:
        """Let all that an id did up to now be a user's, in one transaction; it may be repeated.

        Events and served lists of the store move; of bundles and files an alias tells. What was said of the id, its
        attributes, is removed: who it is has just become known. What it does later is its own again.

        Args:
            user_id: the user's.
            from_id: of an anonymous session, for example.
            timestamp: seconds since 1970, now.
            running: version of each running experiment, by key: which id it assigns the user by from now on, is
                written, see `recsys.store.experiment_units.keep_first`.
            layers: of these, as there.

        Raises:
            PersonConflict: the two are one id; the user is an alias; the user was forgotten and is not known since.
            InvalidRecord: no user can have such an id.
        """
        check_key(user_id, "the id of a user")
        check_key(from_id, "the id that is merged")
        if user_id == from_id:
            raise PersonConflict("two ids", f"{user_id!r} twice", "name the id that was used before as from")
        with self._database.write(PATIENCE_S) as connection:
            version = self._lock(connection)
            _require_user(connection, user_id)
            experiment_units.keep_first(connection, running, layers, user_id, from_id)
            events, list_events, served = [
                connection.execute(sa.update(table).where(table.c.user_id == from_id).values(user_id=user_id)).rowcount
                for table in (EVENTS, LIST_EVENTS, SERVED)
            ]
            connection.execute(sa.delete(USER_ATTRIBUTES).where(_UA.user_id == from_id))
            if events:
                _count_again(connection, user_id)
                connection.execute(sa.delete(USERS).where(_U.user_id == from_id))
            passed_on = sa.update(ALIASES).where(_A.user_id == from_id).values(user_id=user_id, version=version)
            aliases = connection.execute(passed_on).rowcount
            _put_alias(connection, from_id, user_id, timestamp, version)
        return MergedUser(timestamp, events, served, aliases, list_events)

    def _lock(self, connection: sa.Connection) -> int:
        """Hold off all others that forget, merge or append; the number of the change that comes."""
        self._database.backend.allow(connection, PATIENCE_S)
        self._database.backend.lock_persons(connection, shared=False)
        version = int(connection.execute(sa.select(_V.version).with_for_update()).scalar_one()) + 1
        connection.execute(sa.update(PERSONS_VERSION).values(version=version))
        return version

    def _entomb(self, connection: sa.Connection, user_id: str, until: float, version: int) -> None:
        insert = self._database.backend.insert(TOMBSTONES)
        later = sa.case((insert.excluded.timestamp > _T.timestamp, insert.excluded.timestamp), else_=_T.timestamp)
        upsert = insert.on_conflict_do_update(
            index_elements=[_T.user_hash], set_={"timestamp": later, "version": insert.excluded.version}
        )
        connection.execute(upsert, {"user_hash": hash_of(user_id), "timestamp": until, "version": version})


def _require_user(connection: sa.Connection, user_id: str) -> None:
    """Stop where nothing can become this user's."""
    other = connection.execute(sa.select(_A.user_id).where(_A.alias_id == user_id).limit(1)).scalar()
    if other is not None:
        raise PersonConflict(
            "the id of a user to whom things belong",
            f"{user_id!r}, which was merged into {other!r}",
            f"merge into {other!r}; nothing was changed",
        )
    forgotten = sa.select(_T.timestamp).where(_T.user_hash == hash_of(user_id))
    known = sa.select(_U.user_id).where(_U.user_id == user_id)
    described = sa.select(_UA.user_id).where(_UA.user_id == user_id)
    if connection.execute(forgotten).scalar() is not None and not any(
        connection.execute(statement).scalar() is not None for statement in (known, described)
    ):
        raise PersonConflict(
            "a user who is known",
            f"{user_id!r}, who was forgotten",
            "if this is a new person of that id, say so first: PUT the user; nothing was changed",
        )


def _put_alias(connection: sa.Connection, alias_id: str, user_id: str, until: float, version: int) -> None:
    """Let what an id did be a user's, from where the last alias or tombstone of the id ends."""
    last = connection.execute(
        sa.select(ALIASES).where(_A.alias_id == alias_id).order_by(_A.since.desc()).limit(1)
    ).one_or_none()
    forgotten = connection.execute(sa.select(_T.timestamp).where(_T.user_hash == hash_of(alias_id))).scalar()
    since = max(NOTHING_BEFORE if forgotten is None else forgotten, NOTHING_BEFORE if last is None else last.until)
    until = max(until, since)
    if last is not None and last.user_id == user_id and last.until == since:
        same = (_A.alias_id == alias_id) & (_A.since == last.since)
        connection.execute(sa.update(ALIASES).where(same).values(until=until, version=version))
        return
    row = {"alias_id": alias_id, "since": since, "until": until, "user_id": user_id, "version": version}
    connection.execute(sa.insert(ALIASES), row)


def _count_again(connection: sa.Connection, user_id: str) -> None:
    """Write the counts and times of a user's events anew."""
    connection.execute(sa.delete(USERS).where(_U.user_id == user_id))
    counted = sa.select(
        sa.literal(user_id), sa.func.count(), sa.func.min(_E.timestamp), sa.func.max(_E.timestamp)
    ).where(_E.user_id == user_id)
    columns = ["user_id", "event_count", "first_timestamp", "last_timestamp"]
    connection.execute(sa.insert(USERS).from_select(columns, counted))


def _alias(row: Any) -> Alias:
    return Alias(row.alias_id, row.user_id, row.since, row.until)


def _attributes(row: Any) -> UserAttributes:
    return UserAttributes(row.user_id, attributes_of(row.attributes), bool(row.consent), row.updated_at, row.updated_by)
