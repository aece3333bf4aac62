"""Event logs in CSV (plain or gzip) or Parquet, with a catalogue in JSON lines.

Columns: user_id, item_id, event_type, timestamp (seconds since 1970, or ISO 8601, taken as UTC without an offset);
optional rating, price, quantity; others are ignored. Events have the weight that `data.event_weights` gives their type.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.core.errors import DataError
from recsys.prepare import columns as c
from recsys.prepare.formats.base import Format, OnBytes
from recsys.prepare.formats.delimited import DelimitedRows
from recsys.prepare.formats.event_checks import OPTIONAL, REQUIRED, checked_tables
from recsys.prepare.formats.files import head_lines
from recsys.prepare.formats.json_lines import raw_items
from recsys.prepare.formats.layouts import CATALOGUE, check_layout
from recsys.prepare.formats.names import missing_names, nearest_names
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.settings import DataConfig

BATCH_ROWS = 1 << 17
_NUMBER_OR_TIME = re.compile(r"^\s*[-+]?\d[\d.,:/TZ+ -]*$")


def event_tables(report: InputReport, config: DataConfig, first_seq: int, on_bytes: OnBytes) -> Iterator[pa.Table]:
    """Yield an event log in CSV or Parquet, see `Format.interactions`."""
    rows = DelimitedRows(report)
    if is_parquet(report.path):
        batches = _parquet_tables(report, on_bytes)
    else:
        columns = {name: name for name in (*REQUIRED, *OPTIONAL)}
        batches = rows.read(columns, config.allow_truncated, on_bytes)
    yield from checked_tables(rows, batches, config, config.event_weights, first_seq)


def check(report: InputReport) -> None:
    """Stop when a file is evidently no event log, or no catalogue of one; see `Format.check`."""
    if report.kind == "interactions":
        check_columns(report.path)
    else:
        check_layout(report, CATALOGUE)


def check_columns(path: Path) -> None:
    """Stop when a file is no CSV or Parquet file with the required columns.

    Raises:
        DataError: with the columns that the file has.
    """
    if is_parquet(path):
        names = _open_parquet(path).schema_arrow.names
    else:
        names = next(csv.reader([line.decode("utf-8-sig", "replace") for line in head_lines(path, 1)]), [])
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise DataError(f"the columns {', '.join(REQUIRED)} in {path}", *_missing(missing, names))


def _missing(missing: Sequence[str], names: Sequence[str]) -> tuple[str, str]:
    """What a file has in the place of columns that it lacks, and the remedy."""
    if _is_data(names):
        return (
            f"a first line that holds data and no names: {','.join(names)[:100]!r}",
            "write a line with the names of the columns before it",
        )
    nearest = nearest_names(missing, [name for name in names if name not in REQUIRED])
    remedies = [f"rename {name} to {wanted}" for wanted, name in nearest.items()]
    left = [name for name in missing if name not in nearest]
    if left == [c.EVENT_TYPE]:
        remedies.append("add a column event_type (purchase in every row, where the file has purchases alone)")
    elif left:
        remedies.append(f"add {', '.join(left)} (from another table of the shop)")
    return missing_names(missing, names), f"{'; '.join(remedies)}; or set data.format to what the file is"


def _is_data(names: Sequence[str]) -> bool:
    """Whether a first line holds values in the place of names: numbers, times, or nothing that begins with a letter."""
    return bool(names) and (
        any(_NUMBER_OR_TIME.match(name) for name in names) or not any(name[:1].isalpha() for name in names)
    )


def is_parquet(path: Path) -> bool:
    """Whether a file starts as Parquet files do."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _parquet_tables(report: InputReport, on_bytes: OnBytes) -> Iterator[pa.Table]:
    path = report.path
    file = _open_parquet(path)
    names = [name for name in (*REQUIRED, *OPTIONAL) if name in file.schema_arrow.names]
    try:
        for batch in file.iter_batches(BATCH_ROWS, columns=names):
            yield pa.table({name: _as_strings(batch[name]) for name in names})
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None
    with path.open("rb") as raw:
        report.sha256 = hashlib.file_digest(raw, "sha256").hexdigest()
    on_bytes(report.size)


def _as_strings(values: pa.Array) -> pa.Array:
    """Values as CSV would hold them; times as seconds since 1970, NaN as null."""
    if pa.types.is_timestamp(values.type):
        # Through microseconds: a cast to seconds would refuse fractions.
        micros = values.cast(pa.timestamp("us", values.type.tz), safe=False).cast(pa.int64())
        values = pc.divide(micros, 1_000_000)
    elif pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    return pc.if_else(pc.equal(strings := values.cast(pa.string()), ""), pa.scalar(None, pa.string()), strings)


def _open_parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"a sound Parquet file at {path}", str(error).splitlines()[0], "write or download it again")


EVENTS = Format(
    check=check,
    interactions=event_tables,
    items=partial(raw_items, CATALOGUE),
    has_purchases=True,
)
