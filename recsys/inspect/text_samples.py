"""Samples of text files: delimited text and JSON, compressed, packed and in any encoding."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from recsys.core.errors import DataError
from recsys.inspect.json_samples import json_objects, rows_of, without_items
from recsys.inspect.samples import (
    HEAD_BYTES,
    PLACE_BYTES,
    PLACES,
    SEED,
    WHOLE_BYTES,
    Layout,
    Sample,
    joined,
    strings_table,
    without_blanks,
)
from recsys.inspect.words import EVENT_COLUMNS, ITEM_COLUMNS
from recsys.prepare.formats.delimited_blocks import BlockReader
from recsys.prepare.formats.event_refusals import is_data
from recsys.prepare.formats.json_documents import first_values, is_document
from recsys.prepare.raw.compression import CutOffError, peeked
from recsys.prepare.raw.dialects import DELIMITERS, Header, read_header
from recsys.prepare.raw.encodings import line_feeds_alone, without_inner_marks
from recsys.prepare.raw.parts import open_parts
from recsys.prepare.text_settings import AUTO, TextConfig

_WIDE = ("utf-16-le", "utf-16-be")
_NOT_UTF8_SHARE = 0.01  # of the lines beyond ASCII: fewer are damaged lines of UTF-8
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
_KANA = re.compile("[\u3040-\u30ff]")
_LEAST_KANA = 0.1  # of the letters of Japanese
_LEAST_RUN = 2  # bytes beyond ASCII one after the other, in scripts that have no Latin letters
_NAMES = {*EVENT_COLUMNS, *ITEM_COLUMNS}

_MOST_VALUES = 20_000  # that are looked at of a list


def text_sample(path: Path) -> Sample:
    """A sample of a text file.

    Raises:
        DataError: it holds no rows, or is no text; with what it is.
    """
    head, encoding, packed, notes = _head(path)
    is_cut = len(head) >= _wanted(path)
    text = line_feeds_alone(head)
    text = text[: text.rfind(b"\n") + 1] or text if is_cut else text
    if not text.strip():
        got = "nothing but blank lines" if text else "an empty file"
        raise DataError(f"rows in {path.name}", got, "export it again")
    settings = {} if encoding == AUTO else {"encoding": encoding}
    start = text.lstrip()[:1]
    sample = _json(path, text) if start in (b"{", b"[") else _delimited(path, text, is_cut)
    sample.settings = settings | sample.settings
    sample.notes = notes + sample.notes
    sample.written_as = ", ".join(filter(None, (packed, sample.written_as)))
    if not is_cut:
        sample.total, sample.is_exact = len(sample.rows), True
    elif packed and "UTF" not in packed:
        sample.notes.append(
            f"Packed ({packed}): only its head was looked at, {sample.head_rows:,} rows; how many follow is not known."
        )
    elif encoding in _WIDE or "UTF-" in packed:
        sample.total = _estimate(sample.size, 2 * len(text), sample.head_rows)
        sample.notes.append("Only its head was looked at, because each letter takes two bytes.")
    else:
        _add_places(sample, len(text), encoding)
    return sample


def _wanted(path: Path) -> int:
    """Number of bytes of the head: more than there are of a small file, whose letters may take two bytes in UTF-8."""
    size = path.stat().st_size
    return max(HEAD_BYTES, 2 * size if size <= WHOLE_BYTES else 0) + 1


def _head(path: Path) -> tuple[bytes, str, str, list[str]]:
    """The first bytes of a file or of the first one packed in it, in UTF-8; its encoding, how it is packed, notes."""
    notes: list[str] = []
    with open_parts(path) as parts:
        part = next(parts)
        further = [each.file_name for each in parts]
        if further:
            notes.append(f"{len(further) + 1} files are packed in it; this is the first, {part.file_name}.")
        for encoding in (AUTO, *_WIDE):
            try:
                head, rest = peeked(part.text(encoding), _wanted(path))
            except DataError as error:
                if encoding == AUTO and "UTF-16" in error.got:
                    continue
                raise
            break
        if not head:
            try:
                next(rest, None)
            except CutOffError:
                got = f"a file ({part.description}) that ends in the middle of its data, before its first row"
                raise DataError(f"rows in {path.name}", got, "download it again") from None
        words = part.description
    head = without_inner_marks(head)
    if encoding == AUTO and (other := _other_encoding(head)):
        head = head.decode(other, "replace").encode()
        encoding = other
    return head, encoding, words, notes


def _other_encoding(head: bytes) -> str | None:
    """The encoding of text that is evidently not UTF-8: one of the usual ones, guessed."""
    beyond = [line for line in head.split(b"\n")[:-1] if not line.isascii()]
    wrong = [line for line in beyond if not _decodes(line, "utf-8")]
    if len(wrong) <= _NOT_UTF8_SHARE * len(beyond):
        return None
    runs = [len(run) for line in wrong for run in _BEYOND_ASCII.findall(line)]
    if sum(runs) < _LEAST_RUN * len(runs):  # letters with accents stand alone between others
        return "windows-1252"
    decoding = [name for name in ("shift_jis", "gb18030") if all(_decodes(line, name) for line in wrong)]
    if "shift_jis" in decoding:
        letters = b"".join(wrong).decode("shift_jis")
        if len(_KANA.findall(letters)) < _LEAST_KANA * sum(not letter.isascii() for letter in letters):
            decoding.remove("shift_jis")
    return decoding[0] if decoding else "windows-1251"


def _decodes(line: bytes, name: str) -> bool:
    try:
        line.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _json(path: Path, text: bytes) -> Sample:
    string = text.decode("utf8", "replace")
    records, is_wrapped = list(json_objects(string)), False
    if len(records) < 2 and is_document(text):  # one object may hold the list of all records
        values = [value for value in first_values(text, _MOST_VALUES) if isinstance(value, dict)]
        records, is_wrapped = values or records, len(values) > 1
    first = string.lstrip().split("\n", 1)[0].rstrip()
    layout: Layout = "JSON lines"
    if first.startswith("[") or is_wrapped:
        layout = "a JSON array"
    elif first.startswith("{'"):
        layout = "Python literals"
    elif len(records) > 1 and not first.endswith("}"):
        layout = "JSON objects"
    if not records:
        raise DataError(
            f"objects of JSON in {path.name}", f"no objects of JSON: it begins with {first[:60]!r}", "export it again"
        )
    rows = strings_table(rows_of(records))
    if not rows.num_columns:
        raise DataError(f"fields in the objects of {path.name}", "objects without any field", "export it again")
    sample = Sample(path, layout, rows, len(rows), path.stat().st_size, head=text)
    if count := without_items(records):
        sample.notes.append(f"{count:,} of the first {len(records):,} records have no items, and are no events.")
    return sample


def _delimited(path: Path, text: bytes, is_cut: bool) -> Sample:
    settings: dict[str, str] = {}
    header, notes = _header(path, text, settings)
    if not any(header.names):
        raise DataError(f"a table in {path.name}", "a first line of separators alone", "check how it was exported")
    if len(header.names) == 1:
        got = f"text in one column: it begins with {header.names[0][:60]!r}"
        remedy = "set data.delimiter to what separates columns, if there are any"
        raise DataError(f"a table in {path.name}", got, remedy)
    has_names = not is_data(header.names)
    if not has_names:
        names = [f"column_{number + 1}" for number in range(len(header.names))]
        header = replace(header, names=names, lines=header.lines - 1)
    elif twice := sorted({name for name in header.names if header.names.count(name) > 1}):
        notes.append(f"Named more than once: {', '.join(twice)}; the first is looked at.")
    reader = BlockReader(header, {name: name for name in header.names if name}, path.name)
    rows = _rows_of_head(path, text, reader, header, is_cut, notes)
    delimiter = header.dialect.delimiter.decode()
    words = [DELIMITERS.get(delimiter, repr(delimiter))] if len(header.names) > 1 else []
    if header.dialect.quote == b"'":
        words.append("single quotes")
    sample = Sample(path, "delimited text", rows, len(rows), path.stat().st_size, has_names=has_names)
    sample.settings, sample.notes, sample.head = dict(settings), notes, text
    sample.written_as = ", ".join(words)
    sample.reader = reader
    return sample


def _rows_of_head(
    path: Path, text: bytes, reader: BlockReader, header: Header, is_cut: bool, notes: list[str]
) -> pa.Table:
    """The rows of the first lines; adds to the notes what of these is no row.

    Raises:
        DataError: there is no row.
    """
    rest = text.split(b"\n", header.lines)[-1]
    try:
        read = reader.read(rest if rest.endswith(b"\n") else rest + b"\n", not is_cut)
    except DataError as error:  # another header further down
        raise DataError(f"one table in {path.name}", error.got, error.remedy) from None
    if read.dropped:
        causes = f"{len(read.dropped):,} of the first {len(read.table) + len(read.dropped):,} lines are no rows"
        notes.append(f"{causes}, for example {read.dropped[0][2][:60].decode('utf8', 'replace')!r}.")
    rows = without_blanks(read.table)
    if not len(rows):
        got = "a line of names alone"
        if read.dropped:
            line = text.split(b"\n", 1)[0][:60].decode("utf8", "replace")
            got = f"no table: no line has the {len(header.names)} columns of its first one, {line!r}"
        raise DataError(f"rows in {path.name}", got, "check how it was exported")
    return rows


def _header(path: Path, text: bytes, settings: dict[str, str]) -> tuple[Header, list[str]]:
    """The first line, and how lines are written; what can be read in several ways by what separates most columns."""
    try:
        return read_header(text, TextConfig(), _NAMES, path.name), []
    except DataError as error:
        readings = []
        for delimiter in DELIMITERS:
            try:
                readings.append(read_header(text, TextConfig(delimiter=delimiter), (), path.name))
            except DataError:
                continue
        if not readings:
            raise
        best = max(readings, key=lambda header: len(header.names))
        settings["delimiter"] = best.dialect.delimiter.decode()
        return best, [f"Its first lines can be read in several ways: {error.got}."]


def _estimate(size: int, read_bytes: int, rows: int) -> int:
    return round(rows * size / read_bytes)


def _add_places(sample: Sample, head_bytes: int, encoding: str) -> None:
    """Add rows from places all over a plain file, and estimate how many there are."""
    tables, read_bytes, read_rows = [sample.rows], head_bytes, sample.head_rows
    for block in _blocks(sample.path, sample.size, head_bytes, encoding):
        rows = _rows_in(sample, block)
        if rows is not None and len(rows):
            tables.append(rows)
            read_bytes, read_rows = read_bytes + len(block), read_rows + len(rows)
            sample.places += 1
    sample.rows = joined(tables)
    sample.total = _estimate(sample.size, read_bytes, read_rows)


def _blocks(path: Path, size: int, head_bytes: int, encoding: str) -> Iterator[bytes]:
    """Whole lines from places drawn at random (seeded), in the order of the file."""
    # One place in each of as many equal stretches: spread over the whole file, and none is read twice.
    stretch = (size - head_bytes) // PLACES
    drawn = np.random.default_rng(SEED).integers(0, max(1, stretch - PLACE_BYTES), PLACES)
    with path.open("rb") as file:
        for place in (head_bytes + stretch * np.arange(PLACES) + drawn).tolist():
            file.seek(place)
            block = file.read(PLACE_BYTES)
            start, end = block.find(b"\n") + 1, block.rfind(b"\n") + 1
            if end > start > 0:
                lines = line_feeds_alone(block[start:end])
                plain = encoding == AUTO or codecs.lookup(encoding).name == "utf-8"
                yield lines if plain else lines.decode(encoding, "replace").encode()


def _rows_in(sample: Sample, block: bytes) -> pa.Table | None:
    if sample.layout != "delimited text":
        return strings_table(rows_of(list(json_objects(block.decode("utf8", "replace")))))
    try:
        return without_blanks(sample.reader.read(block, False).table) if sample.reader else None
    except DataError:
        return None
