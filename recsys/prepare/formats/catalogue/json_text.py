"""Records of JSON: an object a line, an array of objects, or objects on several lines each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import msgspec

from recsys.core.errors import DataError
from recsys.prepare.formats import reports
from recsys.prepare.formats.base import OnBytes
from recsys.prepare.formats.catalogue.paths import Path, names_in
from recsys.prepare.formats.catalogue.records import Records
from recsys.prepare.formats.files import head_texts, read_blocks
from recsys.prepare.formats.loose_records import json_tree
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.read_ahead import read_ahead
from recsys.prepare.settings import DataConfig

BATCH_ROWS: Final = 1 << 15
HEAD_RECORDS: Final = 100
_BLOCK_RECORDS: Final = 1 << 12

_decoder = msgspec.json.Decoder()
_objects = msgspec.json.Decoder(list[msgspec.Raw])


def head_names(report: InputReport) -> dict[str, Path]:
    """All names in the first records of a file, nested ones as paths, each with the steps to its values."""
    _, text = next(head_texts(report.path, report.text.encoding))
    names: dict[str, Path] = {}
    for tree in islice(_trees(text), HEAD_RECORDS):
        names |= names_in(tree)
    return names


def _trees(text: bytes) -> Iterator[Any]:
    """The objects at the beginning of a text that is cut off anywhere."""
    if is_document(text):
        yield from islice(_scan(text.decode("utf-8-sig", "replace")), HEAD_RECORDS)
        return
    for line in text.split(b"\n"):
        try:
            yield json_tree(line)
        except (ValueError, RecursionError):
            continue


def is_document(text: bytes) -> bool:
    """Whether JSON is one array, or objects each on several lines, by its first line."""
    head = text.removeprefix(b"\xef\xbb\xbf").lstrip()
    line = head.partition(b"\n")[0].strip()
    if head.startswith(b"["):
        return True
    if not head.startswith(b"{"):
        return False
    return line == b"{" or (b"\n" in head and not line.endswith(b"}"))


def _scan(text: str) -> Iterator[Any]:
    """The values in a text, one after the other, in an array or without; ends where one is cut off."""
    read = json.JSONDecoder(parse_constant=lambda _: None).raw_decode
    place = _skipped(text, 0, " \t\r\n[")
    while place < len(text):
        try:
            tree, place = read(text, place)
        except (ValueError, RecursionError):
            return
        yield tree
        place = _skipped(text, place, " \t\r\n,]")


def _skipped(text: str, place: int, marks: str) -> int:
    while place < len(text) and text[place] in marks:
        place += 1
    return place


def json_records(report: InputReport, config: DataConfig, on_bytes: OnBytes) -> Iterator[Records]:
    """Yield a file as lists of at least `BATCH_ROWS` objects; the last list may be shorter.

    Raises:
        DataError: see `read_blocks`; an array that is not whole.
    """
    reader = _Reader(report)
    for block in read_ahead(_line_blocks(report, config, on_bytes)):
        reader.read(block)
        if len(reader.rows) >= BATCH_ROWS:
            yield reader.taken()
    if reader.rows:
        yield reader.taken()


def _line_blocks(report: InputReport, config: DataConfig, on_bytes: OnBytes) -> Iterator[bytes]:
    """Blocks of lines of one object each."""
    blocks = read_blocks(report, config.allow_truncated, on_bytes)
    first = next(blocks, b"")
    if not is_document(first):
        yield first
        yield from blocks
        return
    yield from _objects_as_lines(b"".join((first, *blocks)), report)


def _objects_as_lines(text: bytes, report: InputReport) -> Iterator[bytes]:
    """An array, or objects one after the other, as blocks of lines: within JSON, line feeds are blanks."""
    try:
        objects = [bytes(raw) for raw in _objects.decode(text)]
    except msgspec.DecodeError:
        objects = _scanned(text, report)
    for start in range(0, len(objects), _BLOCK_RECORDS):
        lines = (raw.replace(b"\n", b" ").replace(b"\r", b" ") for raw in objects[start : start + _BLOCK_RECORDS])
        yield b"\n".join(lines) + b"\n"


def _scanned(text: bytes, report: InputReport) -> list[bytes]:
    """Objects without an array around them, or with values that are no JSON, such as NaN."""
    decoded = text.decode("utf-8-sig", "surrogateescape")
    read = json.JSONDecoder(parse_constant=lambda _: None).raw_decode
    place = _skipped(decoded, 0, " \t\r\n[")
    objects: list[bytes] = []
    while place < len(decoded):
        try:
            _, end = read(decoded, place)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"JSON in {report.path}: an array of objects, objects one after the other, or one a line",
                f"{decoded[place : place + 60]!r} after {len(objects):,} objects ({str(error).partition(':')[0]})",
                "export the file again; jq -c '.[]' FILE > LINES writes one object a line",
            ) from None
        objects.append(decoded[place:end].encode("utf8", "surrogateescape"))
        place = _skipped(decoded, end, " \t\r\n,]")
    return objects


class _Reader:
    """Collects the objects of blocks of lines."""

    def __init__(self, report: InputReport) -> None:
        self.rows: list[Mapping[str, Any]] = []
        self._numbers: list[int] = []
        self._report = report

    def read(self, block: bytes) -> None:
        """Add the objects of a block; lines that are none are counted in the report."""
        first = self._report.lines + 1
        lines = block[:-1].split(b"\n")
        self._report.lines += len(lines)
        trees = _whole_block(block, len(lines))
        for number, tree in enumerate(trees or [self._tree(line, first + n) for n, line in enumerate(lines)], first):
            if isinstance(tree, Mapping):
                self.rows.append(tree)
                self._numbers.append(number)
            elif tree is not _DROPPED:
                self._report.explain("record", f"expected an object, got {str(tree)[:60]!r}")
                self._report.drop(reports.MISTYPED_FIELD, number, str(tree))

    def taken(self) -> Records:
        """The objects collected so far, which are forgotten."""
        rows, numbers, self.rows, self._numbers = self.rows, self._numbers, [], []
        return Records(rows, self._dropper(rows, numbers))

    def _dropper(self, rows: list[Mapping[str, Any]], numbers: list[int]) -> Callable[[str, int], None]:
        def drop(cause: str, position: int) -> None:
            self._report.drop(cause, numbers[position], json.dumps(rows[position], ensure_ascii=False, default=str))

        return drop

    def _tree(self, line: bytes, number: int) -> Any:
        try:
            if not line.isascii():
                line.decode("utf8")
            return json_tree(line)
        except UnicodeError:
            self._report.drop(reports.NOT_UTF8, number, line)
        except (ValueError, RecursionError):
            self._report.drop(reports.MALFORMED if line.strip() else reports.BLANK, number, line)
        return _DROPPED


_DROPPED: Final = object()


def _whole_block(block: bytes, count: int) -> list[Any] | None:
    """The values of all lines of a block; None unless every single line is sound."""
    try:
        trees = _decoder.decode_lines(block)
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError):
        return None
    return trees if len(trees) == count else None
