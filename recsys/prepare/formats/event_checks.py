"""Tables of strings as checked, typed events; bad rows are counted by cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from recsys.core.events import END_OF_TIME
from recsys.prepare import columns as c
from recsys.prepare.formats import reports
from recsys.prepare.formats.delimited import DelimitedRows
from recsys.prepare.settings import DataConfig

REQUIRED = (c.USER_ID, c.ITEM_ID, c.EVENT_TYPE, c.TIMESTAMP)
OPTIONAL = (c.RATING, c.PRICE, c.QUANTITY, c.EVENT_ID)

# The first WHEN that matches names the cause; NULL is a sound event.
_CHECK = f"""
WITH typed AS (
    SELECT position, user_id, item_id, event_type, event_id,
           timestamp AS raw_timestamp, rating AS raw_rating, price AS raw_price, quantity AS raw_quantity,
           coalesce(
               TRY_CAST(timestamp AS DOUBLE),
               -- TIMESTAMP ignores an offset, and TIMESTAMPTZ takes a missing one for local time: each is used where
               -- it is right.
               CASE WHEN regexp_matches(timestamp, ':[0-9.]+ ?[+-][0-9:]+$')
                    THEN epoch(TRY_CAST(timestamp AS TIMESTAMPTZ))
                    ELSE epoch(TRY_CAST(timestamp AS TIMESTAMP)) END
           ) AS seconds,
           TRY_CAST(rating AS FLOAT) AS rating, TRY_CAST(price AS FLOAT) AS price,
           TRY_CAST(quantity AS FLOAT) AS quantity
    FROM batch
)
SELECT user_id, item_id, CAST(floor(TRY_CAST(seconds AS DECIMAL(38, 6))) AS BIGINT) AS timestamp,
       rating, weight, price, quantity, event_type, event_id, position,
       CASE WHEN user_id IS NULL OR item_id IS NULL OR event_type IS NULL OR raw_timestamp IS NULL
                THEN '{reports.MISSING_FIELD}'
            WHEN seconds IS NULL OR NOT isfinite(seconds)
              OR raw_rating IS NOT NULL AND (rating IS NULL OR NOT isfinite(rating))
              OR raw_price IS NOT NULL AND (price IS NULL OR NOT isfinite(price))
              OR raw_quantity IS NOT NULL AND (quantity IS NULL OR NOT isfinite(quantity))
                THEN '{reports.MISTYPED_FIELD}'
            WHEN seconds < 0 OR seconds >= {END_OF_TIME} THEN '{reports.TIMESTAMP_OUT_OF_RANGE}'
            WHEN rating NOT BETWEEN $low AND $high THEN '{reports.RATING_OUT_OF_RANGE}'
            WHEN weight IS NULL THEN '{reports.UNKNOWN_EVENT_TYPE}'
       END AS cause
FROM typed LEFT JOIN weights USING (event_type)
ORDER BY position
"""


def checked_tables(
    rows: DelimitedRows,
    batches: Iterator[pa.Table],
    config: DataConfig,
    event_weights: Mapping[str, float],
    first_seq: int,
    *,
    lenient: bool = False,
) -> Iterator[pa.Table]:
    """Yield tables of strings as typed tables (see `Format.interactions`) without their bad rows, which are counted.

    Args:
        rows: the rows of the input that the tables are read from.
        batches: tables with the `REQUIRED` columns (event_type may be missing) and any of the `OPTIONAL` ones.
        config: gives the range of ratings and the greatest share of bad rows.
        event_weights: the weight of each event type; without a column event_type, all rows are of the first type.
        first_seq: `seq` counts up from it.
        lenient: whether any number of bad rows will do: rows that were checked when they were taken in.

    Raises:
        DataError: too many bad rows; NoEventsError, if there are no rows.
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
            yield sound.drop_columns("position").append_column(c.SEQ, seq)
    if lenient:
        return
    rows.report.check_bad_share(config.max_bad_line_share)
    if not rows.report.lines:
        raise reports.NoEventsError(f"rows in {rows.report.path}", "a header alone", "check how the file was exported")


def _with_all_columns(batch: pa.Table, event_type: str) -> pa.Table:
    """Add the columns that `_CHECK` reads and the table lacks, and each row's position in the table."""
    if c.EVENT_TYPE not in batch.column_names:
        batch = batch.append_column(c.EVENT_TYPE, pa.repeat(event_type, len(batch)))
    for name in OPTIONAL:
        if name not in batch.column_names:
            batch = batch.append_column(name, pa.nulls(len(batch), pa.string()))
    return batch.append_column("position", pa.array(range(len(batch)), pa.int64()))
