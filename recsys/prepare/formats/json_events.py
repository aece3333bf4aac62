"""Event logs in JSON: an object a line, or one array of them; each is an event, or each entry of a list in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from recsys.core.errors import DataError
from recsys.prepare.formats.base import OnBytes
from recsys.prepare.formats.event_columns import ColumnFinder, EventColumns
from recsys.prepare.formats.files import head_texts, read_blocks
from recsys.prepare.formats.json_paths import Keys, RecordPaths, keys_of, paths_of
from recsys.prepare.formats.json_records import LineParser
from recsys.prepare.formats.loose_records import json_tree
from recsys.prepare.formats.reports import NO_ENTRIES, InputReport
from recsys.prepare.formats.rows import Rows
from recsys.prepare.read_ahead import read_ahead
from recsys.prepare.settings import DataConfig

SNIFFED_RECORDS = 2000
BATCH_ROWS = 1 << 15
LARGEST_ARRAY = 1 << 30
_BETWEEN_ENTRIES = re.compile(r"[\s,]*")


class JsonEvents:
    """The events of one file.

    Attributes:
        rows: counted, with their lines; the entries of an array are counted as lines.
        found: what is read of it.
    """

    def __init__(self, report: InputReport, config: DataConfig) -> None:
        """Look at the head of a file; raises DataError like `check_json`."""
        self.rows, self._report, self._config = Rows(report), report, config
        self.found, known = _found(report)
        paths = {name: keys_of(theirs, known) for name, theirs in self.found.columns.items()}
        self._paths = RecordPaths(paths, str(report.path))

    def read(self, on_bytes: OnBytes) -> Iterator[pa.Table]:
        """Yield the file as tables of strings, as `checked_tables` reads them.

        Records without entries in the list are counted as `NO_ENTRIES`.

        Raises:
            DataError: see `read_blocks`; an array that is none, or is too large.
        """
        parser = LineParser(self._report, self._paths.line_type)
        for block in read_ahead(object_lines(self._report, self._config.allow_truncated, on_bytes)):
            records = parser.records(block)
            columns, parents = self._paths.columns(records)
            self._report.lines -= len(records)  # rows are counted by who checks them
            if empty := len(records) - len(np.unique(parents)):
                self._report.lines += empty
                self._report.dropped[NO_ENTRIES] += empty
            self.rows.lines.append(np.asarray(parser.numbers, np.int64)[parents] - 1)
            self._note_absent(columns)
            if len(parents):
                yield self.found.completed(pa.table(columns))

    def _note_absent(self, columns: dict[str, pa.Array]) -> None:
        """Note the columns that were not there at the head of the file."""
        for name in self.found.absent:
            if columns[name].null_count < len(columns[name]):
                self._report.used.add(f"columns.{name}")


def check_json(report: InputReport) -> None:
    """Stop when a file is no event log in JSON with the required fields.

    Raises:
        DataError: a field is missing, or two differ in case alone.
    """
    _found(report)


def _found(report: InputReport) -> tuple[EventColumns, dict[str, Keys]]:
    """What is read of a file by its first records, and the paths in these."""
    known = paths_of(head_records(report))
    if not known:
        raise DataError(
            f"JSON lines in {report.path}, one object a line",
            f"none among the first lines: {_first_line(report)[:100]!r}",
            "write each object as JSON on a line of its own: jq -c . FILE > LINES",
        )
    finder = ColumnFinder(report, may_come_later=True)
    finder(list(known))
    return finder.found, known


def _first_line(report: InputReport) -> str:
    _, head = next(head_texts(report.path, report.text.encoding))
    return head.split(b"\n", 1)[0].decode("utf8", "replace")


def head_records(report: InputReport) -> list[Any]:
    """The first records of a file of JSON lines, or of one array; those that are no JSON are passed over."""
    _, head = next(head_texts(report.path, report.text.encoding))
    if head.lstrip()[:1] == b"[":
        return _first_entries(head.decode("utf8", "ignore"))
    records = []
    for line in head.split(b"\n")[:SNIFFED_RECORDS]:
        try:
            records.append(json_tree(line))
        except (ValueError, RecursionError):
            continue
    return records


def _first_entries(text: str) -> list[Any]:
    """The first entries of an array that is cut off."""
    decoder = json.JSONDecoder(parse_constant=lambda _: None)
    entries: list[Any] = []
    place = text.index("[") + 1
    while len(entries) < SNIFFED_RECORDS and (between := _BETWEEN_ENTRIES.match(text, place)):
        try:
            entry, place = decoder.raw_decode(text, between.end())
        except (ValueError, RecursionError):
            break
        entries.append(entry)
    return entries


def object_lines(report: InputReport, allow_truncated: bool, on_bytes: OnBytes) -> Iterator[bytes]:
    """Yield a file of objects as blocks of lines with an object on each, also where it is one array of them.

    Raises:
        DataError: see `read_blocks`; an array that is none, or is larger than `LARGEST_ARRAY`.
    """
    blocks = read_blocks(report, allow_truncated, on_bytes)
    first = next(blocks, b"")
    if first.lstrip()[:1] != b"[":
        if first:
            yield first
        yield from blocks
        return
    whole, size = [first], len(first)
    for block in blocks:
        whole.append(block)
        size += len(block)
        if size > LARGEST_ARRAY:
            raise DataError(
                f"an array of at most {LARGEST_ARRAY >> 20} MiB in {report.path}, or an object a line",
                "a larger one",
                "write each object on a line of its own: jq -c '.[]' FILE > LINES",
            )
    lines = _entries(b"".join(whole), report)
    for start in range(0, len(lines), BATCH_ROWS):
        yield b"".join(line + b"\n" for line in lines[start : start + BATCH_ROWS])


def _entries(text: bytes, report: InputReport) -> list[bytes]:
    """The entries of an array, each as a line: line feeds stand between tokens alone."""
    try:
        return [bytes(raw).replace(b"\n", b" ") for raw in msgspec.json.decode(text, type=list[msgspec.Raw])]
    except msgspec.DecodeError as error:
        try:  # NaN, which Python's json writes
            return [json.dumps(entry).encode() for entry in json_tree(text)]
        except (ValueError, TypeError, RecursionError):
            raise DataError(
                f"an array of objects in {report.path}, or an object a line", str(error), "write or download it again"
            ) from None
