"""Each event once: what several inputs hold, or one input more than once under one id.

Two rows are one event if they have the same id, user, item and type (deliveries are repeated), or if they stand in
different inputs and agree in all that is known of an event (a day that was exported twice). Equal rows of one input
stay, unless their ids say otherwise: whoever buys two of a thing may do so in two lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from recsys.prepare.engine.staging import SEQ_BITS, Database, one_value

_SAME_ID = "event_id, user_id, item_id, event_type"
_SAME_ROW = "user_id, item_id, event_type, timestamp, rating, price, quantity"
MOST_AMBIGUOUS = 0.1
_INPUT = f"(seq >> {SEQ_BITS})"


@dataclass
class RepeatedEvents:
    """What was dropped because another row is the same event.

    Attributes:
        of_inputs: number of dropped rows of each input, by its number.
        ambiguous_ids: number of ids that several different events have.
        ids_used: whether ids told events apart; not where more than `MOST_AMBIGUOUS` of those that come again are
            of different events, as numbers of orders, sessions or kinds of events are.
    """

    of_inputs: Counter[int] = field(default_factory=Counter)
    ambiguous_ids: int = 0
    ids_used: bool = True


def drop_repeated_events(db: Database, time_ranges: Sequence[tuple[int, int] | None]) -> RepeatedEvents:
    """Drop the rows of table `raw` that repeat an earlier one (of an earlier input, then of an earlier line).

    Args:
        db: with table `raw`.
        time_ranges: of each input its first and last time; None for one without events.
    """
    result = RepeatedEvents()
    if one_value(db, "SELECT count(event_id) FROM raw"):
        _drop_same_ids(db, result)
    overlap = overlapping(time_ranges)
    if overlap:
        _drop_same_rows(db, overlap, result)
    return result


def overlapping(time_ranges: Sequence[tuple[int, int] | None]) -> tuple[int, int] | None:
    """The span that holds all times at which two inputs may have events; None if there is none."""
    overlaps: list[tuple[int, int]] = []
    latest: int | None = None
    for first, last in sorted(each for each in time_ranges if each):
        if latest is not None and first <= latest:
            overlaps.append((first, min(last, latest)))
        latest = last if latest is None else max(last, latest)
    if not overlaps:
        return None
    return min(first for first, _ in overlaps), max(last for _, last in overlaps)


def _drop_same_ids(db: Database, result: RepeatedEvents) -> None:
    db.execute(
        f"""
        CREATE TEMP TABLE same AS SELECT seq, {_SAME_ID} FROM raw SEMI JOIN (
            SELECT event_id FROM raw WHERE event_id IS NOT NULL GROUP BY event_id HAVING count(*) > 1
        ) USING (event_id)
        """
    )
    again, ambiguous = db.execute(
        "SELECT count(*), coalesce(sum(CAST(events > 1 AS INTEGER)), 0) FROM"
        " (SELECT count(DISTINCT (user_id, item_id, event_type)) AS events FROM same GROUP BY event_id)"
    ).fetchall()[0]
    result.ambiguous_ids = int(ambiguous)
    result.ids_used = ambiguous <= MOST_AMBIGUOUS * again
    repeats = f"SELECT seq FROM same QUALIFY row_number() OVER (PARTITION BY {_SAME_ID} ORDER BY seq) > 1"
    _drop(db, repeats if result.ids_used else "SELECT seq FROM same WHERE false", result)


def _drop_same_rows(db: Database, span: tuple[int, int], result: RepeatedEvents) -> None:
    first, last = span
    # Few rows repeat: hashes find them, and only rows with a hash of several inputs are compared.
    within = f"SELECT *, hash({_SAME_ROW}) AS digest FROM raw WHERE timestamp BETWEEN {first} AND {last}"
    db.execute(
        f"""
        CREATE TEMP TABLE same AS
        WITH within AS ({within})
        SELECT * FROM within SEMI JOIN (
            SELECT digest FROM within GROUP BY digest HAVING min{_INPUT} < max{_INPUT}
        ) USING (digest)
        """
    )
    # The first of such rows of one input is the first of another, the second the second, and so on. Ids that
    # differ tell two events apart.
    _drop(
        db,
        f"""
        WITH copies AS (
            SELECT *, row_number() OVER (PARTITION BY {_SAME_ROW}, {_INPUT} ORDER BY seq) AS copy FROM same
        )
        SELECT seq FROM copies WINDOW same_event AS (PARTITION BY {_SAME_ROW}, copy ORDER BY seq)
        QUALIFY row_number() OVER same_event > 1
            AND coalesce(event_id = first_value(event_id) OVER same_event, true)
        """,
        result,
    )


def _drop(db: Database, query: str, result: RepeatedEvents) -> None:
    """Drop the rows of `raw` whose `seq` a query of table `same` gives, and that table."""
    db.execute(f"CREATE TEMP TABLE repeated AS {query}")
    counts = db.execute(f"SELECT {_INPUT}, count(*) FROM repeated GROUP BY ALL").fetchall()
    result.of_inputs.update({int(number): int(count) for number, count in counts})
    if counts:
        db.execute("DELETE FROM raw WHERE seq IN (SELECT seq FROM repeated)")
    db.execute("DROP TABLE repeated")
    db.execute("DROP TABLE same")
