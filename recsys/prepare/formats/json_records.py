"""Lines of JSON, or of Python literals, as checked records; bad lines are counted by cause."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from recsys.core.values.ids import check_id
from recsys.prepare import columns as c
from recsys.prepare.formats import reports
from recsys.prepare.formats.loose_records import LooseReader, json_tree
from recsys.prepare.formats.reports import InputReport


class LineParser:
    """Parses blocks of lines; bad lines are counted in the report.

    Attributes:
        lines: number of lines parsed so far.
        numbers: of the records of the last block, the lines on which they stand, from 1.
    """

    def __init__(self, report: InputReport, line_type: type[Any], literals: bool = False, loose: bool = False) -> None:
        """See `recsys.prepare.formats.json_lines.read_records`."""
        self._report, self._loose = report, loose
        self._decoder = msgspec.json.Decoder(line_type)
        self._parse: Callable[[bytes], Any] = self._decoder.decode
        if literals:
            self._parse = _literal_parser(self._decoder, line_type)
        self._line_type, self._tree_of = line_type, literal_or_json if literals else json_tree
        self._ids = tuple(name for name in (c.USER_ID, c.ITEM_ID) if name in line_type.__struct_fields__)
        self._loose_reader = LooseReader(line_type, report, self._tree_of)
        self.lines = 0
        self.numbers: Sequence[int] = ()

    def records(self, block: bytes) -> list[Any]:
        """The records of the sound lines of a block."""
        first_line = self.lines + 1
        count = block.count(b"\n")
        self.lines += count
        self._report.lines += count
        self.numbers = range(first_line, first_line + count)
        return self._whole_block(block, count) or self._line_by_line(block, first_line)

    def _whole_block(self, block: bytes, count: int) -> list[Any] | None:
        """All lines of a block at once; None unless every single one is sound."""
        try:
            if not block.isascii():
                block.decode("utf8")  # the decoder does not look into fields that it skips
            records = self._decoder.decode_lines(block)
        except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError):
            return None
        return records if len(records) == count and self._have_plain_ids(records) else None

    def _have_plain_ids(self, records: list[Any]) -> bool:
        """Whether the ids hold neither blanks nor control characters; others are looked at one by one."""
        for name in self._ids:
            ids = "".join([getattr(record, name) for record in records])
            if not ids.isprintable() or " " in ids:
                return False
        return True

    def _line_by_line(self, block: bytes, first_line: int) -> list[Any]:
        records, numbers = [], []
        for number, line in enumerate(block[:-1].split(b"\n"), first_line):
            try:
                if not line.isascii():
                    line.decode("utf8")
                records.append(self._one(line))
                numbers.append(number)
            except UnicodeError:
                self._report.drop(reports.NOT_UTF8, number, line)
            except msgspec.ValidationError as error:
                self._report.explain(*_field_and_reason(str(error)))
                self._report.drop(_cause(str(error)), number, line)
            except _InvalidIdError as error:
                self._report.explain("id", str(error))
                self._report.drop(reports.INVALID_ID, number, line)
            except (msgspec.DecodeError, ValueError, RecursionError):
                self._report.drop(reports.MALFORMED if line.strip() else reports.BLANK, number, line)
        self.numbers = numbers
        return records

    def _one(self, line: bytes) -> Any:
        """The record of a line, with its ids checked and without blanks around them."""
        try:
            record = self._parse(line)
        except (msgspec.DecodeError, ValueError):
            # Python's json writes NaN, which is no JSON, where a number is missing.
            if self._loose:
                record = self._loose_reader.read(line)
            elif b"NaN" in line:
                record = msgspec.convert(self._tree_of(line), self._line_type)
                msgspec.json.encode(record)  # refuses a lone surrogate, which Python's json reads
            else:
                raise
        for name in self._ids:
            text = getattr(record, name)
            setattr(record, name, text.strip())
            self._report.remark(f"blanks around {name}", text != text.strip())
            try:
                check_id(text.strip())
            except ValueError as error:
                raise _InvalidIdError(str(error)) from None
        return record


class _InvalidIdError(Exception):
    """An id that is none, see `check_id`."""


def _cause(message: str) -> str:
    """The cause of dropping a line, from msgspec's message."""
    if "missing required field" in message or "of length >= 1" in message:
        return reports.MISSING_FIELD
    if "of length <=" in message:
        return reports.INVALID_ID
    if "`float` >=" in message or "`float` <=" in message or "Number out of range" in message:
        return reports.RATING_OUT_OF_RANGE
    if "`int` >=" in message or "`int` <" in message:
        return reports.TIMESTAMP_OUT_OF_RANGE
    return reports.MISTYPED_FIELD


def _field_and_reason(message: str) -> tuple[str, str]:
    """The field that msgspec's message is about, and what it says: "Expected `int`, got `str` - at `$.asin`"."""
    reason, _, place = message.partition(" - at `$.")
    return place.removesuffix("`") or "record", reason[:1].lower() + reason[1:]


def _literal_parser(decoder: msgspec.json.Decoder[Any], line_type: type[Any]) -> Callable[[bytes], Any]:
    """A parser of lines that are Python literals or JSON. Nothing is ever evaluated."""

    def parse(line: bytes) -> Any:
        # A literal whose strings hold no quotes and no escapes becomes JSON by a change of quotes.
        if b'"' not in line and b"\\" not in line:
            try:
                return decoder.decode(line.replace(b"'", b'"'))
            except msgspec.DecodeError:
                pass
        if line.startswith(b'{"'):
            return decoder.decode(line)
        tree = _literal(line)
        record = msgspec.convert(tree, line_type)
        msgspec.json.encode(record)  # refuses a lone surrogate, which a literal may hold and UTF-8 may not
        return record

    return parse


def literal_or_json(line: bytes) -> Any:
    """A line that is JSON or a Python literal, parsed.

    Raises:
        ValueError: it is neither.
    """
    try:
        return json_tree(line)
    except ValueError:
        return _literal(line)


def _literal(line: bytes) -> Any:
    try:
        return ast.literal_eval(line.decode("utf8"))
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError("not a Python literal") from error
