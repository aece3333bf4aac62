"""What a file evidently is, by its first bytes: which format reads it where none is named, or why none will."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Literal

from recsys.core.errors import DataError
from recsys.prepare.formats.files import head_lines
from recsys.prepare.formats.layouts import LAYOUTS, fitting_formats
from recsys.prepare.formats.parquet import MAGIC as PARQUET_MAGIC
from recsys.prepare.formats.reports import InputKind, InputReport
from recsys.prepare.raw.archives import ZIP_MAGIC
from recsys.prepare.raw.compression import MAGICS
from recsys.prepare.raw.dialects import DELIMITERS
from recsys.prepare.text_settings import AUTO

EVENTS, STORE = "events", "store"
Kind = Literal["an SQLite database", "a Parquet file", "JSON lines", "delimited text"]

_SQLITE_MAGIC = b"SQLite format 3\0"
# Of event logs that hold zeros.
_PACKED = (PARQUET_MAGIC, ZIP_MAGIC, *MAGICS, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LITERALS_TO_JSON = "import ast, json, sys; [print(json.dumps(ast.literal_eval(line))) for line in sys.stdin]"


def evident_format(path: Path, default: str) -> str:
    """The format of an input for which a config names none of its own: a log among stores, or a store among logs."""
    if default not in (EVENTS, STORE):
        return default
    head = _head(path)
    if head.startswith(_SQLITE_MAGIC):
        return STORE
    is_text = head.startswith(_PACKED) or (bool(head) and b"\0" not in head)
    return EVENTS if is_text else default


def evident_kind(path: Path, encoding: str = AUTO) -> Kind | None:
    """What a file is by its first bytes; None where that is not evident. `encoding`: see `TextConfig`."""
    head = _head(path)
    if head.startswith(_SQLITE_MAGIC):
        return "an SQLite database"
    if head.startswith(PARQUET_MAGIC):
        return "a Parquet file"
    line = first_line(path, encoding)
    if line.lstrip().startswith(("{", "[")):
        return "JSON lines"
    return "delimited text" if any(delimiter in line for delimiter in DELIMITERS) else None


def is_json(path: Path, encoding: str = AUTO) -> bool:
    """Whether a file is JSON, by its first character."""
    return evident_kind(path, encoding) == "JSON lines"


def check_kind(report: InputReport, format_name: str) -> None:
    """Stop at a file whose first bytes show that it is of no kind that the format reads.

    Raises:
        DataError: saying what the file is and what to do with it.
    """
    wanted = _wanted(format_name, report.kind)
    encoding = report.text.encoding
    kind = evident_kind(report.path, encoding) if wanted else None
    if kind is None or kind in wanted:
        if kind == "JSON lines":
            if report.kind == "interactions" and format_name == EVENTS:
                _refuse_reviews(report)
            elif format_name in (EVENTS, STORE):
                _refuse_literals(report.path, encoding)
            else:
                _refuse_document(report.path, encoding)
        return
    path = report.path
    raise DataError(
        f"{' or '.join(wanted)} in {path}, as data.{report.kind} has it in the format {format_name}",
        _got(kind, path, encoding),
        _remedy(report, kind),
    )


def _refuse_reviews(report: InputReport) -> None:
    """Stop at Amazon's reviews among event logs, unless settings say what they call our columns."""
    fitting = fitting_formats(report.path, report.kind, report.text.encoding)
    if fitting and not report.mapping.columns:
        raise DataError(
            f"an event log in {report.path}, as data.{report.kind} has it in the format {EVENTS}",
            _got("JSON lines", report.path, report.text.encoding),
            f"set data.format: {fitting[0]}, or write {{path: {report.path}, format: {fitting[0]}}} for this input",
        )


def _refuse_literals(path: Path, encoding: str) -> None:
    """Stop at a catalogue of Python literals."""
    line = first_line(path, encoding).strip()
    if line.startswith("{'"):
        raise DataError(
            f"JSON in {path}",
            f"Python literals: the first line is {line[:100]!r}",
            f'write each object as JSON on a line of its own: python -c "{_LITERALS_TO_JSON}" < FILE > LINES',
        )


def _refuse_document(path: Path, encoding: str) -> None:
    """Stop at JSON that is one array, or objects each on several lines."""
    line = first_line(path, encoding).strip()
    if line.startswith("["):
        kind, remedy = "an array of them", "jq -c '.[]' FILE > LINES"
    elif line == "{":
        kind, remedy = "objects on several lines each", "jq -c . FILE > LINES"
    else:
        return
    raise DataError(
        f"JSON lines in {path}, one object a line",
        f"{kind}: the first line is {line[:100]!r}",
        f"write each object as JSON on a line of its own: {remedy}",
    )


def first_line(path: Path, encoding: str = AUTO) -> str:
    """The first line of a file, decompressed, as far as it can be told; blanks around it are kept."""
    return next((line.decode("utf-8-sig", "replace") for line in head_lines(path, 1, encoding)), "").rstrip("\r")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096)


def _wanted(format_name: str, kind: InputKind) -> tuple[Kind, ...]:
    if format_name == EVENTS and kind == "interactions":
        return ("delimited text", "a Parquet file", "JSON lines")
    if format_name in (EVENTS, STORE) and kind == "metadata":
        return ("delimited text", "JSON lines", "a Parquet file")
    if format_name in LAYOUTS:
        return ("JSON lines", "delimited text") if kind == "interactions" else ("JSON lines",)
    return ()


def _got(kind: Kind, path: Path, encoding: str) -> str:
    if kind.startswith("a"):
        return kind
    verb = "begin" if kind == "JSON lines" else "begins"
    return f"{kind} that {verb} with {first_line(path, encoding)[:100]!r}"


def _remedy(report: InputReport, kind: Kind) -> str:
    path, inputs = report.path, report.kind
    if kind == "an SQLite database":
        if inputs == "metadata":
            return "name a catalogue in CSV, Parquet or JSON; the server's store belongs under data.interactions"
        return f"write {{path: {path}, format: {STORE}}} if this is the server's store"
    if inputs == "metadata":
        reader = "read_parquet('FILE')" if kind == "a Parquet file" else "read_csv('FILE', dtype=str)"
        to_lines = f"pandas.{reader}.to_json('items.jsonl', orient='records', lines=True)"
        return f'write it as JSON lines, one object an item: python -c "import pandas; {to_lines}"'
    return "name the reviews in JSON lines, or ratings alone as CSV"
