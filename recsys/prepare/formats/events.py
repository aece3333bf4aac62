"""Event logs in delimited text, Parquet or JSON, with a catalogue in any form (`recsys.prepare.formats.catalogue`).

Columns: user_id, item_id, event_type, timestamp (see `recsys.core.values.times` for how it may be written); optional
rating, price, quantity, event_id; others are ignored. Settings and known logs say which of the file's columns these are
(`event_columns`). `data.event_weights` gives the weight of each type.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from recsys.core.errors import DataError
from recsys.prepare.formats.base import Format, OnBytes
from recsys.prepare.formats.catalogue import reader as catalogue
from recsys.prepare.formats.delimited import DelimitedRows
from recsys.prepare.formats.event_checks import checked_tables
from recsys.prepare.formats.event_columns import ColumnFinder, EventColumns, wanted_names, weights_of
from recsys.prepare.formats.event_refusals import as_yaml
from recsys.prepare.formats.evident import is_json
from recsys.prepare.formats.files import head_texts
from recsys.prepare.formats.grouped_rows import with_shared_values
from recsys.prepare.formats.json_events import JsonEvents, check_json
from recsys.prepare.formats.parquet import check_types, is_parquet, open_parquet, parquet_tables, typed_columns
from recsys.prepare.formats.parquet_paths import names_in
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.formats.rows import Rows
from recsys.prepare.raw.dialects import read_header
from recsys.prepare.settings import DataConfig


def event_tables(report: InputReport, config: DataConfig, first_seq: int, on_bytes: OnBytes) -> Iterator[pa.Table]:
    """Yield an event log, see `Format.interactions`."""
    report.mapping = config
    if is_parquet(report.path):
        yield from _of_parquet(report, config, first_seq, on_bytes)
    elif is_json(report.path, config.encoding):
        events = JsonEvents(report, config)
        yield from _checked(events.rows, events.found, events.read(on_bytes), config, first_seq)
    else:
        yield from _of_text(report, config, first_seq, on_bytes)


def _of_parquet(report: InputReport, config: DataConfig, first_seq: int, on_bytes: OnBytes) -> Iterator[pa.Table]:
    file = open_parquet(report.path)
    finder = ColumnFinder(report)
    finder(names_in(file.schema_arrow))
    found = finder.found
    batches = map(found.completed, parquet_tables(file, report, config, found.columns, on_bytes))
    typed = typed_columns(file.schema_arrow, found.columns)
    yield from _checked(Rows(report), found, batches, config, first_seq, typed)


def _of_text(report: InputReport, config: DataConfig, first_seq: int, on_bytes: OnBytes) -> Iterator[pa.Table]:
    finder = ColumnFinder(report)
    _, head = next(head_texts(report.path, config.encoding))
    finder(read_header(head, config, finder.wanted, str(report.path), names=config.header).names)
    rows = DelimitedRows(report, header=config.header)
    batches = (finder.found.completed(batch) for batch in rows.read(finder, config.allow_truncated, on_bytes))
    yield from _checked(rows, finder.found, batches, config, first_seq)


def _checked(
    rows: Rows,
    found: EventColumns,
    batches: Iterator[pa.Table],
    config: DataConfig,
    first_seq: int,
    typed: list[str] | None = None,
) -> Iterator[pa.Table]:
    """Tables of strings as events; what a known log has otherwise than settings by default is read as it has it."""
    known = found.known
    weights = weights_of(config, found.event_type)
    types = dict(config.event_types)
    if known:
        told = {*weights, *config.undo_events}
        assumed = {theirs: ours for theirs, ours in known.event_types.items() if theirs not in {*told, *types}}
        if assumed:
            rows.report.assume(f"event types read as data.event_types: {as_yaml(assumed)}")
        types |= assumed
        if known.rating_range and "rating_range" not in config.model_fields_set:
            low, high = known.rating_range
            config = config.model_copy(update={"rating_range": known.rating_range})
            rows.report.assume(
                f"ratings from {low:g} to {high:g}; set data.rating_range: [{low:g}, {high:g}] to predict such"
            )
    grouped = with_shared_values(batches, rows.report)
    yield from checked_tables(rows, grouped, config, weights, first_seq, event_types=types, typed=typed or ())


def check(report: InputReport) -> None:
    """Stop when a file is evidently no event log, or no catalogue of one; see `Format.check`."""
    if report.kind == "interactions":
        check_columns(report)
    else:
        catalogue.check(report)


def check_columns(report: InputReport) -> None:
    """Stop when a file is no event log with the required columns.

    Raises:
        DataError: a column is missing, comes twice, or is of a type that holds no values; with those that there are.
    """
    path, text = report.path, report.text
    if is_parquet(path):
        schema = open_parquet(path).schema_arrow
        finder = ColumnFinder(report)
        finder(names_in(schema))
        check_types(path, schema, finder.found.columns)
        return
    if is_json(path, text.encoding):
        check_json(report)
        return
    header = report.mapping.header
    for file_name, head in head_texts(path, text.encoding):
        names = read_header(head, text, wanted_names(report.mapping), file_name, names=header).names
        try:
            ColumnFinder(report, file_name)(names)
        except DataError as error:
            if file_name == str(path):
                raise
            remedy = f"{error.remedy}; or unpack the archive, and name the files in it that are event logs"
            raise DataError(error.expected, error.got, remedy) from None
    if header is not None:
        report.used.add("header")


EVENTS = Format(
    check=check,
    interactions=event_tables,
    items=catalogue.items,
    item_fields=catalogue.item_fields,
    is_catalogue=True,
    maps_items=True,
    has_purchases=True,
)
