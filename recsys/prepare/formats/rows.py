"""The rows of one input, counted, and the lines on which they stand."""

from __future__ import annotations

import pyarrow as pa

from recsys.prepare.formats.reports import InputReport
from recsys.prepare.raw.line_numbers import LineNumbers


class Rows:
    """Counts the rows of an input in its report, and names the lines of those that are dropped.

    Attributes:
        report: of the input.
        count: number of rows accounted for so far, see `account`.
        lines: where rows stand; rows that are not told stand on lines of their number.
    """

    def __init__(self, report: InputReport) -> None:
        self.report, self.count, self.lines = report, 0, LineNumbers()

    @property
    def separator(self) -> str:
        """What stands between the values of a row where it is shown."""
        return ","

    def account(self, batch: pa.Table) -> int:
        """Count the rows of a table; returns the number of rows before it."""
        first = self.count
        self.count += len(batch)
        self.report.lines += len(batch)
        return first

    def drop(self, cause: str, row: int, batch: pa.Table, position: int) -> None:
        """Count row `row` of the input (from 0) as bad; it stands at `position` in `batch`."""
        values = batch.slice(position, 1).to_pylist()[0].values()
        text = self.separator.join(value if isinstance(value, str) else str(value or "") for value in values)
        self.report.drop(cause, self.lines.line_of(row) + 1, text)
