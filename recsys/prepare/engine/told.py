"""What rows with a time tell of users and items: of each field of each of them the latest value that is known.

Rows are summed up as they come, so that a log of any length takes the space of what it tells, not of its rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

import pyarrow as pa

from recsys.core.values.missing import MISSING_IDS
from recsys.prepare import columns as c
from recsys.prepare.engine.staging import Database, count, replace_table

Entity = Literal["user", "item"]
# Rows beyond those that were left the last time, from which on they are summed up again.
_MOST_NEW_ROWS = 1 << 20
# Ties in time are decided by the order of the rows.
_MOMENT = f"CAST({c.TIMESTAMP} AS HUGEINT) * 9223372036854775808 + {c.SEQ}"
_WORDS = ", ".join(f"'{word}'" for word in sorted(MISSING_IDS | {"[]"}))


class Told:
    """Table `told_users` or `told_items`: of an id and a field the latest value, as a text; lists are written as JSON.

    A value that is missing tells nothing: what was told before holds.
    """

    def __init__(self, db: Database, entity: Entity) -> None:
        """Make the empty table."""
        self._db, self._table, self._id = db, f"told_{entity}s", f"{entity}_id"
        self._most_rows = _MOST_NEW_ROWS
        db.execute(
            f"CREATE TABLE {self._table}"
            f" (id VARCHAR, {c.FIELD} VARCHAR, {c.VALUE} VARCHAR, moment HUGEINT, listed BOOLEAN)"
        )

    def add_columns(self, batch: pa.Table, fields: Mapping[str, str]) -> None:
        """Add what events tell: a table with an id, timestamp, seq, and the columns that are named, texts or lists."""
        if not fields:
            return
        self._db.register("batch", batch)
        for column, field in fields.items():
            is_list = pa.types.is_nested(batch.schema.field(column).type)
            value = f'CAST(to_json("{column}") AS VARCHAR)' if is_list else f'"{column}"'
            self._db.execute(
                f"""
                INSERT INTO {self._table}
                SELECT {self._id}, $field, arg_max({value}, {_MOMENT}), max({_MOMENT}), false
                FROM batch WHERE {_tells(value)} GROUP BY {self._id}
                """,
                {"field": field},
            )
        self._db.unregister("batch")
        self._sum_up_if_long()

    def add_rows(self, batch: pa.Table) -> None:
        """Add what a property log tells: a table with an id, timestamp, seq, field and value; it lists its items."""
        self._db.register("batch", batch)
        self._db.execute(
            f"""
            INSERT INTO {self._table}
            SELECT {self._id}, {c.FIELD}, arg_max({c.VALUE}, {_MOMENT}), max({_MOMENT}), true
            FROM batch WHERE {_tells(c.VALUE)} GROUP BY {self._id}, {c.FIELD}
            """
        )
        self._db.unregister("batch")
        self._sum_up_if_long()

    def fields(self) -> set[str]:
        """The fields of which any value has been told."""
        return {name for (name,) in self._db.execute(f"SELECT DISTINCT {c.FIELD} FROM {self._table}").fetchall()}

    def close(self) -> None:
        """Sum up all rows; nothing is added any more."""
        replace_table(
            self._db,
            self._table,
            f"""
            SELECT id, {c.FIELD}, arg_max({c.VALUE}, moment) AS {c.VALUE}, max(moment) AS moment,
                   bool_or(listed) AS listed
            FROM {self._table} GROUP BY id, {c.FIELD}
            """,
        )

    def of(self, ids: Collection[str]) -> dict[str, dict[str, str]]:
        """What is known of some, by id and field; nothing of those of whom nothing is."""
        self._db.register("batch", pa.table({"id": pa.array(list(ids), pa.string())}))
        rows = self._db.execute(
            f"SELECT id, {c.FIELD}, {c.VALUE} FROM {self._table} SEMI JOIN batch USING (id)"
        ).fetchall()
        self._db.unregister("batch")
        found: dict[str, dict[str, str]] = {}
        for key, field, value in rows:
            found.setdefault(key, {})[field] = value
        return found

    def _sum_up_if_long(self) -> None:
        if count(self._db, self._table) > self._most_rows:
            self.close()
            self._most_rows = 2 * count(self._db, self._table) + _MOST_NEW_ROWS


def _tells(value: str) -> str:
    """SQL that says whether a text tells anything: whether it is no word for none."""
    return f"{value} IS NOT NULL AND lower(trim({value})) NOT IN ({_WORDS})"
