"""Delimited text (comma or tab) as Arrow tables of strings; lines that are no row are counted by cause."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from recsys.prepare.formats import reports
from recsys.prepare.formats.files import read_blocks
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.read_ahead import read_ahead

BLOCK_BYTES = 1 << 22


class DelimitedRows:
    """The rows of one file, and the lines on which they stand.

    Attributes:
        report: of the file; rows with a wrong number of fields or not in UTF-8 are counted there.
        delimiter: what separates the fields of a line.
        count: number of rows accounted for so far, see `account`.
    """

    def __init__(self, report: InputReport, delimiter: str = ",", quoted: bool = True) -> None:
        """With `quoted`, a field may stand in double quotes and then hold delimiters and line feeds."""
        self.report, self.delimiter, self._quoted = report, delimiter, quoted
        self.count = 0
        self._header_lines = 0
        self._skipped: list[int] = []  # line numbers of dropped rows, which are in no table

    def account(self, batch: pa.Table) -> int:
        """Count the rows of a table; returns the number of rows before it."""
        first = self.count
        self.count += len(batch)
        self.report.lines += len(batch)
        return first

    def drop(self, cause: str, row: int, batch: pa.Table, position: int) -> None:
        """Count row `row` of the file (from 0) as bad; it stands at `position` in `batch`."""
        values = batch.slice(position, 1).to_pylist()[0].values()
        self.report.drop(cause, self._line_number(row), self.delimiter.join(value or "" for value in values))

    def read(
        self, columns: Mapping[str, str], allow_truncated: bool, on_bytes: Callable[[int], object]
    ) -> Iterator[pa.Table]:
        """Yield the file, whose first line names its columns, as tables of strings; an empty field is null.

        Args:
            columns: name in the file -> name in the tables; a column that the file lacks is null in every row.
            allow_truncated: whether to read the contents of a truncated gzip.
            on_bytes: called with each number of bytes read.

        Raises:
            DataError: see `read_blocks`.
        """
        self._header_lines = 1
        blocks = read_ahead(read_blocks(self.report, allow_truncated, on_bytes))
        # Read as bytes, because the reader would stop at the first string that is not UTF-8.
        types = dict.fromkeys(columns, pa.binary())
        reader = pa_csv.open_csv(
            io.BufferedReader(_BlockStream(blocks)),
            pa_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
            pa_csv.ParseOptions(
                delimiter=self.delimiter,
                quote_char='"' if self._quoted else False,
                newlines_in_values=self._quoted,
                invalid_row_handler=self._skip_row,
            ),
            pa_csv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                include_missing_columns=True,
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
        for batch in reader:
            yield self._decode(pa.Table.from_batches([batch]).rename_columns(list(columns.values())))

    def _line_number(self, row: int) -> int:
        """Line of the file on which row `row` (from 0) stands."""
        number = row + 1 + self._header_lines
        for skipped in self._skipped:
            if skipped > number:
                break
            number += 1
        return number

    def _skip_row(self, row: pa_csv.InvalidRow) -> str:
        self._skipped.append(row.number)
        self.report.lines += 1
        self.report.drop(reports.MALFORMED, row.number, row.text)
        return "skip"

    def _decode(self, batch: pa.Table) -> pa.Table:
        schema = pa.schema([(name, pa.string()) for name in batch.column_names])
        try:
            return batch.cast(schema)
        except pa.ArrowInvalid:
            sound = []
            for position, row in enumerate(batch.to_pylist()):
                line = self.delimiter.encode().join(value or b"" for value in row.values())
                try:
                    line.decode("utf8")
                    sound.append(position)
                except UnicodeDecodeError:
                    number = self._line_number(self.count + len(sound))
                    self._skipped.append(number)
                    self._skipped.sort()
                    self.report.lines += 1
                    self.report.drop(reports.NOT_UTF8, number, line)
            return batch.take(pa.array(sound, pa.int64())).cast(schema)


class _BlockStream(io.RawIOBase):
    """Blocks of bytes as a file."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._blocks, b""))
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
