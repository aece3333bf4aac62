"""Read Amazon reviews and item metadata: lines to checked rows, bad lines counted by cause."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from recsys.config import DataConfig
from recsys.prepare import columns as c
from recsys.prepare import files as s
from recsys.prepare.amazon_formats import FORMATS, RawMetadata, metadata_type, review_type
from recsys.prepare.files import SourceReport

BATCH_ROWS = 1 << 15


def review_tables(
    report: SourceReport, config: DataConfig, first_seq: int, on_bytes: Callable[[int], object]
) -> Iterator[pa.Table]:
    """Yield a review file as tables for `staging.insert`; `seq` counts up from `first_seq` in file order.

    Raises:
        DataError: see `sources.read_blocks`; too many bad lines; evidently another format.
    """
    form = FORMATS[config.format]
    line_type = review_type(form, config.rating_range)
    seq = first_seq
    for rows in _batches(report, config, line_type, on_bytes):
        yield pa.table(
            {
                c.USER_ID: pa.array([row.user_id for row in rows], pa.string()),
                c.ITEM_ID: pa.array([row.item_id for row in rows], pa.string()),
                c.TIMESTAMP: pa.array([row.timestamp // form.ticks for row in rows], pa.int64()),
                c.RATING: pa.array([row.rating for row in rows], pa.float32()),
                "seq": pa.array(np.arange(seq, seq + len(rows))),
            }
        )
        seq += len(rows)


def metadata_rows(
    report: SourceReport, config: DataConfig, on_bytes: Callable[[int], object]
) -> Iterator[list[RawMetadata]]:
    """Yield a metadata file as lists of rows. Raises as `review_tables` does."""
    return _batches(report, config, metadata_type(FORMATS[config.format]), on_bytes)


def _batches(
    report: SourceReport, config: DataConfig, line_type: type[Any], on_bytes: Callable[[int], object]
) -> Iterator[list[Any]]:
    literals = report.kind == "metadata" and FORMATS[config.format].literals
    blocks = s.prefetch(s.read_blocks(report, config.allow_truncated, on_bytes))
    held: list[Any] = []
    for rows in parse_lines(blocks, report, line_type, literals):
        held += rows
        if len(held) >= BATCH_ROWS:
            yield held
            held = []
    report.check_bad_share(config.max_bad_line_share)
    if held:
        yield held


def parse_lines(
    blocks: Iterator[bytes],
    report: SourceReport,
    line_type: type[Any],
    literals: bool = False,
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
        rows = decoder.decode_lines(block)
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError):
        return None
    return rows if len(rows) == count else None


def _line_by_line(block: bytes, parse: Callable[[bytes], Any], report: SourceReport, first_line: int) -> list[Any]:
    rows = []
    for number, line in enumerate(block[:-1].split(b"\n"), first_line):
        try:
            if not line.isascii():
                line.decode("utf8")
            rows.append(parse(line))
        except UnicodeError:
            report.drop(s.NOT_UTF8, number, line)
        except msgspec.ValidationError as error:
            report.drop(_cause(str(error)), number, line)
        except (msgspec.DecodeError, ValueError, RecursionError):
            report.drop(s.MALFORMED if line.strip() else s.BLANK, number, line)
    return rows


def _cause(message: str) -> str:
    """The cause of dropping a line, from msgspec's message."""
    if "missing required field" in message or "of length >= 1" in message:
        return s.MISSING_FIELD
    if "`float` >=" in message or "`float` <=" in message or "Number out of range" in message:
        return s.RATING_OUT_OF_RANGE
    if "`int` >=" in message or "`int` <" in message:
        return s.TIMESTAMP_OUT_OF_RANGE
    return s.MISTYPED_FIELD


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
        row = msgspec.convert(tree, line_type)
        msgspec.json.encode(row)  # a lone surrogate, legal in a literal, is no UTF-8
        return row

    return parse
