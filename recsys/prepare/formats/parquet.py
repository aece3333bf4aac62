"""Parquet files of events as tables of strings, as CSV would hold them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.core.errors import DataError
from recsys.prepare import columns as c
from recsys.prepare.formats.base import OnBytes
from recsys.prepare.formats.event_refusals import as_yaml
from recsys.prepare.formats.id_columns import whole_numbers
from recsys.prepare.formats.parquet_paths import is_list, paths_in, read_paths
from recsys.prepare.formats.reports import NO_ENTRIES, InputReport
from recsys.prepare.formats.time_columns import utc_of
from recsys.prepare.mapping_settings import OF_ITEM, OF_USER
from recsys.prepare.raw.remote import binary
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
        # What Arrow reads ahead it keeps, to the end of the file.
        return pq.ParquetFile(binary(path), pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None


def check_types(path: Path, schema: pa.Schema, columns: Mapping[str, str]) -> None:
    """Stop at columns of types that hold no ids, times or numbers.

    Args:
        path: of the file.
        schema: of the file.
        columns: our names -> the paths that are read.

    Raises:
        DataError: naming the column and its type, also where it is too coarse for times.
    """
    paths = paths_in(schema)
    for ours, theirs in columns.items():
        kind = _plain(paths[theirs].type)
        fitting = _FITTING.get(ours, (*_NUMBERS, pa.types.is_boolean, *_TIMES, _is_list_of_values))
        if any(fits(kind) for fits in (*_TEXTS, *fitting)):
            continue
        remedy = f"write {theirs} as text or numbers"
        if pa.types.is_nested(kind):
            remedy = "write one row an event, with one id or one number in each column"
            starts = (f"{theirs}.", f"{theirs}[]")
            within = [name for name in paths if name.startswith(starts) and not pa.types.is_nested(paths[name].type)]
            if within:
                line = as_yaml({ours: within[0]})
                remedy = f"set data.columns to the path of a value in it ({line}), or {remedy}"
        raise DataError(f"one value a row in column {theirs} of {path}", f"values of type {kind}", remedy)
    if c.TIMESTAMP in columns:
        _check_precision(path, columns[c.TIMESTAMP], _plain(paths[columns[c.TIMESTAMP]].type))


def _is_list_of_values(kind: pa.DataType) -> bool:
    return is_list(kind) and not pa.types.is_nested(kind.value_type)


def _check_precision(path: Path, name: str, kind: pa.DataType) -> None:
    """Seconds since 1970 as floats of single precision are those of the nearest minute or two."""
    if kind in (pa.float16(), pa.float32()):
        raise DataError(
            f"times that tell seconds apart in column {name} of {path}",
            f"values of type {kind}, which round times to minutes",
            "write the column from the source, as whole numbers, timestamps or floats of 64 bits",
        )


def typed_columns(schema: pa.Schema, columns: Mapping[str, str]) -> list[str]:
    """Of our names those whose type says what values mean: numbers, and times that are no plain numbers."""
    paths = paths_in(schema)
    return [
        name
        for name, theirs in columns.items()
        if any(fits(paths[theirs].type) for fits in (_TIMES if name == c.TIMESTAMP else _NUMBERS))
    ]


def parquet_tables(
    file: pq.ParquetFile, report: InputReport, config: DataConfig, columns: Mapping[str, str], on_bytes: OnBytes
) -> Iterator[pa.Table]:
    """Yield columns of a file as tables of strings; what a column item.FIELD or user.FIELD lists stays a list.

    Args:
        file: to read.
        report: of the file; records whose list is empty are counted there.
        config: how values are written.
        columns: our names -> the paths that are read.
        on_bytes: called with the number of bytes read.

    Raises:
        DataError: the file is damaged, or its ids are floats that have lost digits.
    """
    known = paths_in(file.schema_arrow)
    paths = {name: known[theirs] for name, theirs in columns.items()}
    present = sorted({path.keys[0].removesuffix("[]") for path in paths.values()})
    try:
        for batch in file.iter_batches(BATCH_ROWS, columns=present):
            values, empty = read_paths(batch, paths)
            if empty:
                report.lines += empty
                report.dropped[NO_ENTRIES] += empty
            yield pa.table({name: _as_strings(array, name, report, config) for name, array in values.items()})
    except (pa.ArrowException, OSError) as error:
        raise _damaged(report.path, error) from None
    with report.path.open("rb") as raw:
        report.sha256 = hashlib.file_digest(raw, "sha256").hexdigest()
    on_bytes(report.size)


def _as_strings(values: pa.Array, name: str, report: InputReport, config: DataConfig) -> pa.Array:
    """Values as CSV would hold them; times as seconds since 1970, NaN as null."""
    if is_list(values.type):
        return values.cast(pa.list_(pa.string()))
    if any(is_time(values.type) for is_time in _TIMES):
        values = _seconds(values, config.time_zone)
    elif pa.types.is_floating(values.type):
        if name == c.TIMESTAMP:
            values = _whole_counts(values)
        elif name in (c.RATING, c.PRICE, c.QUANTITY) or name.startswith((OF_ITEM, OF_USER)):
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
