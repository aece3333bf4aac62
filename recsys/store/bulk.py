"""Many rows at once, as the driver takes them: SQLAlchemy takes longer for each row than the database."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

ROWS_AT_ONCE = 1000


def insert_new(connection: sa.Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> int:
    """Insert rows, of which those stay as they are whose key is there already; returns how many are new.

    Up to `ROWS_AT_ONCE` go by one statement: the driver lets go of the interpreter once a statement.
    """
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    marks = f"({','.join([mark] * len(columns))})"
    new = 0
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        statement = f"INSERT INTO {table} ({','.join(columns)}) VALUES {','.join([marks] * len(part))}"
        values = tuple([value for row in part for value in row])
        new += connection.exec_driver_sql(f"{statement} ON CONFLICT DO NOTHING", values).rowcount
    return new
