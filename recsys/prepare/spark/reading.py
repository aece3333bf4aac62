"""Files of events into table `raw` on Spark, each by a task of its own.

A task reads a file as a preparation on one machine does, from its first line to its last, since what the first rows
show of how values are written holds for all. What became of its lines comes back as one more row, so that a task that
is run again counts once.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
from pyspark.sql.pandas.types import from_arrow_schema

from recsys.core.errors import RecsysError
from recsys.prepare import columns as c
from recsys.prepare.engine.staging import SEQ_BITS
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.inputs import Input
from recsys.prepare.settings import DataConfig
from recsys.prepare.spark.database import SparkDatabase
from recsys.prepare.spark.session import spark_errors
from recsys.prepare.tally import Tally

_OUTCOME = "outcome"
_EVENTS = pa.schema(
    [
        (c.USER_ID, pa.string()),
        (c.ITEM_ID, pa.string()),
        (c.TIMESTAMP, pa.int64()),
        (c.RATING, pa.float32()),
        (c.WEIGHT, pa.float32()),
        (c.PRICE, pa.float32()),
        (c.QUANTITY, pa.float32()),
        (c.EVENT_TYPE, pa.string()),
        (c.EVENT_ID, pa.string()),
        (c.SEQ, pa.int64()),
    ]
)
_SCHEMA = _EVENTS.append(pa.field(_OUTCOME, pa.binary()))


@dataclass(frozen=True)
class Outcome:
    """What became of an input: its report and tally, or why reading it stopped."""

    number: int
    report: InputReport
    tally: Tally
    error: RecsysError | None = None


def read_all(db: SparkDatabase, logs: Sequence[Input], config: DataConfig) -> None:
    """Make table `raw` of the events of all inputs, and tell each what became of it.

    Raises:
        DataError: of the first input that could not be read.
    """
    session, folder = db.session, db.new_folder("raw")
    schema = from_arrow_schema(_SCHEMA)
    numbers = session.range(0, len(logs), 1, len(logs))
    with spark_errors():
        numbers.mapInArrow(partial(_read, list(logs), config), schema).write.parquet(folder)
    rows = session.read.schema(schema).parquet(folder)
    of_files = rows.where(f"{_OUTCOME} IS NOT NULL").select(_OUTCOME).collect()
    outcomes: list[Outcome] = [pickle.loads(row.outcome) for row in of_files]  # nosec B301  # written by our own tasks
    for outcome in sorted(outcomes, key=lambda each: each.number):
        if outcome.error:
            raise outcome.error
        logs[outcome.number].take_outcome(outcome.report, outcome.tally)
    db.attach("raw", folder, rows.where(f"{_OUTCOME} IS NULL").drop(_OUTCOME))


def _read(logs: list[Input], config: DataConfig, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Read the inputs whose numbers are given: their events, then an outcome of each."""
    for batch in batches:
        for number in batch.column(0).to_pylist():
            log, error = logs[number], None
            try:
                for events in log.interactions(config, number << SEQ_BITS, lambda _: None):
                    yield from _completed(events).to_batches()
            except RecsysError as raised:
                error = raised
            outcome = pickle.dumps(Outcome(number, log.report, log.tally, error))
            yield pa.RecordBatch.from_pylist([{_OUTCOME: outcome}], _SCHEMA)


def _completed(events: pa.Table) -> pa.Table:
    """Events with the columns that a format lacks, as table `raw` has them by default."""
    columns = []
    for field in _SCHEMA:
        if field.name in events.column_names:
            columns.append(events[field.name].cast(field.type))
        elif field.name == c.WEIGHT:
            columns.append(pa.repeat(pa.scalar(1.0, pa.float32()), len(events)))
        else:
            columns.append(pa.nulls(len(events), field.type))
    return pa.table(columns, schema=_SCHEMA)
