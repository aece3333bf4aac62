"""Lines of JSON, or of Python literals, as checked records; bad lines are counted by cause."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from recsys.prepare.formats import reports
from recsys.prepare.formats.base import OnBytes, RawItem
from recsys.prepare.formats.files import read_blocks
from recsys.prepare.formats.layouts import LAYOUTS, item_type
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.read_ahead import read_ahead
from recsys.prepare.settings import DataConfig

BATCH_ROWS = 1 << 15


def raw_items(layout_name: str, report: InputReport, config: DataConfig, on_bytes: OnBytes) -> Iterator[list[RawItem]]:
    """Yield a metadata file in a layout of `LAYOUTS`, see `Format.items`."""
    layout = LAYOUTS[layout_name]
    return read_records(report, config, item_type(layout), on_bytes, layout.literals)


def read_records(
    report: InputReport, config: DataConfig, line_type: type[Any], on_bytes: OnBytes, literals: bool = False
) -> Iterator[list[Any]]:
    """Yield a file as lists of at least `BATCH_ROWS` objects of `line_type`; the last list may be shorter.

    Args:
        report: of the file; its bad lines are counted there.
        config: the limit on bad lines, and whether a truncated gzip is allowed.
        line_type: a msgspec type.
        on_bytes: called with each number of bytes read.
        literals: whether lines may be Python literals.

    Raises:
        DataError: see `read_blocks`; too many bad lines.
    """
    blocks = read_ahead(read_blocks(report, config.allow_truncated, on_bytes))
    batch: list[Any] = []
    for records in _parse_blocks(blocks, report, line_type, literals):
        batch += records
        if len(batch) >= BATCH_ROWS:
            yield batch
            batch = []
    report.check_bad_share(config.max_bad_line_share)
    if batch:
        yield batch


def _parse_blocks(
    blocks: Iterator[bytes], report: InputReport, line_type: type[Any], literals: bool
) -> Iterator[list[Any]]:
    """Yield each block's lines as objects of `line_type`; bad lines are counted in `report`."""
    decoder = msgspec.json.Decoder(line_type)
    parse: Callable[[bytes], Any] = decoder.decode
    if literals:
        parse = _literal_parser(decoder, line_type)
    for block in blocks:
        first_line = report.lines + 1
        count = block.count(b"\n")
        report.lines += count
        yield _whole_block(block, decoder, count) or _line_by_line(block, parse, report, first_line)


def _whole_block(block: bytes, decoder: msgspec.json.Decoder[Any], count: int) -> list[Any] | None:
    """All lines of a block at once; None unless every single one is sound."""
    try:
        if not block.isascii():
            block.decode("utf8")  # the decoder does not look into fields that it skips
        records = decoder.decode_lines(block)
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError):
        return None
    return records if len(records) == count else None


def _line_by_line(block: bytes, parse: Callable[[bytes], Any], report: InputReport, first_line: int) -> list[Any]:
    records = []
    for number, line in enumerate(block[:-1].split(b"\n"), first_line):
        try:
            if not line.isascii():
                line.decode("utf8")
            records.append(parse(line))
        except UnicodeError:
            report.drop(reports.NOT_UTF8, number, line)
        except msgspec.ValidationError as error:
            report.drop(_cause(str(error)), number, line)
        except (msgspec.DecodeError, ValueError, RecursionError):
            report.drop(reports.MALFORMED if line.strip() else reports.BLANK, number, line)
    return records


def _cause(message: str) -> str:
    """The cause of dropping a line, from msgspec's message."""
    if "missing required field" in message or "of length >= 1" in message:
        return reports.MISSING_FIELD
    if "`float` >=" in message or "`float` <=" in message or "Number out of range" in message:
        return reports.RATING_OUT_OF_RANGE
    if "`int` >=" in message or "`int` <" in message:
        return reports.TIMESTAMP_OUT_OF_RANGE
    return reports.MISTYPED_FIELD


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
        try:
            tree = ast.literal_eval(line.decode("utf8"))
        except (SyntaxError, MemoryError, RecursionError) as error:
            raise ValueError("not a Python literal") from error
        record = msgspec.convert(tree, line_type)
        msgspec.json.encode(record)  # refuses a lone surrogate, which a literal may hold and UTF-8 may not
        return record

    return parse
