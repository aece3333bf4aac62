"""Blocks of delimited text as tables of strings, with the lines on which rows stand and the lines that are no row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.core.errors import DataError
from recsys.core.types import Int64Array
from recsys.prepare.formats import reports
from recsys.prepare.raw.arrow_csv import parse_block
from recsys.prepare.raw.dialects import DELIMITERS, Header
from recsys.prepare.raw.quotes import SafeBlock, is_utf8, safe_block
from recsys.prepare.raw.records import OpenQuoteError, RecordParser, StrayQuoteError


@dataclass
class ReadBlock:
    """What a block of lines holds; lines are numbered from 0 within the block.

    Attributes:
        table: the rows.
        lines: for each row the line on which it starts.
        dropped: lines that are no row: (line, cause, its text).
        blank: number of lines without anything on them, outside of rows; not among those dropped.
        continued: number of lines that continue a row of the line before.
        rest: the last lines of the block, a row of which may go on in the next one.
    """

    table: pa.Table
    lines: Int64Array
    dropped: list[tuple[int, str, bytes]] = field(default_factory=list)
    blank: int = 0
    continued: int = 0
    rest: bytes = b""


class BlockReader:
    """Reads the blocks under one header."""

    def __init__(self, header: Header, columns: Mapping[str, str], file_name: str) -> None:
        """`columns`: name in the tables -> name in the file; `file_name` names the file in errors."""
        self._header, self._file_name = header, file_name
        self._parser = RecordParser(header.dialect, len(header.names), header.sample)
        self._fields = {
            name: header.names.index(column) if column in header.names else None for name, column in columns.items()
        }
        self._named = {name: columns[name] for name, number in self._fields.items() if number is not None}
        self._first_values = pa.array([name for name in header.names if name], pa.string())

    def read(self, text: bytes, is_last: bool) -> ReadBlock:
        """Read a block of whole lines; `is_last` if none follows."""
        safe = safe_block(text, self._parser, is_last)
        table, wrong = self._parsed(safe)
        lines = np.arange(len(table) + len(wrong)) if safe.lines is None else safe.lines
        read = ReadBlock(table, lines, blank=safe.blank, continued=safe.continued, rest=safe.rest)
        bad = list(safe.bad)
        all_lines = text.split(b"\n") if wrong or not safe.all_utf8 else []
        if wrong:
            read.lines = np.delete(lines, wrong)
            bad += [(line, all_lines[line]) for line in lines[wrong].tolist()]
        read.dropped = [(line, reports.MALFORMED if raw.strip() else reports.BLANK, raw) for line, raw in bad]
        if not safe.all_utf8:
            _decode(read, all_lines)
        self._drop_headers(read)
        read.dropped.sort()
        return read

    def why_no_row(self, line: bytes) -> str:
        """Why a line is no row, in words."""
        try:
            count = len(self._parser.read_any([line], 0).fields)
        except (OpenQuoteError, StrayQuoteError):
            return "a quote opens a field and does not close it, or closes it before it ends"
        if count == self._parser.width:
            return "a quote that was not closed before, or a NUL byte"
        delimiter = DELIMITERS.get(text := self._parser.dialect.delimiter.decode(), repr(text))
        return f"{count}, separated by {delimiter}, where the first line has {self._parser.width}"

    def _drop_headers(self, read: ReadBlock) -> None:
        """Drop rows that hold the names of the columns: of files put together with their first lines."""
        if len(self._named) < 2:
            return
        names = [*self._named.values()]
        candidates = pc.is_in(read.table[next(iter(self._named))], self._first_values)
        is_row = np.ones(len(read.table), np.bool_)
        for position in pc.indices_nonzero(candidates).to_pylist():
            row = read.table.slice(position, 1).to_pylist()[0]
            values = [(row[name] or "").strip() for name in self._named]
            if values == names:
                is_row[position] = False
                read.dropped.append((int(read.lines[position]), reports.REPEATED_HEADER, b""))
            elif all(values) and set(values) <= set(self._header.names):
                raise DataError(
                    f"columns in one order throughout {self._file_name}",
                    f"another first line further down, where {names[0]} is called {values[0]}",
                    "keep files of different columns apart, and name them all",
                )
        if not is_row.all():
            read.table, read.lines = read.table.filter(pa.array(is_row)), read.lines[is_row]

    def _parsed(self, safe: SafeBlock) -> tuple[pa.Table, list[int]]:
        types = pa.string() if safe.all_utf8 else pa.binary()
        if not safe.text:
            return pa.table({name: pa.array([], types) for name in self._fields}), []
        return parse_block(safe.text, self._parser.dialect, self._parser.width, self._fields, types)


def _decode(read: ReadBlock, lines: list[bytes]) -> None:
    """Make strings of bytes; rows that are not UTF-8 are dropped. `lines`: of the block."""
    schema = pa.schema([(name, pa.string()) for name in read.table.column_names])
    try:
        read.table = read.table.cast(schema)
        return
    except pa.ArrowInvalid:
        sound = np.ones(len(read.table), np.bool_)
    for column in read.table.columns:
        sound &= np.array([value is None or is_utf8(value) for value in column.to_pylist()])
    read.dropped += [(line, reports.NOT_UTF8, lines[line]) for line in read.lines[~sound].tolist()]
    read.table, read.lines = read.table.filter(pa.array(sound)).cast(schema), read.lines[sound]
