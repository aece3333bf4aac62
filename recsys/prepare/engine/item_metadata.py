"""The table of item metadata: which item records are used, and their cleaned rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from recsys.prepare import columns as c
from recsys.prepare.engine.staging import Database, count, insert, replace_table, row_numbers
from recsys.prepare.schema import METADATA_SCHEMA, ItemsKept


def create_metadata_table(db: Database, attributes: Sequence[pa.Field] = ()) -> None:
    """Make the empty table `metadata`, with columns for attributes behind those of `METADATA_SCHEMA`."""
    db.register("batch", _schema(attributes).empty_table())
    db.execute("CREATE TABLE metadata AS SELECT * FROM batch")
    db.unregister("batch")


def choose_records(db: Database, item_ids: list[str], kept: ItemsKept) -> tuple[int, list[int]]:
    """How many item records are of items of the dataset, and the positions of those to add to `metadata`.

    Added is the first record of each item that has no metadata yet; with `kept` "interacted", of items in table `items`
    alone.
    """
    batch = pa.table({c.ITEM_ID: pa.array(item_ids, pa.string()), "position": pa.array(range(len(item_ids)))})
    db.register("batch", batch)
    among = "SEMI JOIN items USING (item_id)" if kept == "interacted" else ""
    db.execute(f"CREATE OR REPLACE TEMP TABLE in_dataset AS SELECT * FROM batch {among}")
    db.unregister("batch")
    chosen = db.execute(
        "SELECT min(position) FROM in_dataset ANTI JOIN metadata USING (item_id) GROUP BY item_id ORDER BY 1"
    ).fetchall()
    return count(db, "in_dataset"), [position for (position,) in chosen]


def insert_metadata(db: Database, rows: Sequence[tuple[Any, ...]], attributes: Sequence[pa.Field] = ()) -> None:
    """Append rows with the fields of `METADATA_SCHEMA`, then those of attributes, to table `metadata`."""
    if rows:
        columns, schema = zip(*rows, strict=True), _schema(attributes)
        insert(db, "metadata", pa.table(list(map(pa.array, columns, schema.types)), schema))


def add_items_without_interactions(db: Database) -> None:
    """Add the items that only table `metadata` has to table `items`, and number its rows anew as `number_rows` does."""
    replace_table(
        db,
        "items",
        f"""
        SELECT {row_numbers("item")} AS item, item_id, item_code
        FROM items FULL JOIN (SELECT item_id FROM metadata) USING (item_id)
        """,
    )


def count_known(db: Database, attributes: Sequence[pa.Field]) -> dict[str, int]:
    """Of each attribute, how many items have it."""
    if not attributes:
        return {}
    counts = ", ".join(f'count("{field.name}")' for field in attributes)
    (row,) = db.execute(f"SELECT {counts} FROM metadata").fetchall()
    return {field.name: int(known) for field, known in zip(attributes, row, strict=True)}


def _schema(attributes: Sequence[pa.Field]) -> pa.Schema:
    return pa.schema([*METADATA_SCHEMA, *attributes])
