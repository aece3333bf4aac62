"""A shop's rules, kept as texts, with a trail of all changes. Changes come one by one, and each has a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import sqlalchemy as sa

from recsys.store import paging
from recsys.store.database import Database
from recsys.store.errors import RuleConflict, TooManyRules
from recsys.store.records import (
    Page,
    RuleAction,
    RuleChange,
    StoredRule,
    StoredRules,
    check_body,
    check_key,
    is_storable,
    storable,
)
from recsys.store.tables import RULE_CHANGES, RULES, RULES_VERSION

ABSENT: Final = 0  # the version of a rule that does not exist
_R, _C, _V = RULES.c, RULE_CHANGES.c, RULES_VERSION.c
_LISTING = "rule changes"


class Rules:
    """The rules of a store, with all that was ever done with them. Errors as of `Store`.

    Who changes rules locks their number of changes first: one at a time does, whatever the database, and a reader who
    knows that number knows all changes before it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> int:
        """How many changes there have been; a single row is read, so ask as often as you like."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(_V.version)).scalar_one())

    def read(self) -> StoredRules:
        """All rules, and how many changes made them; one statement reads both, as of one moment."""
        everything = RULES_VERSION.join(RULES, sa.true(), isouter=True)
        statement = sa.select(_V.version, RULES).select_from(everything).order_by(_R.rule_id)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return StoredRules(rows[0][0], tuple(StoredRule(*row[1:]) for row in rows if row[1] is not None))

    def put(
        self,
        rule_id: str,
        body: str,
        *,
        who: str | None,
        timestamp: float,
        expected: int | None = None,
        most: int,
    ) -> tuple[StoredRule, Literal["created", "replaced"] | None]:
        """Create or replace a rule, and note that in the trail of changes, in one transaction.

        Args:
            rule_id: its name.
            body: what it says, any text.
            who: who does this, if that is known. Characters that no database can hold become U+FFFD.
            timestamp: seconds since 1970.
            expected: version that the rule must be of, `ABSENT`: it must not exist; None: whatever it is.
            most: rules that there may be.

        Returns:
            The rule as it is now, and what was done; None: it said the same before, nothing was changed.

        Raises:
            RuleConflict: it is not of the expected version.
            TooManyRules: there are as many as may be.
            InvalidRecord: id or body cannot be stored.
        """
        check_key(rule_id, "the id of a rule")
        check_body(body)
        with self._database.write() as connection:
            writer = _Writer(connection, _named(who), timestamp)
            version = writer.lock() + 1
            before = writer.current(rule_id, expected)
            if before is not None and before.body == body:
                return before, None
            if before is None:
                writer.require_room(1, most)
            return writer.put(version, rule_id, body, before), "created" if before is None else "replaced"

    def delete(
        self, rule_id: str, *, who: str | None, timestamp: float, expected: int | None = None
    ) -> StoredRule | None:
        """Remove a rule, which the trail of changes keeps; arguments and errors as of `put`.

        Returns:
            The rule that is no more; None: there was none.
        """
        if not is_storable(rule_id):
            return None
        with self._database.write() as connection:
            writer = _Writer(connection, _named(who), timestamp)
            version = writer.lock() + 1
            before = writer.current(rule_id, expected)
            if before is not None:
                connection.execute(sa.delete(RULES).where(_R.rule_id == rule_id))
                writer.note(version, rule_id, "deleted", before.body, None)
        return before

    def seed(self, bodies: Mapping[str, str], *, who: str | None, timestamp: float, most: int) -> bool:
        """Create rules, given as bodies by id, if there has never been one; returns whether any were created.

        Other arguments and errors as of `put`.
        """
        for rule_id, body in bodies.items():
            check_key(rule_id, "the id of a rule")
            check_body(body)
        with self._database.write() as connection:
            writer = _Writer(connection, _named(who), timestamp)
            if writer.lock():
                return False
            writer.require_room(len(bodies), most)
            for version, (rule_id, body) in enumerate(bodies.items(), 1):
                writer.put(version, rule_id, body, None)
        return bool(bodies)

    def changes(self, rule_id: str | None, cursor: str | None, limit: int) -> Page[RuleChange]:
        """Changes of all rules, or of one that may not exist any more, the latest first.

        Args:
            rule_id: of the one; None: of all.
            cursor: of the page before; None for the first page.
            limit: most rows, at least 1.

        Raises:
            InvalidCursor: see there.
        """
        statement = sa.select(RULE_CHANGES).order_by(_C.version.desc()).limit(limit + 1)
        if cursor is not None:
            (before,) = paging.decode(_LISTING, cursor, int)
            statement = statement.where(_C.version < before)
        if rule_id is not None:
            if not is_storable(rule_id):
                return Page([])
            statement = statement.where(_C.rule_id == rule_id)
        with self._database.read() as connection:
            changes = [RuleChange(*row) for row in connection.execute(statement)]
        return paging.page(_LISTING, changes, limit, lambda change: [change.version])


@dataclass(frozen=True)
class _Writer:
    """Who changes rules, in one transaction."""

    connection: sa.Connection
    who: str | None
    timestamp: float

    def lock(self) -> int:
        """Wait until nobody else changes rules, and keep others from it; the number of changes so far."""
        return int(self.connection.execute(sa.select(_V.version).with_for_update()).scalar_one())

    def current(self, rule_id: str, expected: int | None) -> StoredRule | None:
        """The rule as it is now, which must be of the `expected` version."""
        row = self.connection.execute(sa.select(RULES).where(_R.rule_id == rule_id)).one_or_none()
        current = None if row is None else StoredRule(*row)
        version = ABSENT if current is None else current.version
        if expected is not None and expected != version:
            raise RuleConflict(
                f"rule {rule_id!r} {_state(expected)}",
                f"one {_state(version)}",
                "read it again and decide anew; nothing was changed",
            )
        return current

    def require_room(self, more: int, most: int) -> None:
        """Stop where there would be too many."""
        count = int(self.connection.execute(sa.select(sa.func.count()).select_from(RULES)).scalar_one()) + more
        if count > most:
            raise TooManyRules(f"{most} rules at most", f"{count}", "delete some; nothing was changed")

    def put(self, version: int, rule_id: str, body: str, before: StoredRule | None) -> StoredRule:
        """Write a rule in the place of what was there before."""
        rule = StoredRule(rule_id, body, version, self.timestamp, self.who)
        if before is None:
            self.connection.execute(sa.insert(RULES), rule._asdict())
        else:
            self.connection.execute(sa.update(RULES).where(_R.rule_id == rule_id).values(rule._asdict()))
        self.note(version, rule_id, "created" if before is None else "replaced", before and before.body, body)
        return rule

    def note(self, version: int, rule_id: str, action: RuleAction, before: str | None, after: str | None) -> None:
        """Write what happens into the trail, and count it."""
        change = RuleChange(version, rule_id, action, self.who, self.timestamp, before, after)
        self.connection.execute(sa.insert(RULE_CHANGES), change._asdict())
        self.connection.execute(sa.update(RULES_VERSION).values(version=version))


def _state(version: int) -> str:
    return "that does not exist" if version == ABSENT else f"of version {version}"


def _named(who: str | None) -> str | None:
    return None if who is None else storable(who)
