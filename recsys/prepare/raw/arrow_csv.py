"""Blocks of delimited text, made safe by `quotes`, as Arrow tables."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.csv as pa_csv

from recsys.prepare.raw.records import Dialect


def parse_block(
    text: bytes, dialect: Dialect, width: int, columns: Mapping[str, int | None], types: pa.DataType
) -> tuple[pa.Table, list[int]]:
    """Read records of `width` fields, all in UTF-8 or with the right number; those with another number are left out.

    Args:
        text: the records.
        dialect: in which they are written.
        width: number of fields.
        columns: name in the table -> number of the field (from 0), or None for a column of nulls.
        types: of the columns: strings, or bytes where the text may not be UTF-8.

    Returns:
        A table, in which an empty field is null, and the positions of what was left out.
    """
    wrong: list[int] = []

    def leave_out(row: pa_csv.InvalidRow) -> str:
        wrong.append(row.number - 1)
        return "skip"

    names = {name: f"{'absent' if column is None else column} {name}" for name, column in columns.items()}
    fields = [str(number) for number in range(width)]
    for name, column in columns.items():
        if column is not None:
            fields[column] = names[name]
    table = pa_csv.read_csv(
        pa.BufferReader(text),
        # One block, so that a record in quotes may hold line feeds.
        pa_csv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=fields),
        pa_csv.ParseOptions(
            delimiter=dialect.delimiter.decode(),
            quote_char=dialect.quote.decode() or False,
            newlines_in_values=bool(dialect.quote),
            ignore_empty_lines=False,
            invalid_row_handler=leave_out,
        ),
        pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names.values(), types),
            include_columns=list(names.values()),
            include_missing_columns=True,
            check_utf8=False,
            strings_can_be_null=True,
            null_values=[""],
        ),
    )
    return table.rename_columns(list(columns)), wrong
