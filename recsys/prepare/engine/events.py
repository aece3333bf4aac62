"""What is taken off events before interactions are made of them: bursts, users who are no persons, what was undone.

All steps work on table `coded` and count what they drop by cause.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from recsys.core.events import SECONDS_PER_DAY
from recsys.prepare.engine.staging import SEQ_BITS, Database, count, one_value, replace_table
from recsys.prepare.engine.undoing import Pair, Taken, take_back
from recsys.prepare.settings import DataConfig

BURST, OUTSTANDING_USER, IGNORED_UNDO = "burst", "outstanding_user", "ignored_undo"
# How many times the median user's events an outstanding user has at least: where all have many, nobody stands out.
_TIMES_THE_MEDIAN = 10
_MOST_NAMED = 5
_LARGE_SHARE = 0.25  # of all events, which users who are no persons may have together
_BATCH_ROWS = 1 << 16


@dataclass
class EventReport:
    """What was taken off.

    Attributes:
        dropped: events by cause.
        reduced: purchases whose quantity a partial return lowered; they are kept.
        outstanding_users: ids and numbers of events of the first users left out, the busiest first.
        busy_users: number and share of all events of users who stayed and stand out together; None if none do.
    """

    dropped: Counter[str] = field(default_factory=Counter)
    reduced: int = 0
    outstanding_users: list[tuple[str, int]] = field(default_factory=list)
    busy_users: tuple[int, float] | None = None


def clean_events(db: Database, config: DataConfig) -> EventReport:
    """Take bursts, outstanding users and undone events off table `coded`, in this order.

    A burst goes first, because a purchase and its return that a shop sent twice are one purchase and one return.
    """
    report = EventReport()
    typed, least = db.execute("SELECT count(event_type), min(quantity) FROM coded").fetchall()[0]
    if config.burst_seconds and typed:
        _drop_bursts(db, config.burst_seconds, report)
    if config.max_user_events:
        _drop_outstanding_users(db, config.max_user_events, config.max_user_share, report)
    if typed or (least is not None and least < 0):
        _undo(db, config, report)
    return report


def _drop_bursts(db: Database, seconds: int, report: EventReport) -> None:
    """Keep the last of events of one user, item, type and quantity that follow each other within some seconds.

    Inputs whose times are days alone tell of no seconds: their events stay.
    """
    of_input = f"seq >> {SEQ_BITS}"
    _drop(
        db,
        f"""
        SELECT seq FROM (
            SELECT seq, lead(timestamp) OVER (
                PARTITION BY user_code, item_code, event_type, quantity ORDER BY timestamp, seq
            ) - timestamp AS until_next
            FROM coded SEMI JOIN (
                SELECT user_code, item_code FROM coded GROUP BY user_code, item_code HAVING count(*) > 1
            ) USING (user_code, item_code)
            WHERE event_type IS NOT NULL AND {of_input} NOT IN (
                SELECT {of_input} FROM coded GROUP BY ALL HAVING bool_and(timestamp % {SECONDS_PER_DAY} = 0)
            )
        ) WHERE until_next <= $seconds
        """,
        report,
        BURST,
        seconds=seconds,
    )


def _drop_outstanding_users(db: Database, most: int, share: float, report: EventReport) -> None:
    """Leave out users with more than `most` events and more than `share` of all, if that is far above the median.

    The busiest is looked at first, and the next among the events that are left: one crawler hides no other.
    """
    counts = "SELECT user_code, count(*) AS events FROM coded GROUP BY user_code"
    if not one_value(db, f"SELECT count(*) FROM ({counts}) WHERE events > $most", most=most):
        return
    db.execute(
        f"""
        CREATE TABLE busy AS
        WITH counts AS ({counts}),
        busy AS (
            SELECT *, (SELECT sum(events) FROM counts) + events - sum(events) OVER (
                ORDER BY events DESC, user_code ROWS UNBOUNDED PRECEDING
            ) AS events_left
            FROM counts WHERE events > $most AND events > $times * (SELECT median(events) FROM counts)
        )
        SELECT user_code, user_id, events, bool_and(events > $share * events_left) OVER (
            ORDER BY events DESC, user_code ROWS UNBOUNDED PRECEDING
        ) AS is_outstanding
        FROM busy JOIN user_codes USING (user_code)
        """,
        {"most": most, "share": share, "times": _TIMES_THE_MEDIAN},
    )
    report.outstanding_users = db.execute(
        f"SELECT user_id, events FROM busy WHERE is_outstanding ORDER BY events DESC, user_id LIMIT {_MOST_NAMED}"
    ).fetchall()
    if report.outstanding_users:
        outstanding = "SELECT user_code FROM busy WHERE is_outstanding"
        _drop(db, f"SELECT seq FROM coded SEMI JOIN ({outstanding}) USING (user_code)", report, OUTSTANDING_USER)
    users, events = db.execute(
        "SELECT count(*), coalesce(sum(events), 0) FROM busy WHERE NOT is_outstanding"
    ).fetchall()[0]
    left = count(db, "coded")
    if events > _LARGE_SHARE * left:
        report.busy_users = (users, events / left)
    db.execute("DROP TABLE busy")


def _mark_undoing(db: Database, config: DataConfig) -> None:
    """Make table `undoing`: the events that undo, with the type that they undo, null where it is ignored."""
    # A type that has a weight is an ordinary event, whatever it is called.
    types = {name: undone for name, undone in config.undo_events.items() if name not in config.event_weights}
    db.register(
        "undo_types",
        pa.table(
            {
                "event_type": pa.array(list(types), pa.string()),
                "undone": pa.array(list(types.values()), pa.string()),
            }
        ),
    )
    db.execute(
        """
        CREATE TABLE undoing AS
        SELECT seq,
               CASE WHEN undo_types.event_type IS NULL THEN coalesce(coded.event_type, '') ELSE undone END AS undone
        FROM coded LEFT JOIN undo_types ON coded.event_type = undo_types.event_type
        WHERE quantity < 0 OR undo_types.event_type IS NOT NULL
        """
    )
    db.unregister("undo_types")


def _undo(db: Database, config: DataConfig, report: EventReport) -> None:
    """Take the events that undo others off `coded`, and what they undo."""
    _mark_undoing(db, config)
    _drop(db, "SELECT seq FROM undoing WHERE undone IS NULL", report, IGNORED_UNDO)
    db.execute("DELETE FROM undoing WHERE undone IS NULL")
    # A return at the time of its purchase follows it, whatever the order of the lines: times may be those of days.
    rows = db.sql(
        """
        SELECT user_code, item_code, coalesce(undone, event_type, '') AS kind, undone IS NOT NULL AS undoes,
               abs(quantity) AS quantity, seq
        FROM coded SEMI JOIN (SELECT user_code, item_code FROM coded SEMI JOIN undoing USING (seq))
                   USING (user_code, item_code)
        LEFT JOIN undoing USING (seq)
        ORDER BY user_code, item_code, kind, timestamp, undoes, seq
        """
    )
    taken = take_back(_rows(rows.to_arrow_reader(_BATCH_ROWS)))
    db.execute("DROP TABLE undoing")
    _apply(db, taken, report)


def _rows(reader: pa.RecordBatchReader) -> Iterator[tuple[Pair, bool, float | None, int]]:
    for batch in reader:
        users, items, kinds, undoes, quantities, seqs = (column.to_pylist() for column in batch.columns)
        for user, item, kind, undo, quantity, seq in zip(users, items, kinds, undoes, quantities, seqs, strict=True):
            yield (user, item, kind), undo, quantity, seq


def _apply(db: Database, taken: Taken, report: EventReport) -> None:
    """Drop what is taken off and lower the quantities of what is left in part."""
    for cause, seqs in sorted(taken.dropped.items()):
        db.register("gone", pa.table({"seq": pa.array(seqs, pa.int64())}))
        _drop(db, "SELECT seq FROM gone", report, cause)
        db.unregister("gone")
    if taken.left:
        seqs, quantities = list(taken.left), list(taken.left.values())
        left = {"seq": pa.array(seqs, pa.int64()), "left_over": pa.array(quantities, pa.float32())}
        db.register("reduced", pa.table(left))
        replace_table(
            db,
            "coded",
            "SELECT * EXCLUDE (quantity, left_over), coalesce(left_over, quantity) AS quantity"
            " FROM coded LEFT JOIN reduced USING (seq)",
        )
        db.unregister("reduced")
        report.reduced = len(taken.left)


def _drop(db: Database, seqs: str, report: EventReport, cause: str, **values: object) -> None:
    """Drop the rows of `coded` whose `seq` a query names, and count them."""
    before = count(db, "coded")
    replace_table(db, "coded", f"SELECT * FROM coded ANTI JOIN ({seqs}) USING (seq)", **values)
    if dropped := before - count(db, "coded"):
        report.dropped[cause] += dropped
