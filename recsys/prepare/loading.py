"""The rows of all inputs in the tables of the engine, and what became of item records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from recsys.core.errors import DataError
from recsys.core.item_texts import item_text
from recsys.prepare import columns as c
from recsys.prepare.attribute_settings import types_of
from recsys.prepare.attributes import require_found
from recsys.prepare.engine import item_metadata, merged_items, staging
from recsys.prepare.engine.staging import Database
from recsys.prepare.engine.told import Told
from recsys.prepare.formats.names import missing_names
from recsys.prepare.inputs import Input
from recsys.prepare.item_cleaning import forget_single_currency
from recsys.prepare.item_reading import ItemReader
from recsys.prepare.known_items import DELETED_ITEM, KnownItems
from recsys.prepare.mapping_settings import GROUP, ITEM_FIELDS, OF_ITEM, OF_USER
from recsys.prepare.read_ahead import read_ahead
from recsys.prepare.schema import METADATA_SCHEMA, attribute_fields
from recsys.prepare.settings import DataConfig
from recsys.prepare.terminal import StageProgress

MOST_NAMED = 5  # of the inputs that an error names
ITEM_NOT_IN_DATASET, REPEATED_ITEM = "item_not_in_dataset", "repeated_item"
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
    require_events(logs)


def load_properties(
    logs: list[Input], told_items: Told, first_number: int, data: DataConfig, progress: StageProgress
) -> list[str]:
    """Load what logs of properties tell of items; `first_number`: of their inputs, see `load_interactions`.

    Returns:
        Sentences about properties that the config names and no row has.

    Raises:
        DataError: see `recsys.prepare.formats.property_log`.
    """
    for number, (log, on_bytes) in enumerate(zip(logs, progress.reading(_sizes(logs)), strict=True), first_number):
        for batch in read_ahead(log.interactions(data, number << staging.SEQ_BITS, on_bytes)):
            told_items.add_rows(batch)
    told = told_items.fields() if logs else set()
    missing = [theirs for theirs, ours in data.property_names.items() if logs and ours not in told]
    return [f"No row of data.properties has the property {name} (data.property_names)." for name in missing]


def require_events(logs: list[Input]) -> None:
    """Stop where no event was read of any input.

    Raises:
        DataError: their faults, and the remedy for those of the first.
    """
    if any(log.tally.rows for log in logs):
        return
    named = logs[:MOST_NAMED]
    faulty = next((log.report for log in logs if log.report.dropped), logs[0].report)
    raise DataError(
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
    """Load the cleaned item records of all inputs into table `metadata`: of each item the first record.

    Of catalogues of shops (`Format.is_catalogue`), each field is the first value that a record of the item has.

    Items are those in table `items`, or with `data.items: all` also others, which are added to it.

    Returns:
        How many records were not used and how many fields were not understood, by cause.

    Raises:
        DataError: no record has one of the attributes, or of the columns that the config names; see `Format.items`.
    """
    _require_mapped(data, catalogues)
    columns = attribute_fields(types_of(data.attributes))
    item_metadata.create_metadata_table(db, columns)
    found: set[str] = set()
    causes: Counter[str] = Counter()
    for catalogue, on_bytes in zip(catalogues, progress.reading(_sizes(catalogues)), strict=True):
        reader = ItemReader(catalogue, data, causes)
        for records in read_ahead(catalogue.items(data, on_bytes)):
            reader.see(records)
            ids = [record.item_id for record in records]
            chosen = item_metadata.choose_records(db, ids, data.items_kept, repeats=reader.merges)
            causes[ITEM_NOT_IN_DATASET] += len(records) - chosen.in_dataset
            causes[REPEATED_ITEM] += chosen.in_dataset - len(chosen.first)
            item_metadata.insert_metadata(db, reader.rows(records[n] for n in chosen.first), columns)
            merged_items.insert_repeats(db, reader.rows(records[n] for n in chosen.repeats), columns)
        found |= reader.found
        causes.update(catalogue.report.left_out)
    _merge_repeats(db, data, columns)
    _require_columns(catalogues)
    found |= known.complete(causes)
    if data.items_kept == "all":
        item_metadata.add_items_without_interactions(db)
    require_found(data.attributes, found, catalogues)
    forget_single_currency(causes)
    return causes


def _merge_repeats(db: Database, data: DataConfig, attributes: Sequence[pa.Field]) -> None:
    """Merge further records of items into their rows of table `metadata`, whose texts are made anew."""
    fields = {name: place for place, name in enumerate(METADATA_SCHEMA.names)}
    for rows in merged_items.take_merged(db, attributes):
        merged = []
        for row in rows:
            title, brand, categories, description = (
                row[fields[name]] for name in (c.TITLE, c.BRAND, c.CATEGORIES, c.DESCRIPTION)
            )
            text = item_text(title, brand, categories, description, data.text_max_chars)
            merged.append((*row[: fields[c.TEXT]], text, *row[fields[c.TEXT] + 1 :]))
        item_metadata.insert_metadata(db, merged, attributes)


def _require_mapped(data: DataConfig, catalogues: Sequence[Input]) -> None:
    """Stop at names of columns that are given where no catalogue is read by them."""
    if data.metadata_columns and not any(each.format.maps_items for each in catalogues):
        formats = ", ".join(sorted({each.format_name for each in catalogues}))
        raise DataError(
            "a catalogue that is read under the names of data.metadata_columns",
            f"catalogues in the format {formats}, whose names are known" if formats else "none at data.metadata",
            "leave data.metadata_columns out, or write {path: ..., format: events} for a catalogue of your own",
        )


def _require_columns(catalogues: Sequence[Input]) -> None:
    """Stop at a field of items that the config names and no catalogue has."""
    absent = [each.report.absent for each in catalogues if each.format.is_catalogue]
    for name in (*ITEM_FIELDS, GROUP):
        if absent and all(name in each for each in absent):
            column = absent[0][name]
            columns = sorted({field for each in catalogues for field in each.format.item_fields(each.report)})
            raise DataError(
                f"{column} (data.metadata_columns.{name}) in records of "
                f"{', '.join(str(each.report.path) for each in catalogues[:MOST_NAMED])}",
                missing_names([column], columns),
                "set it to what the records call it, or leave it out",
            )


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
