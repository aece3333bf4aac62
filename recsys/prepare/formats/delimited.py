"""Delimited text as Arrow tables of strings; every line is accounted for, those that are no row by their cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Protocol

import numpy as np
import pyarrow as pa

from recsys.core.errors import DataError
from recsys.prepare.formats import reports
from recsys.prepare.formats.delimited_blocks import BlockReader
from recsys.prepare.formats.files import read_parts
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.formats.rows import Rows
from recsys.prepare.raw.dialects import read_header
from recsys.prepare.raw.encodings import line_feeds_alone, without_inner_marks
from recsys.prepare.raw.quotes import LINE_FEED
from recsys.prepare.raw.records import Dialect
from recsys.prepare.read_ahead import read_ahead

BLOCK_BYTES = 1 << 22


class ColumnNames(Protocol):
    """Chooses columns by the names that stand in a first line.

    Attributes:
        wanted: names that may be chosen.
    """

    wanted: Sequence[str]

    def __call__(self, names: Sequence[str], file_name: str) -> Mapping[str, str]:
        """Name in the file -> name in the tables; raises DataError."""


class DelimitedRows(Rows):
    """The rows of one file, and the lines on which they stand; lines that are no row are counted in its report.

    Lines end with a line feed, a carriage return or both; within quotes all of these are read as a line feed.
    """

    def __init__(
        self, report: InputReport, dialect: Dialect | None = None, header: Sequence[str | None] | None = None
    ) -> None:
        """Read a file.

        Args:
            report: of the file.
            dialect: how it is written, if its format says so; otherwise settings and first lines tell.
            header: names of the columns, if the first line holds none.
        """
        super().__init__(report)
        self._fixed_dialect, self._names = dialect, header
        self._dialect = dialect or Dialect()
        self._written_as = ""
        self._lines_before = 0  # of the files read, if several are packed
        self._lines_of_text = 0  # counted in the text
        self._other_lines = 0  # of headers, of rows beyond their first line

    @property
    def separator(self) -> str:
        return self._dialect.delimiter.decode()

    def read(
        self, columns: Mapping[str, str] | ColumnNames, allow_truncated: bool, on_bytes: Callable[[int], object]
    ) -> Iterator[pa.Table]:
        """Yield the file as tables of strings, by the names in its first line; an empty field is null.

        Of several files packed in one, each has a first line of its own.

        Args:
            columns: name in the file -> name in the tables; a column that the file lacks is null in every row. Or
                what chooses them by the names in a first line.
            allow_truncated: whether to read the contents of a truncated file.
            on_bytes: called with each number of bytes read.

        Raises:
            DataError: see `read_parts` and `read_header`; a column is named twice, or names come again in another
                order; rows and drops do not amount to the lines.
        """
        lines_before = self.report.lines
        blocks = read_ahead(read_parts(self.report, allow_truncated, on_bytes))
        for _, part in groupby(blocks, key=itemgetter(0)):
            yield from self._read_part(_merged(self._with_line_feeds(block) for _, block in part), columns)
        self.report.written_as = ", ".join(filter(None, (self.report.written_as, self._written_as)))
        cut_off = self.report.dropped[reports.CUT_OFF]
        accounted = self.report.lines - lines_before - cut_off + self._other_lines
        if accounted != self._lines_of_text:
            raise DataError(
                f"rows and dropped lines that amount to the {self._lines_of_text:,} lines of {self.report.path}",
                f"{accounted:,}",
                "this is a fault of the reader: please report it with the file",
            )

    def _with_line_feeds(self, block: bytes) -> bytes:
        """A block whose lines end with line feeds alone; counts them as they stand in the file."""
        self._lines_of_text += _count_lines(block)
        if b"\r" in block:
            self._lines_of_text += block.count(b"\r") - block.count(b"\r\n")
        return without_inner_marks(line_feeds_alone(block))

    def _read_part(
        self, blocks: Iterator[tuple[bytes, bool]], chosen: Mapping[str, str] | ColumnNames
    ) -> Iterator[pa.Table]:
        """Yield what stands under one header."""
        block, is_last = next(blocks)
        path = str(self.report.path)
        wanted = chosen if isinstance(chosen, Mapping) else chosen.wanted
        header = read_header(block, self.report.text, wanted, path, self._fixed_dialect, self._names)
        columns = chosen if isinstance(chosen, Mapping) else chosen(header.names, path)
        self._check_names(header.names, columns)
        self._dialect = header.dialect
        self._written_as = "" if self._fixed_dialect else header.description
        reader = BlockReader(header, {name: column for column, name in columns.items()}, path)
        text = block.split(b"\n", header.lines)[-1]
        self._other_lines += header.lines
        line = self._lines_before + header.lines
        while True:
            read = reader.read(text, is_last)
            self._other_lines += read.continued
            self.report.lines += len(read.dropped) + read.blank
            if read.blank:
                self.report.dropped[reports.BLANK] += read.blank
            for number, cause, raw in read.dropped:
                self.report.drop(cause, line + number + 1, raw)
                if cause == reports.MALFORMED and reports.FIELDS not in self.report.explanations:
                    self.report.explain(reports.FIELDS, reader.why_no_row(raw))
            if len(read.table):
                self.lines.append(read.lines + line)
                yield read.table
            line += _count_lines(text) - _count_lines(read.rest)
            if is_last:
                self._lines_before = line
                return
            block, is_last = next(blocks)
            text = read.rest + block

    def _check_names(self, names: list[str], columns: Mapping[str, str]) -> None:
        twice = [name for name, count in Counter(names).items() if count > 1 and name in columns]
        if twice:
            raise DataError(
                f"each column once in {self.report.path}",
                f"{' and '.join(twice)} more than once among {', '.join(names)[:200]}",
                "give another name to all of them but the one that is meant",
            )


def _count_lines(block: bytes) -> int:
    """Number of line feeds; NumPy counts them many times as fast as bytes do."""
    return int(np.count_nonzero(np.frombuffer(block, np.uint8) == LINE_FEED))


def _merged(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Blocks joined to some of at least `BLOCK_BYTES`, each with whether it is the last; there is one at least."""
    held: list[bytes] = []
    size = 0
    for block in blocks:
        if size >= BLOCK_BYTES:
            yield b"".join(held), False
            held, size = [], 0
        held.append(block)
        size += len(block)
    yield b"".join(held), True
