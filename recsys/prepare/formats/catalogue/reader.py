"""A catalogue of any form: told by its first bytes, its columns found, its records read as items."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from recsys.prepare import columns as c
from recsys.prepare.formats.base import ATTRIBUTE_FIELD, OnBytes, RawItem
from recsys.prepare.formats.catalogue import json_text, tables
from recsys.prepare.formats.catalogue.columns import Columns, Wanted, find_columns
from recsys.prepare.formats.catalogue.paths import Steps
from recsys.prepare.formats.catalogue.records import ItemMaker, Records
from recsys.prepare.formats.files import head_lines, head_texts
from recsys.prepare.formats.layouts import refuse_other_layouts
from recsys.prepare.formats.parquet import is_parquet
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.raw.dialects import read_header
from recsys.prepare.settings import DataConfig


def check(report: InputReport) -> None:
    """Stop when a file is evidently no catalogue, or its ids cannot be told; see `Format.check`."""
    wanted = Wanted.of(report.text)
    names = head_names(report, wanted.theirs, wanted.header)
    if names:
        if c.ITEM_ID not in wanted.names:
            refuse_other_layouts(report, frozenset(names))
        find_columns(wanted, names, str(report.path))


def item_fields(report: InputReport) -> Collection[str]:
    """Names of the fields that the head of a catalogue has, for messages."""
    wanted = Wanted.of(report.text)
    return head_names(report, wanted.theirs, wanted.header)


def items(report: InputReport, config: DataConfig, on_bytes: OnBytes) -> Iterator[list[RawItem]]:
    """Yield a catalogue as lists of items, see `Format.items`."""
    wanted = Wanted.of(config)
    columns = _columns_of(report, wanted)
    report.columns |= columns.renamed
    for remark in columns.remarks:
        report.assume(remark)
    maker = ItemMaker(columns, report, config)
    for records in records_of(report, config, columns, on_bytes):
        yield maker.items(records)
    report.check_bad_share(config.max_bad_line_share)
    report.absent |= {
        name: theirs
        for name, theirs in columns.absent.items()
        if name not in maker.seen and ATTRIBUTE_FIELD + name not in maker.seen
    }


def _columns_of(report: InputReport, wanted: Wanted) -> Columns:
    names = head_names(report, wanted.theirs, wanted.header) or {name: (name,) for name in wanted.theirs}
    return find_columns(wanted, names, str(report.path), sparse=not is_parquet(report.path) and is_json(report))


def head_names(
    report: InputReport, theirs: Collection[str], header: Sequence[str | None] | None = None
) -> dict[str, Steps]:
    """The names that the head of a file has, each with the steps to its values; empty if no line can be read.

    Args:
        report: of the file, of any form.
        theirs: names that it may have.
        header: names of its columns, where delimited text has no first line of names.
    """
    if is_parquet(report.path):
        return tables.parquet_names(report)
    if is_json(report):
        return json_text.json_names(report)
    names: dict[str, Steps] = {}
    for file_name, head in head_texts(report.path, report.text.encoding):
        read = read_header(head, report.text, theirs, file_name, names=header)
        names |= {name: (name,) for name in read.names if name}
    return names


def is_json(report: InputReport) -> bool:
    """Whether a file of text begins as JSON does."""
    head = b"\n".join(head_lines(report.path, 20, report.text.encoding))
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def records_of(report: InputReport, config: DataConfig, columns: Columns, on_bytes: OnBytes) -> Iterator[Records]:
    """Yield the records of a file of any form as maps, of which `columns` says where values stand."""
    if is_parquet(report.path):
        return tables.parquet_records(report, columns, on_bytes)
    if is_json(report):
        return json_text.json_records(report, config, on_bytes)
    return tables.delimited_records(report, config, columns, on_bytes)
