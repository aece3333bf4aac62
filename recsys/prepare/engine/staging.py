"""The database of a preparation: connecting, loading Arrow tables, asking for one value."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from recsys.prepare.settings import DataConfig


class Database(Protocol):
    """What runs the statements of a preparation: a connection of DuckDB, or what answers alike.

    Statements are DuckDB's. Rows have no order but that of their ORDER BY.
    """

    def execute(self, query: str, parameters: object = None, /) -> Any:
        """Run a statement, with values for its `$name`; `fetchall` of what it returns gives the rows of a query."""

    def sql(self, query: str, /) -> Any:
        """A query, of which `to_arrow_reader(rows)` gives the rows in batches of Arrow, in their order."""

    def register(self, view_name: str, python_object: object, /) -> Any:
        """Let statements read an Arrow table under a name."""

    def unregister(self, view_name: str, /) -> Any:
        """Forget such a name."""

    def cursor(self) -> Any:
        """Reads rows of tables of items a few at a time, while others are written."""

    def close(self) -> None:
        """Forget all tables."""


SEQ_BITS = 40  # of `seq` that count the rows of an input; those above them are the number of the input


def connect(config: DataConfig, spill: Path) -> duckdb.DuckDBPyConnection:
    """An in-memory database that keeps to the config's memory limit and spills into `spill`."""
    return duckdb.connect(
        config={
            "memory_limit": f"{config.memory_limit_mb}MB",
            "threads": config.threads,
            "temp_directory": str(spill),
            "preserve_insertion_order": False,
        }
    )


def create_raw_table(db: Database) -> None:
    """Make the empty table `raw`, into which interactions are loaded; what a format lacks is null."""
    db.execute(
        "CREATE TABLE raw (user_id VARCHAR, item_id VARCHAR, timestamp BIGINT, rating FLOAT, weight FLOAT DEFAULT 1,"
        " price FLOAT, quantity FLOAT, event_type VARCHAR, event_id VARCHAR, seq BIGINT)"
    )


def insert_interactions(db: Database, batch: pa.Table) -> None:
    """Append interactions, as a format yields them, to table `raw`."""
    insert(db, "raw", batch)


def insert(db: Database, table: str, batch: pa.Table) -> None:
    """Append an Arrow table to a table; columns are matched by name."""
    db.register("batch", batch)
    db.execute(f"INSERT INTO {table} BY NAME SELECT * FROM batch")
    db.unregister("batch")


def replace_table(db: Database, table: str, query: str, **values: Any) -> None:
    """Replace a table by the rows of a query."""
    db.execute(f"CREATE TABLE replacement AS {query}", values)
    db.execute(f"DROP TABLE {table}")
    db.execute(f"ALTER TABLE replacement RENAME TO {table}")


def row_numbers(entity: str) -> str:
    """SQL that numbers users or items from 0.

    They are ordered by a hash of the id, because the order of the ids themselves tells what was new when.
    """
    return f"CAST(row_number() OVER (ORDER BY md5({entity}_id), {entity}_id) - 1 AS INTEGER)"


def count(db: Database, table: str) -> int:
    """Number of rows of a table, which may carry a clause, as in `kept WHERE rating > 3`."""
    return int(one_value(db, f"SELECT count(*) FROM {table}"))


def one_value(db: Database, query: str, **values: Any) -> Any:
    """The value that a query of one row and one column gives."""
    # All rows are fetched, because DuckDB refuses other work while a result is unfinished.
    return db.execute(query, values).fetchall()[0][0]
