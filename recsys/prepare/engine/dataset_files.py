"""The Parquet files of a prepared dataset, written with equal bytes for equal rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.prepare import columns as c
from recsys.prepare.engine import user_values
from recsys.prepare.engine.staging import Database
from recsys.prepare.schema import (
    COUNT_FIELD,
    CYCLE_FIELD,
    INTERACTIONS_SCHEMA,
    ITEMS_SCHEMA,
    PURCHASE_FIELDS,
    USERS_SCHEMA,
)

ROW_GROUP = 1 << 18


def write_interactions(db: Database, path: Path, *, with_purchases: bool, with_counts: bool = False) -> None:
    """Write table `interactions`, sorted by user, time and file order; price and quantity, and counts, if wanted."""
    schema = INTERACTIONS_SCHEMA
    for field in (*(PURCHASE_FIELDS if with_purchases else ()), *((COUNT_FIELD,) if with_counts else ())):
        schema = schema.append(field)
    _write(db, path, schema, 'interactions ORDER BY "user", timestamp, seq')


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


def _write(db: Database, path: Path, schema: pa.Schema, query: str) -> None:
    names = ", ".join(f'"{name}"' for name in schema.names)
    reader = db.sql(f"SELECT {names} FROM {query}").to_arrow_reader(ROW_GROUP)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in _groups(reader):
            writer.write_table(table.cast(schema), row_group_size=ROW_GROUP)


def _groups(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Regroup batches, whose sizes the engine chooses, into tables of `ROW_GROUP` rows."""
    pending: list[pa.RecordBatch] = []
    count = 0
    for batch in reader:
        pending.append(batch)
        count += len(batch)
        while count >= ROW_GROUP:
            table = pa.Table.from_batches(pending)
            yield table.slice(0, ROW_GROUP)
            pending = table.slice(ROW_GROUP).combine_chunks().to_batches()
            count -= ROW_GROUP
    if count:
        yield pa.Table.from_batches(pending)
