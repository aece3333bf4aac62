"""Event logs in JSON: an object a line, or one array of them; each is an event, or each entry of a list in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from recsys.core.errors import DataError
from recsys.prepare.formats.base import OnBytes
from recsys.prepare.formats.event_columns import ColumnFinder, EventColumns
from recsys.prepare.formats.files import head_texts
from recsys.prepare.formats.json_documents import first_values, object_lines
from recsys.prepare.formats.json_paths import Keys, RecordPaths, keys_of, paths_of
from recsys.prepare.formats.json_records import LineParser
from recsys.prepare.formats.reports import NO_ENTRIES, InputReport
from recsys.prepare.formats.rows import Rows
from recsys.prepare.read_ahead import read_ahead
from recsys.prepare.settings import DataConfig

SNIFFED_RECORDS = 2000
_AS_LINES = "write each object as JSON on a line of its own: jq -c . FILE > LINES"
_OF_PYTHON = (
    "these are Python literals; write them as JSON: "
    'python -c "import ast, json, sys; [print(json.dumps(ast.literal_eval(x))) for x in sys.stdin]" < FILE > LINES'
)


class JsonEvents:
    """The events of one file.

    Attributes:
        rows: counted, with their lines; the entries of an array are counted as lines.
        found: what is read of it.
    """

    def __init__(self, report: InputReport, config: DataConfig) -> None:
        """Look at the head of a file; raises DataError like `check_json`."""
        self.rows, self._report, self._config = Rows(report), report, config
        self.found, known = _found(report)
        paths = {name: keys_of(theirs, known) for name, theirs in self.found.columns.items()}
        self._paths = RecordPaths(paths, str(report.path))

    def read(self, on_bytes: OnBytes) -> Iterator[pa.Table]:
        """Yield the file as tables of strings, as `checked_tables` reads them.

        Records without entries in the list are counted as `NO_ENTRIES`.

        Raises:
            DataError: see `read_blocks`; an array that is none, or is too large.
        """
        parser = LineParser(self._report, self._paths.line_type)
        for block in read_ahead(object_lines(self._report, self._config.allow_truncated, on_bytes)):
            records = parser.records(block)
            columns, parents = self._paths.columns(records)
            self._report.lines -= len(records)  # rows are counted by who checks them
            if empty := len(records) - len(np.unique(parents)):
                self._report.lines += empty
                self._report.dropped[NO_ENTRIES] += empty
            self.rows.lines.append(np.asarray(parser.numbers, np.int64)[parents] - 1)
            self._note_absent(columns)
            if len(parents):
                yield self.found.completed(pa.table(columns))

    def _note_absent(self, columns: dict[str, pa.Array]) -> None:
        """Note the columns that were not there at the head of the file."""
        for name in self.found.absent:
            if name in self._config.columns and columns[name].null_count < len(columns[name]):
                self._report.used.add(f"columns.{name}")


def check_json(report: InputReport) -> None:
    """Stop when a file is no event log in JSON with the required fields.

    Raises:
        DataError: a field is missing, or two differ in case alone.
    """
    _found(report)


def _found(report: InputReport) -> tuple[EventColumns, dict[str, Keys]]:
    """What is read of a file by its first records, and the paths in these."""
    _, head = next(head_texts(report.path, report.text.encoding))
    known = paths_of(first_values(head, SNIFFED_RECORDS))
    if not known:
        raise DataError(
            f"JSON lines in {report.path}, one object a line",
            f"none at its head: {head[:100].decode('utf8', 'replace')!r}",
            _OF_PYTHON if head.lstrip().startswith(b"{'") else _AS_LINES,
        )
    finder = ColumnFinder(report, may_come_later=True)
    finder(list(known))
    return finder.found, known
