"""Records of JSON: an object a line, an array of objects, or objects on several lines each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from recsys.prepare.collection import without_collection
from recsys.prepare.formats import reports
from recsys.prepare.formats.base import OnBytes
from recsys.prepare.formats.catalogue.paths import Steps, names_in
from recsys.prepare.formats.catalogue.records import Records
from recsys.prepare.formats.files import head_texts
from recsys.prepare.formats.json_documents import first_values, object_lines
from recsys.prepare.formats.loose_records import json_tree
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.read_ahead import read_ahead
from recsys.prepare.settings import DataConfig

BATCH_ROWS: Final = 1 << 15
HEAD_RECORDS: Final = 100

_decoder = msgspec.json.Decoder()


def json_names(report: InputReport) -> dict[str, Steps]:
    """All names in the first records of a file, nested ones as paths, each with the steps to its values."""
    _, text = next(head_texts(report.path, report.text.encoding))
    names: dict[str, Steps] = {}
    for tree in first_values(text, HEAD_RECORDS):
        names |= names_in(tree)
    return names


def json_records(report: InputReport, config: DataConfig, on_bytes: OnBytes) -> Iterator[Records]:
    """Yield a file as lists of at least `BATCH_ROWS` objects; the last list may be shorter.

    Raises:
        DataError: see `read_blocks`; an array that is not whole.
    """
    reader = _Reader(report)
    for block in read_ahead(object_lines(report, config.allow_truncated, on_bytes)):
        reader.read(block)
        if len(reader.rows) >= BATCH_ROWS:
            yield reader.taken()
    if reader.rows:
        yield reader.taken()


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
        with without_collection():
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
