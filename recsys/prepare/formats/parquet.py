"""Parquet files of events as tables of strings, as CSV would hold them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.core.errors import DataError
from recsys.prepare import columns as c
from recsys.prepare.formats.base import OnBytes
from recsys.prepare.formats.id_columns import whole_numbers
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.formats.time_columns import utc_of
from recsys.prepare.settings import DataConfig

BATCH_ROWS = 1 << 17
MAGIC = b"PAR1"
_NUMBERS: Final = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
_TEXTS: Final = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_null,
)
_TIMES: Final = (pa.types.is_timestamp, pa.types.is_date)
# What a column may be, beside texts.
_FITTING: Final[dict[str, tuple[Callable[[pa.DataType], bool], ...]]] = {
    c.USER_ID: _NUMBERS,
    c.ITEM_ID: _NUMBERS,
    c.EVENT_TYPE: (*_NUMBERS, pa.types.is_boolean),
    c.TIMESTAMP: (*_NUMBERS, *_TIMES),
    c.RATING: _NUMBERS,
    c.PRICE: _NUMBERS,
    c.QUANTITY: _NUMBERS,
    c.EVENT_ID: _NUMBERS,
}
_LARGEST_COUNT: Final = 9e18  # of the whole numbers that 64 bits hold, as a float


def is_parquet(path: Path) -> bool:
    """Whether a file starts as Parquet files do."""
    with path.open("rb") as file:
        return file.read(4) == MAGIC


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a file.

    Raises:
        DataError: it is damaged.
    """
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None


def check_types(path: Path, schema: pa.Schema) -> None:
    """Stop at columns of types that hold no ids, times or numbers.

    Raises:
        DataError: naming the column and its type, also where it is too coarse for times.
    """
    for name, fitting in _FITTING.items():
        if name in schema.names and not any(fits(_plain(schema.field(name).type)) for fits in (*_TEXTS, *fitting)):
            kind = schema.field(name).type
            remedy = f"write {name} as text or numbers"
            if pa.types.is_nested(kind):
                remedy = "write one row an event, with one id or one number in each column"
            raise DataError(f"one value a row in column {name} of {path}", f"values of type {kind}", remedy)
    _check_precision(path, schema)


def _check_precision(path: Path, schema: pa.Schema) -> None:
    """Seconds since 1970 as floats of single precision are those of the nearest minute or two."""
    kind = _plain(schema.field(c.TIMESTAMP).type) if c.TIMESTAMP in schema.names else None
    if kind in (pa.float16(), pa.float32()):
        raise DataError(
            f"times that tell seconds apart in column {c.TIMESTAMP} of {path}",
            f"values of type {kind}, which round times to minutes",
            "write the column from the source, as whole numbers, timestamps or floats of 64 bits",
        )


def typed_columns(schema: pa.Schema) -> list[str]:
    """The columns whose type says what their values mean: numbers, and times that are no plain numbers."""
    return [
        name
        for name in schema.names
        if any(fits(schema.field(name).type) for fits in (_TIMES if name == c.TIMESTAMP else _NUMBERS))
    ]


def parquet_tables(
    file: pq.ParquetFile, report: InputReport, config: DataConfig, names: Sequence[str], on_bytes: OnBytes
) -> Iterator[pa.Table]:
    """Yield the columns `names`, as far as a file has them, as tables of strings.

    Raises:
        DataError: the file is damaged, or its ids are floats that have lost digits.
    """
    present = [name for name in names if name in file.schema_arrow.names]
    try:
        for batch in file.iter_batches(BATCH_ROWS, columns=present):
            yield pa.table({name: _as_strings(batch[name], name, report, config) for name in present})
    except (pa.ArrowException, OSError) as error:
        raise _damaged(report.path, error) from None
    with report.path.open("rb") as raw:
        report.sha256 = hashlib.file_digest(raw, "sha256").hexdigest()
    on_bytes(report.size)


def _as_strings(values: pa.Array, name: str, report: InputReport, config: DataConfig) -> pa.Array:
    """Values as CSV would hold them; times as seconds since 1970, NaN as null."""
    if any(is_time(values.type) for is_time in _TIMES):
        values = _seconds(values, config.time_zone)
    elif pa.types.is_floating(values.type):
        if name == c.TIMESTAMP:
            values = _whole_counts(values)
        elif name in (c.RATING, c.PRICE, c.QUANTITY):
            values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
        else:
            values = whole_numbers(values, name, report)
    return pc.if_else(pc.equal(strings := values.cast(pa.string()), ""), pa.scalar(None, pa.string()), strings)


def _seconds(values: pa.Array, zone: str) -> pa.Array:
    is_local = pa.types.is_date(values.type) or values.type.tz is None
    # Through microseconds: a cast to seconds would refuse fractions.
    micros = values.cast(pa.timestamp("us", None if is_local else "UTC"), safe=False).cast(pa.int64())
    seconds = pc.fill_null(micros, 0).to_numpy() // 1_000_000
    return pa.array(utc_of(seconds, zone) if is_local else seconds, mask=pc.is_null(micros).to_numpy(False))


def _whole_counts(values: pa.Array) -> pa.Array:
    """Floats since 1970 as whole numbers; what lies below a second, or below its unit, does not count."""
    numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    whole = np.clip(np.floor(np.nan_to_num(numbers)), -_LARGEST_COUNT, _LARGEST_COUNT)
    return pa.array(whole.astype(np.int64), mask=np.isnan(numbers))


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"a sound Parquet file at {path}", str(error).splitlines()[0], "write or download it again")
