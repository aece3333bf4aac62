"""Item metadata: cleaned records of the items that are in the dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa

from recsys.config import DataConfig
from recsys.prepare import cleaning, recbole, staging
from recsys.prepare import columns as c
from recsys.prepare.amazon import metadata_rows
from recsys.prepare.amazon_formats import Image2023, RawMetadata
from recsys.prepare.files import SourceReport, prefetch
from recsys.prepare.tables import METADATA_SCHEMA


def create_table(db: duckdb.DuckDBPyConnection) -> None:
    """Make the empty table `metadata`."""
    empty = METADATA_SCHEMA.empty_table()
    db.register("batch", empty)
    db.execute("CREATE TABLE metadata AS SELECT * FROM batch")
    db.unregister("batch")


def load_metadata(
    db: duckdb.DuckDBPyConnection,
    report: SourceReport,
    config: DataConfig,
    on_bytes: Callable[[int], object],
    counts: Counter[str],
) -> None:
    """Add the records of a file to `metadata`: of items in table `items`, the first record of each.

    Args:
        db: with tables `items` and `metadata`.
        report: of the file; its bad lines are counted there.
        config: format, limits and length of texts.
        on_bytes: told the number of bytes read.
        counts: of records not used and fields not understood, by cause; added to.
    """
    read_rows = recbole.item_rows if config.format == recbole.FORMAT else metadata_rows
    for rows in prefetch(read_rows(report, config, on_bytes)):
        known, chosen = _choose(db, [row.item_id for row in rows])
        counts["item_not_in_dataset"] += len(rows) - known
        counts["repeated_item"] += known - len(chosen)
        records = [_record(rows[position], config.text_max_chars, counts) for position in chosen]
        if records:
            columns = zip(*records, strict=True)
            staging.insert(
                db, "metadata", pa.table(list(map(pa.array, columns, METADATA_SCHEMA.types)), METADATA_SCHEMA)
            )


def _choose(db: duckdb.DuckDBPyConnection, item_ids: list[str]) -> tuple[int, list[int]]:
    """How many of the ids are in the dataset, and the positions of those to add, each id once."""
    batch = pa.table({c.ITEM_ID: pa.array(item_ids, pa.string()), "position": pa.array(range(len(item_ids)))})
    db.register("batch", batch)
    db.execute("CREATE OR REPLACE TEMP TABLE known AS SELECT * FROM batch SEMI JOIN items USING (item_id)")
    db.unregister("batch")
    chosen = db.execute(
        "SELECT min(position) AS position FROM known ANTI JOIN metadata USING (item_id) GROUP BY item_id ORDER BY 1"
    ).fetchall()
    return staging.count(db, "known"), [position for (position,) in chosen]


def _record(row: RawMetadata, max_chars: int, counts: Counter[str]) -> tuple[Any, ...]:
    """The fields of `METADATA_SCHEMA`."""
    title = cleaning.clean_text(row.title or "")
    brand = cleaning.clean_name(row.brand or "")
    categories = cleaning.clean_all(_flat(row.categories), cleaning.clean_name)
    description = " ".join(cleaning.clean_all(_flat(row.description)))
    price = cleaning.parse_price(row.price)
    if row.title and not title:
        counts["title_without_text"] += 1
    if row.price not in (None, "") and price is None:
        counts["price_not_understood"] += 1
    # Categories of a shop go from general to specific; those of an atomic file are tags.
    year, separator = (row.year, " ") if isinstance(row, recbole.AtomicItem) else ("", " > ")
    text = cleaning.item_text(title, brand, categories, description, max_chars, year=year, separator=separator)
    return row.item_id, title, text, brand, categories, price, description, _image(row.image)


def _flat(values: list[list[str] | str] | list[str] | str | None) -> list[str]:
    """Strings of a string, a list or a list of lists, from first to last."""
    if isinstance(values, str):
        return [values]
    return [text for value in values or () for text in ([value] if isinstance(value, str) else value)]


def _image(images: list[str | Image2023] | str | None) -> str:
    """Address of the first picture, empty if there is none."""
    if isinstance(images, str):
        return images
    for image in images or ():
        url = image if isinstance(image, str) else image.large or image.hi_res
        if url:
            return url
    return ""
