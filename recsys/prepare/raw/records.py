"""One record of delimited text after the other, strictly: a quote means something at the start of a field alone.

RFC 4180 with two more readings: a quote within an unquoted field is a plain character, and a record that makes no sense
otherwise may escape its quotes with a backslash, as Spark and MySQL write them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# How far a quoted field may reach; beyond, the quote that opened it is a stray one.
MAX_QUOTED_LINES = 10_000
MAX_QUOTED_BYTES = 16 << 20
LEAST_OF_VALUES = 0.75  # of the first rows: the share with a number or a date, where a column holds these
_VALUE = re.compile(rb"[-+]?[.,]?[0-9]")


class StrayQuoteError(Exception):
    """A line is no record because of a quote."""


class OpenQuoteError(Exception):
    """The last line that there is ends within quotes."""


@dataclass(frozen=True)
class Dialect:
    """How delimited text is written: single bytes of ASCII; without a quote, quotes are plain characters."""

    delimiter: bytes = b","
    quote: bytes = b'"'


@dataclass(frozen=True)
class Record:
    """The fields of a record, and the number of lines that it takes."""

    fields: list[bytes]
    lines: int = 1


class RecordParser:
    """Reads records that have a given number of fields.

    Attributes:
        dialect: in which they are written.
        width: number of fields.
    """

    def __init__(self, dialect: Dialect, width: int, sample: Iterable[bytes] = ()) -> None:
        """`sample`: some of the first lines, which show in what fields values are numbers or dates."""
        self.dialect, self.width = dialect, width
        quote = re.escape(dialect.quote or b"\n")
        # The content of a quoted field up to the quote that closes it, or to the end of the line.
        self._content = re.compile(rb"[^%b]*+(?:%b[^%b]*+)*+" % (quote, quote * 2, quote), re.DOTALL)
        self._escaped_content = re.compile(rb"(?:[^%b\\]++|\\.)*+" % quote, re.DOTALL)
        rows = [fields for line in sample if len(fields := self._fields_of(line)) == width]
        self._value_columns = [
            column
            for column in range(width if rows else 0)
            if sum(bool(_VALUE.match(row[column])) for row in rows) >= LEAST_OF_VALUES * len(rows)
        ]

    def read_any(self, lines: Sequence[bytes], start: int) -> Record:
        """The record that starts with line `start` of `lines`, whatever its number of fields; raises like `read`."""
        return self._read(lines, start, self._content)

    def read(self, lines: Sequence[bytes], start: int, is_last: bool) -> Record:
        """The record that starts with line `start` of `lines`; `is_last` if no lines follow these.

        Raises:
            StrayQuoteError: the line is no record of `width` fields.
            OpenQuoteError: the record may go on in the lines that follow.
        """
        if self.dialect.quote not in lines[start]:
            if len(fields := lines[start].split(self.dialect.delimiter)) != self.width:
                raise StrayQuoteError
            return Record(fields)
        try:
            record = self._read(lines, start, self._content)
            if len(record.fields) == self.width:
                return record
        except StrayQuoteError:
            pass
        except OpenQuoteError:
            if not is_last:
                raise
        if fields := self._fields_of(lines[start]):
            return Record(fields)
        raise StrayQuoteError

    def is_whole(self, line: bytes) -> bool:
        """Whether a line is a record of `width` fields."""
        return bool(self._fields_of(line))

    def line(self, fields: Iterable[bytes]) -> bytes:
        """A record as Arrow reads it, without the line feed at its end."""
        delimiter, quote = self.dialect.delimiter, self.dialect.quote
        if not quote:
            return delimiter.join(fields)
        return delimiter.join(
            quote + field.replace(quote, quote * 2) + quote
            if quote in field or delimiter in field or b"\n" in field
            else field
            for field in fields
        )

    def _fields_of(self, line: bytes) -> list[bytes]:
        """The fields of a record of one line, its quotes doubled or else escaped; none if it is no record."""
        for content in (self._content, self._escaped_content):
            try:
                fields = self._read([line], 0, content).fields
            except (StrayQuoteError, OpenQuoteError):
                continue
            if len(fields) == self.width:
                return fields
        return []

    def _is_row(self, line: bytes) -> bool:
        """Whether a line within quotes looks like a row of its own, so that the quotes are none.

        It has all fields, and where most of the first rows hold numbers or dates, so does most of it. The end of a text
        in the first column has all fields, too; but then the line where the text starts has not.
        """
        if line.count(self.dialect.delimiter) + 1 < self.width:
            return False
        fields = self._fields_of(line)
        if not fields:
            return False
        values = [fields[column] for column in self._value_columns]
        fitting = sum(bool(_VALUE.match(value)) for value in values)
        return not values or fitting >= max(1, sum(map(bool, values)) / 2)

    def _read(self, lines: Sequence[bytes], start: int, content: re.Pattern[bytes]) -> Record:
        delimiter, quote = self.dialect.delimiter, self.dialect.quote
        number, line, position = start, lines[start], 0
        fields = []
        while True:
            if quote and line.startswith(quote, position):
                field, number, position = self._quoted(lines, number, position + 1, content)
                line = lines[number]
            else:
                end = line.find(delimiter, position)
                end = len(line) if end < 0 else end
                field, position = line[position:end], end
            fields.append(field)
            if position == len(line):
                return Record(fields, number - start + 1)
            if not line.startswith(delimiter, position):
                raise StrayQuoteError
            position += 1

    def _quoted(
        self, lines: Sequence[bytes], number: int, position: int, content: re.Pattern[bytes]
    ) -> tuple[bytes, int, int]:
        """The content of a quoted field, the line on which it ends and the position behind the quote that closes it."""
        pieces, size, opened = [], 0, number
        is_whole = lines[number].count(self.dialect.delimiter) + 1 >= self.width
        while True:
            line = lines[number]
            match = content.match(line, position)
            end = match.end() if match else position
            pieces.append(line[position:end])
            if line.startswith(self.dialect.quote, end):
                return self._unescaped(b"\n".join(pieces), content), number, end + 1
            number, position, size = number + 1, 0, size + len(line)
            if number - opened >= MAX_QUOTED_LINES or size > MAX_QUOTED_BYTES:
                raise StrayQuoteError
            if number == len(lines):
                raise OpenQuoteError
            if self._is_row(lines[number]) and (is_whole or not self._closes(lines[number], content)):
                raise StrayQuoteError

    def _closes(self, line: bytes, content: re.Pattern[bytes]) -> bool:
        """Whether a line ends a quoted field that was opened before."""
        match = content.match(line)
        rest = line[match.end() :] if match else b""
        return rest == self.dialect.quote or rest.startswith(self.dialect.quote + self.dialect.delimiter)

    def _unescaped(self, text: bytes, content: re.Pattern[bytes]) -> bytes:
        if content is self._escaped_content:
            return re.sub(rb"\\(.)", rb"\1", text, flags=re.DOTALL)
        return text.replace(self.dialect.quote * 2, self.dialect.quote)
