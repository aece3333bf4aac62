"""Samples of Parquet files: the head of the first row group and of some others, and what the file says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.core.errors import DataError
from recsys.inspect.json_samples import rows_of
from recsys.inspect.samples import SEED, Sample, joined, strings_table, without_blanks
from recsys.prepare.formats.parquet import open_parquet

HEAD_ROWS = 20_000
GROUPS = 6
GROUP_ROWS = 8_000


def parquet_sample(path: Path) -> Sample:
    """A sample of a Parquet file.

    Raises:
        DataError: it is damaged or without rows.
    """
    file = open_parquet(path)
    metadata, schema = file.metadata, file.schema_arrow
    if not metadata.num_rows:
        raise DataError(f"rows in {path.name}", "a Parquet file without any", "check how it was exported")
    names = [name for name in schema.names if not name.startswith("__index_level")]
    tables = list(_tables(file, names))
    types = {name: str(schema.field(name).type) for name in names}
    sample = Sample(path, "Parquet", joined(tables), len(tables[0]), path.stat().st_size, metadata.num_rows, True)
    sample.places, sample.types, sample.extremes = len(tables) - 1, types, _extremes(metadata)
    groups = metadata.num_row_groups
    sample.written_as = f"{groups:,} row group{'s' if groups != 1 else ''}"
    return sample


def _extremes(metadata: pq.FileMetaData) -> dict[str, tuple[str, str]]:
    """The least and the greatest value of each column of which every row group tells them."""
    found = {}
    for number in range(metadata.num_columns):
        parts = [metadata.row_group(group).column(number) for group in range(metadata.num_row_groups)]
        told = [part.statistics for part in parts if part.is_stats_set and part.statistics.has_min_max]
        if len(told) == len(parts):
            ends = min(part.min for part in told), max(part.max for part in told)
            found[parts[0].path_in_schema] = str(ends[0]), str(ends[1])
    return found


def _tables(file: pq.ParquetFile, names: list[str]) -> Iterator[pa.Table]:
    """The first rows of the first row group and of some others."""
    others = np.arange(1, file.metadata.num_row_groups)
    drawn = np.sort(np.random.default_rng(SEED).permutation(others)[:GROUPS]).tolist()
    for group, count in ((0, HEAD_ROWS), *((group, GROUP_ROWS) for group in drawn)):
        batches = file.iter_batches(count, row_groups=[group], columns=names)
        if (batch := next(batches, None)) is not None and len(batch):
            yield _strings(pa.Table.from_batches([batch]))


def _strings(table: pa.Table) -> pa.Table:
    if any(pa.types.is_nested(field.type) for field in table.schema):
        records: list[dict[str, Any]] = table.to_pylist()
        return without_blanks(strings_table(rows_of(records)))
    columns = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            column = pa.chunked_array(
                [
                    pa.array(
                        [None if v is None else v.decode("utf8", "replace") for v in column.to_pylist()], pa.string()
                    )
                ]
            )
        texts = column.cast(pa.string())
        columns[name] = pc.replace_substring_regex(texts, r"\.0+$", "") if pa.types.is_timestamp(column.type) else texts
    return without_blanks(pa.table(columns))
