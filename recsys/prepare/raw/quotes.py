"""Blocks of delimited text made safe for Arrow, which lets one stray quote swallow all that follows.

Most blocks go as they are: NumPy finds the lines that need a look, and only those are parsed in Python.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import compress

import numpy as np

from recsys.core.types import Int64Array
from recsys.prepare.raw.records import Dialect, OpenQuoteError, RecordParser, StrayQuoteError

LINE_FEED = ord("\n")


@dataclass
class SafeBlock:
    """Lines of which Arrow reads each record as what it is.

    Attributes:
        text: the records, one a line except within quotes; empty if there is none.
        all_utf8: whether the whole block is UTF-8.
        lines: for each record the line of the block on which it starts, from 0; None if all records are lines.
        continued: number of lines that continue a record of the line before.
        blank: number of lines without anything on them, outside of records.
        bad: lines that are no record: (line of the block, its text).
        rest: the last lines of the block, a record of which may go on in the next one.
    """

    text: bytes
    all_utf8: bool
    lines: Int64Array | None = None
    continued: int = 0
    blank: int = 0
    bad: list[tuple[int, bytes]] = field(default_factory=list)
    rest: bytes = b""


def safe_block(block: bytes, parser: RecordParser, is_last: bool) -> SafeBlock:
    """Take what is no record out of a block of whole lines, and write what Arrow would misread so that it does not.

    Args:
        block: lines, each ending with a line feed.
        parser: of its records.
        is_last: whether nothing follows.
    """
    all_utf8 = is_utf8(block)
    odd, blank = _odd_lines(block, parser.dialect, all_utf8)
    if not len(odd) and not len(blank):
        return SafeBlock(block, all_utf8)
    lines = block.split(b"\n")[:-1]
    safe = SafeBlock(b"", all_utf8)
    kept = np.ones(len(lines), np.bool_)
    after = 0  # the first line behind the last record
    for number in odd.tolist():
        if number < after:
            continue
        line = lines[number]
        try:
            if b"\0" in line:
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
    safe.blank = int(np.count_nonzero(kept[blank]))
    kept[blank] = False
    safe.lines = np.flatnonzero(kept)
    if len(safe.lines):
        safe.text = b"\n".join(compress(lines, kept.tolist())) + b"\n"
    return safe


def _odd_lines(block: bytes, dialect: Dialect, all_utf8: bool) -> tuple[Int64Array, Int64Array]:
    """Lines (from 0, ascending) that need a look, and those that are blank.

    The former hold NUL, or have quotes that are not simply those of quoted fields, or are not UTF-8: where such a line
    is no record, Arrow cannot say so.
    """
    text = np.frombuffer(block, np.uint8)
    is_end = text == LINE_FEED
    has_quotes = bool(dialect.quote) and dialect.quote in block
    has_blanks = block.startswith(b"\n") or bool((is_end[1:] & is_end[:-1]).any())
    if all_utf8 and not (has_quotes or has_blanks or b"\0" in block):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    ends = np.flatnonzero(is_end)
    odd = [np.searchsorted(ends, np.flatnonzero(text == 0))]
    if has_quotes:
        odd.append(_odd_quotes(text, ends, dialect))
    if not all_utf8:
        odd.append(np.array([number for number, line in enumerate(block.split(b"\n")) if not is_utf8(line)], np.int64))
    return np.unique(np.concatenate(odd)), np.flatnonzero(np.diff(ends, prepend=-1) == 1)


def _odd_quotes(text: np.ndarray, ends: Int64Array, dialect: Dialect) -> Int64Array:
    """Lines whose quotes do not pair up to whole fields, except those on which no quote opens a field.

    Of the quotes of a sound line the first, third and so on open a field where it starts, the others close it where it
    ends; where one closes and the next opens at once, both are a quote within the field.
    """
    quote = ord(dialect.quote)
    is_border = np.zeros(256, np.bool_)
    is_border[[LINE_FEED, ord(dialect.delimiter)]] = True
    is_neighbour = is_border.copy()
    is_neighbour[quote] = True
    quotes = np.flatnonzero(text == quote)
    before = np.concatenate(([0], np.searchsorted(quotes, ends)))  # number of quotes before each line
    counts = np.diff(before)
    unpaired = np.flatnonzero(counts & 1)
    if len(unpaired):
        is_second = ((np.arange(len(quotes)) - np.repeat(before[:-1], counts)) & 1).astype(np.bool_)
        first, second = quotes[~is_second], quotes[is_second]
    else:
        first, second = quotes[::2], quotes[1::2]
    # What stands before the first byte is the line feed at the end.
    wrong = np.concatenate((first[~is_neighbour[text[first - 1]]], second[~is_neighbour[text[second + 1]]]))
    odd = np.union1d(np.searchsorted(ends, wrong), unpaired)
    if len(odd):
        openers = np.concatenate(([0], np.cumsum(is_border[text[quotes - 1]])))
        odd = odd[openers[before[odd + 1]] > openers[before[odd]]]
    return odd


def is_utf8(text: bytes) -> bool:
    """Whether bytes are UTF-8."""
    if not text.isascii():
        try:
            text.decode("utf8")
        except UnicodeDecodeError:
            return False
    return True
