"""Blocks of delimited text made safe for Arrow, which lets one stray quote swallow all that follows.

Most blocks go as they are: NumPy finds the lines that need a look, and only those are parsed in Python.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import compress

import numpy as np

from recsys.core.types import BoolArray, Int64Array
from recsys.prepare.raw.records import Dialect, OpenQuoteError, RecordParser, StrayQuoteError

LINE_FEED = ord("\n")


@dataclass
class SafeBlock:
    """Lines of which Arrow reads each record as what it is.

    Attributes:
        text: the records, one a line except within quotes; empty if there is none.
        lines: for each record the line of the block on which it starts, from 0; None if all records are lines.
        continued: number of lines that continue a record of the line before.
        bad: lines that are no record, blank ones among them: (line of the block, its text).
        rest: the last lines of the block, a record of which may go on in the next one.
    """

    text: bytes
    lines: Int64Array | None = None
    continued: int = 0
    bad: list[tuple[int, bytes]] = field(default_factory=list)
    rest: bytes = b""


def safe_block(block: bytes, parser: RecordParser, is_last: bool) -> SafeBlock:
    """Take what is no record out of a block of whole lines, and write what Arrow would misread so that it does not.

    Args:
        block: lines, each ending with a line feed.
        parser: of its records.
        is_last: whether nothing follows.
    """
    odd = _odd_lines(block, parser.dialect)
    if not len(odd):
        return SafeBlock(block)
    lines = block.split(b"\n")[:-1]
    safe = SafeBlock(b"")
    kept = np.ones(len(lines), np.bool_)
    after = 0  # the first line behind the last record
    for number in odd.tolist():
        if number < after:
            continue
        line = lines[number]
        try:
            if b"\0" in line or not line:
                raise StrayQuoteError
            record = parser.read(lines, number, is_last)
        except StrayQuoteError:
            kept[number] = False
            safe.bad.append((number, line))
        except OpenQuoteError:
            kept[number:] = False
            safe.rest = b"\n".join(lines[number:]) + b"\n"
            break
        else:
            after = number + record.lines
            lines[number] = parser.line(record.fields)
            kept[number + 1 : after] = False
            safe.continued += record.lines - 1
    safe.lines = np.flatnonzero(kept)
    if len(safe.lines):
        safe.text = b"\n".join(compress(lines, kept.tolist())) + b"\n"
    return safe


def _odd_lines(block: bytes, dialect: Dialect) -> Int64Array:
    """Lines (from 0, ascending) that are blank, hold NUL, or have quotes that are not simply those of quoted fields.

    And those that are not UTF-8: where such a line is no record, Arrow cannot say so.
    """
    has_quotes = bool(dialect.quote) and dialect.quote in block
    has_blanks = block.startswith(b"\n") or b"\n\n" in block
    all_utf8 = is_utf8(block)
    if all_utf8 and not (has_quotes or has_blanks or b"\0" in block):
        return np.zeros(0, np.int64)
    text = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(text == LINE_FEED)
    odd = [np.flatnonzero(np.diff(ends, prepend=-1) == 1), np.searchsorted(ends, np.flatnonzero(text == 0))]
    if has_quotes:
        odd.append(_odd_quotes(text, ends, dialect))
    if not all_utf8:
        odd.append(np.array([number for number, line in enumerate(block.split(b"\n")) if not is_utf8(line)], np.int64))
    return np.unique(np.concatenate(odd))


def _odd_quotes(text: np.ndarray, ends: Int64Array, dialect: Dialect) -> Int64Array:
    """Lines whose quotes do not pair up to whole fields, except those on which no quote opens a field.

    In a sound line a quote opens a field where it starts and closes it where it ends, and quotes within are doubled. So
    of each run of quotes, an odd number stands at such a place, and an even number within quotes anywhere.
    """
    delimiter, quote = ord(dialect.delimiter), ord(dialect.quote)
    quotes = np.flatnonzero(text == quote)
    follows = np.concatenate(([False], quotes[1:] == quotes[:-1] + 1))
    starts = np.flatnonzero(~follows)  # of runs, as indices into quotes
    lengths = np.diff(starts, append=len(quotes))
    first, last = quotes[starts], quotes[starts] + lengths - 1
    line_of_run = np.searchsorted(ends, first)
    before_line = np.searchsorted(quotes, ends)  # number of quotes up to the end of each line
    before_line = np.concatenate(([0], before_line))
    is_inside = ((starts - before_line[line_of_run]) & 1).astype(np.bool_)
    is_odd = (lengths & 1).astype(np.bool_)
    # What stands before the first byte is the line feed at the end.
    opens = _is_border(text[first - 1], delimiter)
    closes = _is_border(text[last + 1], delimiter)
    wrong = np.where(is_inside, is_odd & ~closes, ~opens | (~is_odd & ~closes))
    count_of_line = np.diff(before_line)
    unpaired = np.flatnonzero(count_of_line & 1)
    opened = np.zeros(len(ends), np.bool_)
    opened[line_of_run[opens]] = True
    odd = np.union1d(line_of_run[wrong], unpaired)
    return odd[opened[odd]]


def _is_border(neighbours: np.ndarray, delimiter: int) -> BoolArray:
    borders: BoolArray = (neighbours == delimiter) | (neighbours == LINE_FEED)
    return borders


def is_utf8(text: bytes) -> bool:
    """Whether bytes are UTF-8."""
    if not text.isascii():
        try:
            text.decode("utf8")
        except UnicodeDecodeError:
            return False
    return True
