"""The Parquet files of a prepared dataset, written with equal bytes for equal rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.prepare import columns as c
from recsys.prepare.engine import user_values
from recsys.prepare.engine.staging import Database, count
from recsys.prepare.schema import (
    COUNT_FIELD,
    CYCLE_FIELD,
    INTERACTIONS_SCHEMA,
    ITEMS_SCHEMA,
    PURCHASE_FIELDS,
    USERS_SCHEMA,
)

ROW_GROUP = 1 << 18
SORTED_AT_ONCE = 1 << 24  # interactions; a sort that spills needs the more memory the more there are


def write_interactions(db: Database, path: Path, *, with_purchases: bool, with_counts: bool = False) -> None:
    """Write table `interactions`, sorted by user, time and file order; price and quantity, and counts, if wanted.

    A large table is sorted in parts, each of some of the users, whose row numbers say nothing of how busy they are.
    """
    schema = INTERACTIONS_SCHEMA
    for field in (*(PURCHASE_FIELDS if with_purchases else ()), *((COUNT_FIELD,) if with_counts else ())):
        schema = schema.append(field)
    parts = -(-max(count(db, "interactions"), 1) // SORTED_AT_ONCE)
    users = count(db, "users")
    bounds = [users * part // parts for part in range(parts + 1)]
    _write(
        db,
        path,
        schema,
        *(
            f'interactions WHERE "user" >= {first} AND "user" < {end} ORDER BY "user", timestamp, seq'
            for first, end in pairwise(bounds)
        ),
    )


def write_users(db: Database, path: Path, attributes: Sequence[pa.Field] = ()) -> None:
    """Write table `users`, sorted by row number, with what is known of them if any `attributes` are wanted."""
    query = "users"
    if attributes:
        columns = ", ".join(f'{user_values.merged(field.name)} AS "{field.name}"' for field in attributes)
        query = f'(SELECT "user", user_id, {columns} FROM {user_values.JOINED})'
    _write(db, path, pa.schema([*USERS_SCHEMA, *attributes]), f'{query} ORDER BY "user"')


def write_items(db: Database, path: Path, attributes: Sequence[pa.Field] = (), *, with_cycles: bool = False) -> None:
    """Write table `items` joined with `metadata`, sorted by row number, and with table `cycles` if wanted.

    An item without metadata has empty texts, no categories, no price and no `attributes`.
    """
    texts = ", ".join(f"coalesce({name}, '') AS {name}" for name in (c.TITLE, c.TEXT, c.BRAND, c.DESCRIPTION, c.IMAGE))
    columns = f"item, item_id, {texts}, coalesce({c.CATEGORIES}, []) AS {c.CATEGORIES}, {c.PRICE}"
    columns += "".join(f', "{field.name}"' for field in attributes)
    tables = "items LEFT JOIN metadata USING (item_id)"
    schema = pa.schema([*ITEMS_SCHEMA, *attributes])
    if with_cycles:
        schema = schema.append(CYCLE_FIELD)
        columns, tables = f"{columns}, {c.CYCLE}", f"{tables} LEFT JOIN cycles USING (item)"
    _write(db, path, schema, f"(SELECT {columns} FROM {tables}) ORDER BY item")


def _write(db: Database, path: Path, schema: pa.Schema, *queries: str) -> None:
    """Write the rows of the first query, then those of the second, and so on."""
    names = ", ".join(f'"{name}"' for name in schema.names)
    batches = (
        batch for query in queries for batch in db.sql(f"SELECT {names} FROM {query}").to_arrow_reader(ROW_GROUP)
    )
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in _groups(batches):
            writer.write_table(table.cast(schema), row_group_size=ROW_GROUP)


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Regroup batches, whose sizes the engine chooses, into tables of `ROW_GROUP` rows."""
    pending: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        pending.append(batch)
        rows += len(batch)
        while rows >= ROW_GROUP:
            table = pa.Table.from_batches(pending)
            yield table.slice(0, ROW_GROUP)
            pending = table.slice(ROW_GROUP).combine_chunks().to_batches()
            rows -= ROW_GROUP
    if rows:
        yield pa.Table.from_batches(pending)
