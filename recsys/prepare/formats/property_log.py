"""Logs of item properties: a row says which value a property of an item has from a time on, as RetailRocket has them.

    timestamp,itemid,property,value
    1435402800000,460429,categoryid,1338
    1441508400000,206783,790,n277.200

Columns are named by `data.property_columns`, properties by `data.property_names`; a property that is called like a
field of the catalogue or an attribute is one. Rows of other properties are counted and not read any further, so a log
of millions of rows costs little more than what is kept of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.core.errors import DataError
from recsys.core.values.missing import MISSING_IDS
from recsys.prepare import columns as c
from recsys.prepare.formats import reports
from recsys.prepare.formats.base import Format, OnBytes, RawItem
from recsys.prepare.formats.column_texts import Mask
from recsys.prepare.formats.delimited import DelimitedRows
from recsys.prepare.formats.files import head_texts
from recsys.prepare.formats.id_columns import IdColumn
from recsys.prepare.formats.matching import NameFinder
from recsys.prepare.formats.names import missing_names
from recsys.prepare.formats.parquet import is_parquet, open_parquet, parquet_tables
from recsys.prepare.formats.plausible_times import PlausibleTimes
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.formats.time_columns import TimeColumn
from recsys.prepare.mapping_settings import ITEM_FIELDS, PropertyColumns
from recsys.prepare.raw.dialects import read_header
from recsys.prepare.settings import DataConfig

_OURS: Final = tuple(PropertyColumns.model_fields)
_PROPERTY = "property"
# RetailRocket writes numbers with an n before them: n277.200, n-12.000. The point is that of a decimal; a zero behind
# it says so, since 277.200 alone may be a number of thousands.
_MARKED_NUMBERS: Final = {r"^n(-?\d+)$": r"\1", r"^n(-?\d+\.\d+)$": r"\10"}


def check(report: InputReport) -> None:
    """Stop when a file lacks one of the columns; see `Format.check`."""
    for file_name, names in _heads(report):
        _find(report, names, file_name)


def property_tables(report: InputReport, config: DataConfig, first_seq: int, on_bytes: OnBytes) -> Iterator[pa.Table]:
    """Yield a log as tables of item_id, timestamp, seq, field and value, see `Format.interactions`.

    Raises:
        DataError: too many bad rows; see `Format.interactions`.
    """
    file_name, names = next(_heads(report))
    columns = _find(report, names, file_name)
    rows = DelimitedRows(report)
    if is_parquet(report.path):
        file = open_parquet(report.path)
        theirs = {ours: name for name, ours in columns.items()}
        batches = parquet_tables(file, report, config, theirs, on_bytes)
    else:
        batches = rows.read(columns, config.allow_truncated, on_bytes)
    reader = _Reader(report, config)
    for batch in batches:
        first = rows.account(batch)
        positions, told, faults = reader.read(batch)
        for place in np.flatnonzero(faults).tolist():
            position = int(positions[place])
            rows.drop(_CAUSES[faults[place] - 1], first + position, batch, position)
        if unknown := len(batch) - len(positions):
            report.dropped[reports.UNKNOWN_PROPERTY] += unknown
        yield told.append_column(c.SEQ, pa.array(first_seq + first + positions)).filter(pa.array(faults == 0))
    report.check_bad_share(config.max_bad_line_share)
    report.check_times()


_CAUSES: Final = (
    reports.MISSING_FIELD,
    reports.INVALID_ID,
    reports.MISTYPED_FIELD,
    reports.TIMESTAMP_OUT_OF_RANGE,
    *reports.IMPLAUSIBLE_TIMES,
)


class _Reader:
    """Reads the rows of known properties."""

    def __init__(self, report: InputReport, config: DataConfig) -> None:
        fields = _fields_of(config)
        self._properties = pa.array(list(fields), pa.string())
        self._fields = pa.array(list(fields.values()), pa.string())
        numbers = {name for name, entry in config.attributes.items() if entry.type == "number"} | {c.PRICE}
        self._numbers = pa.array(sorted(numbers))
        self._ids = IdColumn(c.ITEM_ID, report, MISSING_IDS)
        typed = is_parquet(report.path) and _has_times(report)
        self._times = TimeColumn(report, config, "s" if typed else None)
        self._plausible = PlausibleTimes(report, config)

    def read(self, batch: pa.Table) -> tuple[np.ndarray, pa.Table, np.ndarray]:
        """Positions of the rows of known properties, what they tell, and what is wrong with each (0: nothing)."""
        properties = pc.index_in(pc.utf8_lower(pc.utf8_trim_whitespace(batch[_PROPERTY])), self._properties)
        known = pc.is_valid(properties)
        positions = np.flatnonzero(known.to_numpy())
        rows = batch.filter(known)
        ids, unfit = self._ids.read(rows[c.ITEM_ID])
        times = self._times.read(rows[c.TIMESTAMP])
        faults = np.zeros(len(rows), np.uint8)
        no_id = ids.is_null().to_numpy(zero_copy_only=False)
        masks: list[Mask] = [no_id | times.missing, unfit, times.wrong, times.beyond]
        implausible = self._plausible.faults(times.seconds)
        masks += [implausible[cause] for cause in reports.IMPLAUSIBLE_TIMES]
        for number, mask in enumerate(masks, 1):
            faults[mask & (faults == 0)] = number
        fields = self._fields.take(pc.drop_null(properties).combine_chunks())
        values = rows[c.VALUE]
        plain = values
        for pattern, unmarked in _MARKED_NUMBERS.items():
            plain = pc.replace_substring_regex(plain, pattern, unmarked)
        values = pc.if_else(pc.is_in(fields, self._numbers), plain, values)
        told = {c.ITEM_ID: ids, c.TIMESTAMP: pa.array(times.seconds), c.FIELD: fields, c.VALUE: values}
        return positions, pa.table(told), faults


def _fields_of(config: DataConfig) -> dict[str, str]:
    """Our fields by what logs call them, in small letters."""
    named = {theirs.casefold(): ours for theirs, ours in config.property_names.items()}
    own = {name.casefold(): name for name in (*ITEM_FIELDS, *config.attributes) if name != c.ITEM_ID}
    return {name: field for name, field in own.items() if field not in named.values()} | named


def _has_times(report: InputReport) -> bool:
    """Whether the column of times has a type of times."""
    schema = open_parquet(report.path).schema_arrow
    theirs = next(name for name, ours in _find(report, schema.names, "").items() if ours == c.TIMESTAMP)
    kind = schema.field(theirs).type
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def _heads(report: InputReport) -> Iterator[tuple[str, list[str]]]:
    """Of each file in an input its name, and the names of its columns."""
    if is_parquet(report.path):
        yield str(report.path), open_parquet(report.path).schema_arrow.names
        return
    for file_name, head in head_texts(report.path, report.text.encoding):
        yield file_name, read_header(head, report.text, _theirs(report).values(), file_name).names


def _theirs(report: InputReport) -> dict[str, str]:
    settings = report.text.property_columns if isinstance(report.text, DataConfig) else PropertyColumns()
    return {name: str(getattr(settings, name)) for name in _OURS}


def _find(report: InputReport, names: list[str], file_name: str) -> dict[str, str]:
    """The file's names -> ours."""
    found: dict[str, str] = {}
    find = NameFinder(names, file_name, "data.property_columns")
    for ours, theirs in _theirs(report).items():
        if (name := find(theirs)) is None:
            raise DataError(
                f"one column {theirs} ({ours} of a property log) in {file_name}",
                missing_names([theirs], names),
                "set data.property_columns: {item_id: ..., timestamp: ..., property: ..., value: ...} to what the file "
                "calls them",
            )
        found[name] = ours
    return found


def _no_items(report: InputReport, config: DataConfig, on_bytes: OnBytes) -> Iterator[list[RawItem]]:
    """A property log has no records."""
    del report, config, on_bytes
    yield from ()


PROPERTY_LOG = Format(check=check, interactions=property_tables, items=_no_items)
