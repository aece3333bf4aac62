"""Several records of one item, as of an export with a row for each variant: merged to one, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pyarrow as pa

from recsys.prepare import columns as c
from recsys.prepare.engine.item_metadata import metadata_rows, metadata_schema
from recsys.prepare.engine.staging import Database, count, insert, one_value

_ROWS_AT_ONCE = 1 << 14


def insert_repeats(db: Database, rows: Sequence[tuple[Any, ...]], attributes: Sequence[pa.Field] = ()) -> None:
    """Append further rows of items that table `metadata` has to table `metadata_repeats`; the earlier count more."""
    if not rows:
        return
    db.execute("CREATE TABLE IF NOT EXISTS metadata_repeats AS SELECT *, 0 AS nth FROM metadata LIMIT 0")
    first = 1 + count(db, "metadata_repeats")
    table = metadata_rows(rows, metadata_schema(attributes))
    numbers = pa.array(range(first, first + len(rows)), pa.int32())
    insert(db, "metadata_repeats", table.append_column("nth", numbers))


def take_merged(db: Database, attributes: Sequence[pa.Field] = ()) -> Iterator[list[tuple[Any, ...]]]:
    """Take the rows of items with repeats out of both tables, as one row an item: of each column the first value.

    The text is then that of the first record: it is to be made again of the other columns.
    """
    if not one_value(db, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'metadata_repeats'"):
        return
    firsts = ", ".join(map(_first_value, metadata_schema(attributes)))
    db.execute(
        f"""
        CREATE TABLE metadata_merged AS SELECT {firsts} FROM (
            SELECT *, 0 AS nth FROM metadata SEMI JOIN metadata_repeats USING (item_id)
            UNION ALL SELECT * FROM metadata_repeats
        ) GROUP BY item_id
        """
    )
    db.execute("DELETE FROM metadata WHERE item_id IN (SELECT item_id FROM metadata_repeats)")
    db.execute("DROP TABLE metadata_repeats")
    with closing(db.cursor()) as cursor:
        cursor.execute("SELECT * FROM metadata_merged")
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield rows
    db.execute("DROP TABLE metadata_merged")


def _first_value(field: pa.Field) -> str:
    """The first value of a column that is not empty."""
    if field.name == c.ITEM_ID:
        return c.ITEM_ID
    name = f'"{field.name}"'
    if field.name == c.CATEGORIES:
        return f"coalesce(arg_min({name}, nth) FILTER (WHERE len({name}) > 0), []) AS {name}"
    if pa.types.is_string(field.type):
        return f"coalesce(arg_min({name}, nth) FILTER (WHERE {name} <> ''), any_value({name})) AS {name}"
    return f"arg_min({name}, nth) FILTER (WHERE {name} IS NOT NULL) AS {name}"
