"""Records of catalogues that are tables: delimited text and Parquet."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import pyarrow as pa

from recsys.core.errors import DataError
from recsys.prepare.formats.base import OnBytes
from recsys.prepare.formats.catalogue.columns import Columns
from recsys.prepare.formats.catalogue.paths import MAX_DEPTH, Steps
from recsys.prepare.formats.catalogue.records import Records
from recsys.prepare.formats.delimited import DelimitedRows
from recsys.prepare.formats.id_columns import whole_numbers
from recsys.prepare.formats.parquet import open_parquet
from recsys.prepare.formats.parquet_paths import is_list
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.mapping_settings import LIST_MARK
from recsys.prepare.settings import DataConfig

PARQUET_ROWS: Final = 1 << 15


def delimited_records(
    report: InputReport, config: DataConfig, columns: Columns, on_bytes: OnBytes
) -> Iterator[Records]:
    """Yield delimited text as maps of texts, without what is empty; see `DelimitedRows.read`."""
    rows = DelimitedRows(report, header=columns.header)
    names = {name: name for theirs in columns.names.values() for name in theirs}
    for batch in rows.read(names, config.allow_truncated, on_bytes):
        first = rows.account(batch)
        yield Records(batch.to_pylist(), _dropper(rows, first, batch))


def _dropper(rows: DelimitedRows, first: int, batch: pa.Table) -> Callable[[str, int], None]:
    return lambda cause, position: rows.drop(cause, first + position, batch, position)


def parquet_names(report: InputReport) -> dict[str, Steps]:
    """The names of the columns of a Parquet file, nested ones as paths, each with the steps to its values."""
    return dict(_walk(open_parquet(report.path).schema_arrow, "", ()))


def _walk(fields: pa.Schema | pa.StructType, name: str, steps: Steps) -> Iterator[tuple[str, Steps]]:
    for field in fields:
        yield from _named(field.type, f"{name}.{field.name}" if name else field.name, (*steps, field.name))


def _named(kind: pa.DataType, name: str, steps: Steps) -> Iterator[tuple[str, Steps]]:
    yield name, steps
    if len(steps) >= MAX_DEPTH:
        return
    if pa.types.is_struct(kind):
        yield from _walk(kind, name, steps)
    elif is_list(kind):
        yield from _named(kind.value_type, name + LIST_MARK, (*steps, LIST_MARK))


def parquet_records(report: InputReport, columns: Columns, on_bytes: OnBytes) -> Iterator[Records]:
    """Yield a Parquet file as maps of values.

    Raises:
        DataError: the file is damaged, or its ids are floats that have lost digits.
    """
    file = open_parquet(report.path)
    try:
        for batch in file.iter_batches(
            PARQUET_ROWS, columns=sorted({steps[0] for paths in columns.paths.values() for steps in paths})
        ):
            table = _with_whole_ids(pa.Table.from_batches([batch]), columns, report)
            first, rows = report.lines + 1, table.to_pylist()
            report.lines += len(rows)
            yield Records(rows, _row_dropper(report, first, rows))
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"a sound Parquet file at {report.path}", str(error).splitlines()[0], "write or download it again"
        ) from None
    with report.path.open("rb") as raw:
        report.sha256 = hashlib.file_digest(raw, "sha256").hexdigest()
    on_bytes(report.size)


def _row_dropper(report: InputReport, first: int, rows: list[Mapping[str, object]]) -> Callable[[str, int], None]:
    return lambda cause, position: report.drop(cause, first + position, str(rows[position]))


def _with_whole_ids(table: pa.Table, columns: Columns, report: InputReport) -> pa.Table:
    """The table, with ids that are floats as the whole numbers that they were before one was missing."""
    name = columns.paths[columns.id_field][0][0]
    column = table[name]
    if not pa.types.is_floating(column.type):
        return table
    ids = whole_numbers(column.combine_chunks(), columns.id_field, report)
    return table.set_column(table.column_names.index(name), name, ids)
