"""The table of item metadata: which item records are used, and their cleaned rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import pyarrow as pa

from recsys.prepare import columns as c
from recsys.prepare.engine.staging import Database, count, insert, replace_table, row_numbers
from recsys.prepare.schema import METADATA_SCHEMA, ItemsKept

_ROWS_AT_ONCE = 1 << 14
_SQL_TYPES = {pa.bool_(): "BOOLEAN"}


def create_metadata_table(db: Database, attributes: Sequence[pa.Field] = ()) -> None:
    """Make the empty table `metadata`, with columns for attributes behind those of `METADATA_SCHEMA`."""
    db.register("batch", metadata_schema(attributes).empty_table())
    db.execute("CREATE TABLE metadata AS SELECT * FROM batch")
    db.unregister("batch")


class Chosen(NamedTuple):
    """Which of some item records are used, by their positions.

    Attributes:
        in_dataset: how many records are of items of the dataset.
        first: the first record of each item that has no metadata yet.
        repeats: further records of items of the dataset, where they were asked for.
    """

    in_dataset: int
    first: list[int]
    repeats: list[int]


def choose_records(db: Database, item_ids: list[str], kept: ItemsKept, *, repeats: bool = False) -> Chosen:
    """Choose item records: with `kept` "interacted", of items in table `items` alone; and `repeats`, if wanted."""
    batch = pa.table({c.ITEM_ID: pa.array(item_ids, pa.string()), "position": pa.array(range(len(item_ids)))})
    db.register("batch", batch)
    among = "SEMI JOIN items USING (item_id)" if kept == "interacted" else ""
    db.execute(f"CREATE OR REPLACE TEMP TABLE in_dataset AS SELECT * FROM batch {among}")
    db.unregister("batch")
    first = db.execute(
        "SELECT min(position) FROM in_dataset ANTI JOIN metadata USING (item_id) GROUP BY item_id ORDER BY 1"
    ).fetchall()
    chosen = [position for (position,) in first]
    used = count(db, "in_dataset")
    if not repeats or used == len(chosen):
        return Chosen(used, chosen, [])
    every = db.execute("SELECT position FROM in_dataset ORDER BY 1").fetchall()
    among_first = set(chosen)
    return Chosen(used, chosen, [position for (position,) in every if position not in among_first])


def add_columns(db: Database, attributes: Sequence[pa.Field]) -> None:
    """Add columns for further attributes to table `metadata`, without a value in any row."""
    for field in attributes:
        db.execute(f'ALTER TABLE metadata ADD COLUMN "{field.name}" {_SQL_TYPES[field.type]}')


def remove(db: Database, item_ids: Collection[str]) -> int:
    """Take the rows of some items out of table `metadata`; returns how many there were."""
    before = count(db, "metadata")
    _register_ids(db, "gone", item_ids)
    db.execute("DELETE FROM metadata WHERE item_id IN (SELECT item_id FROM gone)")
    db.unregister("gone")
    return before - count(db, "metadata")


def take_known(
    db: Database, changed: Collection[str], attributes: Sequence[pa.Field] = ()
) -> Iterator[list[tuple[Any, ...]]]:
    """Take the rows of items of which others than records tell something out of table `metadata`, some at a time.

    Args:
        db: with tables `metadata` and `told_items`.
        changed: items of live changes.
        attributes: see `create_metadata_table`.
    """
    _register_ids(db, "changed", changed)
    db.execute(
        """
        CREATE TABLE metadata_known AS SELECT * FROM metadata SEMI JOIN (
            SELECT item_id FROM changed UNION ALL SELECT id FROM told_items
        ) USING (item_id)
        """
    )
    db.unregister("changed")
    db.execute("DELETE FROM metadata WHERE item_id IN (SELECT item_id FROM metadata_known)")
    names = ", ".join(f'"{name}"' for name in metadata_schema(attributes).names)
    with closing(db.cursor()) as cursor:
        cursor.execute(f"SELECT {names} FROM metadata_known")
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield rows
    db.execute("DROP TABLE metadata_known")


def _register_ids(db: Database, name: str, item_ids: Collection[str]) -> None:
    db.register(name, pa.table({c.ITEM_ID: pa.array(list(item_ids), pa.string())}))


def with_interactions(db: Database, item_ids: Collection[str]) -> set[str]:
    """Those of some items that are in table `items`, which holds those with interactions until others are added."""
    if not item_ids:
        return set()
    _register_ids(db, "batch", item_ids)
    found = db.execute("SELECT item_id FROM batch SEMI JOIN items USING (item_id)").fetchall()
    db.unregister("batch")
    return {item_id for (item_id,) in found}


def without_record(
    db: Database, changed: Collection[str], created: Collection[str], gone: Collection[str], kept: ItemsKept
) -> Iterator[list[str]]:
    """Ids of items that table `metadata` lacks and of which something is known, in their order, some at a time.

    Args:
        db: with tables `items`, `metadata` and `told_items`.
        changed: items of live changes.
        created: those of them that are whole items of their own.
        gone: what is not in the dataset.
        kept: with "all", items that are created or that a property log lists, without interactions, too.
    """
    ids = [(item_id, False) for item_id in changed] + [(item_id, True) for item_id in created]
    columns = zip(*ids, strict=True) if ids else ((), ())
    live = pa.table(list(map(pa.array, columns, (pa.string(), pa.bool_()))), [c.ITEM_ID, "listed"])
    db.register("live", live)
    _register_ids(db, "gone", gone)
    rows = db.execute(
        f"""
        WITH known AS (SELECT item_id, listed FROM live UNION ALL SELECT id, listed FROM told_items)
        SELECT item_id FROM known ANTI JOIN metadata USING (item_id) ANTI JOIN gone USING (item_id)
        LEFT JOIN (SELECT item_id, true AS is_interacted FROM items) USING (item_id)
        GROUP BY item_id HAVING bool_or(coalesce(is_interacted, false)) {"OR bool_or(listed)" if kept == "all" else ""}
        ORDER BY item_id
        """
    ).fetchall()
    db.unregister("live")
    db.unregister("gone")
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        yield [item_id for (item_id,) in rows[first : first + _ROWS_AT_ONCE]]


def insert_metadata(db: Database, rows: Sequence[tuple[Any, ...]], attributes: Sequence[pa.Field] = ()) -> None:
    """Append rows with the fields of `METADATA_SCHEMA`, then those of attributes, to table `metadata`."""
    if rows:
        insert(db, "metadata", metadata_rows(rows, metadata_schema(attributes)))


def metadata_rows(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    """Rows of table `metadata` as an Arrow table."""
    return pa.table(list(map(pa.array, zip(*rows, strict=True), schema.types)), schema)


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


def metadata_schema(attributes: Sequence[pa.Field]) -> pa.Schema:
    """The columns of table `metadata`."""
    return pa.schema([*METADATA_SCHEMA, *attributes])
