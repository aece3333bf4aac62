"""Read event logs in CSV (plain or gzip) or Parquet: rows to checked events, bad rows counted by cause.

Columns: user_id, item_id, event_type, timestamp (seconds since 1970, or ISO 8601, taken as UTC without an offset);
optional rating, price, quantity; others are ignored. Events have the weight that `data.event_weights` gives their type.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.config import DataConfig
from recsys.core.errors import DataError
from recsys.prepare import columns as c
from recsys.prepare import files as s
from recsys.prepare.amazon_formats import LAST_SECOND
from recsys.prepare.delimited import DelimitedRows
from recsys.prepare.files import SourceReport

REQUIRED = (c.USER_ID, c.ITEM_ID, c.EVENT_TYPE, c.TIMESTAMP)
OPTIONAL = (c.RATING, c.PRICE, c.QUANTITY)
BATCH_ROWS = 1 << 17

# A first matching line names the cause; NULL is a sound event.
_CHECK = f"""
WITH typed AS (
    SELECT position, user_id, item_id, event_type,
           timestamp AS raw_timestamp, rating AS raw_rating, price AS raw_price, quantity AS raw_quantity,
           coalesce(
               TRY_CAST(timestamp AS DOUBLE),
               -- Each type where it is right: TIMESTAMP ignores an offset, TIMESTAMPTZ takes a missing one for local.
               CASE WHEN regexp_matches(timestamp, ':[0-9.]+ ?[+-][0-9:]+$')
                    THEN epoch(TRY_CAST(timestamp AS TIMESTAMPTZ))
                    ELSE epoch(TRY_CAST(timestamp AS TIMESTAMP)) END
           ) AS seconds,
           TRY_CAST(rating AS FLOAT) AS rating, TRY_CAST(price AS FLOAT) AS price,
           TRY_CAST(quantity AS FLOAT) AS quantity
    FROM batch
)
SELECT user_id, item_id, CAST(floor(TRY_CAST(seconds AS DECIMAL(38, 6))) AS BIGINT) AS timestamp,
       rating, weight, price, quantity, position,
       CASE WHEN user_id IS NULL OR item_id IS NULL OR event_type IS NULL OR raw_timestamp IS NULL
                THEN '{s.MISSING_FIELD}'
            WHEN seconds IS NULL OR NOT isfinite(seconds)
              OR raw_rating IS NOT NULL AND (rating IS NULL OR NOT isfinite(rating))
              OR raw_price IS NOT NULL AND (price IS NULL OR NOT isfinite(price))
              OR raw_quantity IS NOT NULL AND (quantity IS NULL OR NOT isfinite(quantity))
                THEN '{s.MISTYPED_FIELD}'
            WHEN seconds < 0 OR seconds >= {LAST_SECOND} THEN '{s.TIMESTAMP_OUT_OF_RANGE}'
            WHEN rating NOT BETWEEN $low AND $high THEN '{s.RATING_OUT_OF_RANGE}'
            WHEN weight IS NULL THEN '{s.UNKNOWN_EVENT_TYPE}'
       END AS cause
FROM typed LEFT JOIN weights USING (event_type)
ORDER BY position
"""


def event_tables(
    report: SourceReport, config: DataConfig, first_seq: int, on_bytes: Callable[[int], object]
) -> Iterator[pa.Table]:
    """Yield an event log as tables for `staging.insert`; `seq` counts up from `first_seq` in file order.

    Raises:
        DataError: see `sources.read_blocks`; a required column is missing; too many bad rows.
    """
    rows = DelimitedRows(report)
    if is_parquet(report.path):
        batches = _parquet_tables(report, on_bytes)
    else:
        columns = {name: name for name in (*REQUIRED, *OPTIONAL)}
        batches = rows.read(columns, config.allow_truncated, on_bytes)
    yield from checked_tables(rows, batches, config, config.event_weights, first_seq)


def checked_tables(
    rows: DelimitedRows,
    batches: Iterator[pa.Table],
    config: DataConfig,
    event_weights: Mapping[str, float],
    first_seq: int,
) -> Iterator[pa.Table]:
    """Yield tables of strings as tables for `staging.insert`, without their bad rows, which are counted.

    Args:
        rows: of the file that the tables come from.
        batches: with user_id, item_id and timestamp, maybe event_type, rating, price and quantity.
        config: range of ratings and greatest share of bad rows.
        event_weights: of each event type; a row in a table without event_type is of the first one.
        first_seq: `seq` counts up from it.

    Raises:
        DataError: too many bad rows, or none at all.
    """
    low, high = config.rating_range
    weights = {c.EVENT_TYPE: list(event_weights), c.WEIGHT: list(event_weights.values())}
    with closing(duckdb.connect(config={"threads": 1})) as db:
        db.register("weights", pa.table(weights))
        for batch in batches:
            first = rows.account(batch)
            db.register("batch", _with_all_columns(batch, next(iter(event_weights))))
            checked = db.sql(_CHECK, params={"low": low, "high": high}).to_arrow_table()
            bad = checked.filter(pc.is_valid(checked["cause"]))
            for position, cause in zip(bad["position"].to_pylist(), bad["cause"].to_pylist(), strict=True):
                rows.drop(cause, first + position, batch, position)
            sound = checked.filter(pc.is_null(checked["cause"])).drop_columns("cause")
            seq = pc.add(sound["position"], first_seq + first)
            yield sound.drop_columns("position").append_column("seq", seq)
    rows.report.check_bad_share(config.max_bad_line_share)
    if not rows.report.lines:
        raise DataError(f"rows in {rows.report.path}", "a header alone", "check how the file was exported")


def check_columns(path: Path) -> None:
    """Stop when a file is no CSV or Parquet file with the required columns.

    Raises:
        DataError: with the columns that came.
    """
    if is_parquet(path):
        names = _open_parquet(path).schema_arrow.names
    else:
        names = next(csv.reader([line.decode("utf-8-sig", "replace") for line in s.head_lines(path, 1)]), [])
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise DataError(
            f"the columns {', '.join(REQUIRED)} in {path}",
            f"no {', '.join(missing)} among {', '.join(names)[:200] or 'no columns'}",
            "rename the columns, or set data.format to what the file is",
        )


def is_parquet(path: Path) -> bool:
    """Whether a file starts as Parquet files do."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _parquet_tables(report: SourceReport, on_bytes: Callable[[int], object]) -> Iterator[pa.Table]:
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


def _with_all_columns(batch: pa.Table, event_type: str) -> pa.Table:
    if c.EVENT_TYPE not in batch.column_names:
        batch = batch.append_column(c.EVENT_TYPE, pa.repeat(event_type, len(batch)))
    for name in OPTIONAL:
        if name not in batch.column_names:
            batch = batch.append_column(name, pa.nulls(len(batch), pa.string()))
    return batch.append_column("position", pa.array(range(len(batch)), pa.int64()))


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
