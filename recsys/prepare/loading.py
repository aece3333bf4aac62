"""The rows of all inputs in the tables of the engine, and what became of item records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.core.errors import DataError
from recsys.prepare.attribute_settings import types_of
from recsys.prepare.attributes import AttributeReader, require_found
from recsys.prepare.engine import item_metadata, staging
from recsys.prepare.engine.staging import Database
from recsys.prepare.engine.told import Told
from recsys.prepare.inputs import Input
from recsys.prepare.item_cleaning import clean_item, forget_single_currency
from recsys.prepare.known_items import KnownItems
from recsys.prepare.mapping_settings import OF_ITEM, OF_USER
from recsys.prepare.prices import PriceReader
from recsys.prepare.read_ahead import read_ahead
from recsys.prepare.schema import attribute_fields
from recsys.prepare.settings import DataConfig
from recsys.prepare.terminal import StageProgress

MOST_NAMED = 5  # of the inputs that an error names
ITEM_NOT_IN_DATASET, REPEATED_ITEM, DELETED_ITEM = "item_not_in_dataset", "repeated_item", "deleted_item"
# Causes for which an item record is not used; the other causes name fields that were not understood.
_UNUSED_RECORDS = (ITEM_NOT_IN_DATASET, REPEATED_ITEM, DELETED_ITEM)


def load_interactions(
    db: Database, logs: list[Input], told_items: Told, told_users: Told, data: DataConfig, progress: StageProgress
) -> None:
    """Load the interactions of all inputs into table `raw`, and what their rows tell of items and users.

    Raises:
        DataError: there is none; see `Format.interactions`.
    """
    staging.create_raw_table(db)
    for number, (log, on_bytes) in enumerate(zip(logs, progress.reading(_sizes(logs)), strict=True)):
        # The order of the inputs, then of their lines, decides ties in time.
        for batch in read_ahead(log.interactions(data, number << staging.SEQ_BITS, on_bytes)):
            for told, prefix in ((told_items, OF_ITEM), (told_users, OF_USER)):
                fields = {name: name.removeprefix(prefix) for name in batch.column_names if name.startswith(prefix)}
                told.add_columns(batch, fields)
            staging.insert_interactions(db, batch.drop_columns([n for n in batch.column_names if "." in n]))
    if not any(log.tally.rows for log in logs):
        raise _no_events(logs)


def _no_events(logs: list[Input]) -> DataError:
    """No event was read of any input: their faults, and the remedy for those of the first."""
    named = logs[:MOST_NAMED]
    faulty = next((log.report for log in logs if log.report.dropped), logs[0].report)
    return DataError(
        f"events in {', '.join(str(log.report.path) for log in named)}",
        "none; " + "; ".join(f"dropped {log.report.faults()}" if log.report.dropped else "no lines" for log in named),
        faulty.remedy(),
    )


def _sizes(inputs: list[Input]) -> list[tuple[Path, int]]:
    return [(each.report.path, each.report.size) for each in inputs]


def load_metadata(
    db: Database,
    catalogues: list[Input],
    known: KnownItems,
    data: DataConfig,
    progress: StageProgress,
) -> Counter[str]:
    """Load the cleaned item records of all inputs into table `metadata`: the first record of each item.

    Items are those in table `items`, or with `data.items: all` also others, which are added to it.

    Returns:
        How many records were not used and how many fields were not understood, by cause.

    Raises:
        DataError: no record has one of the attributes; see `Format.items`.
    """
    columns = attribute_fields(types_of(data.attributes))
    item_metadata.create_metadata_table(db, columns)
    found: set[str] = set()
    causes: Counter[str] = Counter()
    for catalogue, on_bytes in zip(catalogues, progress.reading(_sizes(catalogues)), strict=True):
        prices = PriceReader(data.decimal_mark)
        attributes = AttributeReader(data.attributes, data.decimal_mark, catalogue)
        for records in read_ahead(catalogue.items(data, on_bytes)):
            prices.see(record.price for record in records)
            attributes.see(records)
            in_dataset, chosen = item_metadata.choose_records(
                db, [record.item_id for record in records], data.items_kept
            )
            causes[ITEM_NOT_IN_DATASET] += len(records) - in_dataset
            causes[REPEATED_ITEM] += in_dataset - len(chosen)
            items = [records[position] for position in chosen]
            rows = [
                clean_item(item, data.text_max_chars, causes, prices) + attributes.read(item, causes) for item in items
            ]
            item_metadata.insert_metadata(db, rows, columns)
        found |= attributes.found
    found |= known.complete(causes)
    if data.items_kept == "all":
        item_metadata.add_items_without_interactions(db)
    require_found(data.attributes, found, catalogues)
    forget_single_currency(causes)
    return causes


def metadata_entry(catalogues: list[Input], causes: Counter[str], known: Mapping[str, int]) -> dict[str, Any]:
    """The manifest's entry on item records: read, dropped by cause, kept, fields not understood, attributes known."""
    read = sum(catalogue.report.kept for catalogue in catalogues)
    dropped = {cause: causes[cause] for cause in _UNUSED_RECORDS if cause != DELETED_ITEM or causes[cause]}
    return {
        "read": read,
        "dropped": dropped,
        "kept": read - sum(dropped.values()),
        "fields": {cause: count for cause, count in sorted(causes.items()) if cause not in _UNUSED_RECORDS},
        **({"attributes": dict(known)} if known else {}),
    }
