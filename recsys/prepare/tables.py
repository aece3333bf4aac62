"""The Parquet files of a prepared dataset, written from DuckDB with equal bytes for equal rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.prepare import columns as c

ROW_GROUP = 1 << 18

INTERACTIONS_SCHEMA = pa.schema(
    [
        (c.USER, pa.int32()),
        (c.ITEM, pa.int32()),
        (c.TIMESTAMP, pa.int64()),
        (c.RATING, pa.float32()),
        (c.WEIGHT, pa.float32()),
        (c.SPLIT, pa.string()),
    ]
)
PURCHASE_FIELDS = [pa.field(c.PRICE, pa.float32()), pa.field(c.QUANTITY, pa.float32())]
USERS_SCHEMA = pa.schema([(c.USER, pa.int32()), (c.USER_ID, pa.string())])
METADATA_SCHEMA = pa.schema(
    [
        (c.ITEM_ID, pa.string()),
        (c.TITLE, pa.string()),
        (c.TEXT, pa.string()),
        (c.BRAND, pa.string()),
        (c.CATEGORIES, pa.list_(pa.string())),
        (c.PRICE, pa.float32()),
        (c.DESCRIPTION, pa.string()),
        (c.IMAGE, pa.string()),
    ]
)
ITEMS_SCHEMA = pa.schema([pa.field(c.ITEM, pa.int32()), *METADATA_SCHEMA])


def write_interactions(db: duckdb.DuckDBPyConnection, path: Path, with_purchases: bool) -> None:
    """Write table `interactions`, sorted by user, time and file order; price and quantity if `with_purchases`."""
    schema = INTERACTIONS_SCHEMA
    if with_purchases:
        for field in PURCHASE_FIELDS:
            schema = schema.append(field)
    _write(db, path, schema, 'interactions ORDER BY "user", timestamp, seq')


def write_users(db: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write table `users`, sorted by row number."""
    _write(db, path, USERS_SCHEMA, 'users ORDER BY "user"')


def write_items(db: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write table `items` joined with `metadata`, sorted by row number.

    An item without metadata has empty texts, no categories and no price.
    """
    texts = ", ".join(f"coalesce({name}, '') AS {name}" for name in (c.TITLE, c.TEXT, c.BRAND, c.DESCRIPTION, c.IMAGE))
    source = (
        f"(SELECT item, item_id, {texts}, coalesce({c.CATEGORIES}, []) AS {c.CATEGORIES}, {c.PRICE}"
        " FROM items LEFT JOIN metadata USING (item_id)) ORDER BY item"
    )
    _write(db, path, ITEMS_SCHEMA, source)


def _write(db: duckdb.DuckDBPyConnection, path: Path, schema: pa.Schema, source: str) -> None:
    names = ", ".join(f'"{name}"' for name in schema.names)
    reader = db.sql(f"SELECT {names} FROM {source}").to_arrow_reader(ROW_GROUP)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in _groups(reader):
            writer.write_table(table.cast(schema), row_group_size=ROW_GROUP)


def _groups(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Regroup batches, whose sizes are the engine's affair, into tables of `ROW_GROUP` rows."""
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in reader:
        held.append(batch)
        count += len(batch)
        while count >= ROW_GROUP:
            table = pa.Table.from_batches(held)
            yield table.slice(0, ROW_GROUP)
            held = table.slice(ROW_GROUP).combine_chunks().to_batches()
            count -= ROW_GROUP
    if count:
        yield pa.Table.from_batches(held)
