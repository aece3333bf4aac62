from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.prepare.engine import staging
from recsys.prepare.engine.repeated_events import RepeatedEvents, drop_repeated_events, overlapping


class Row(NamedTuple):
    user: str
    item: str = "i"
    kind: str | None = "view"
    time: int = 0
    id: str | None = None
    price: float | None = None


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as db:
        yield db


def left(db: duckdb.DuckDBPyConnection, inputs: list[list[Row]]) -> tuple[list[Row], RepeatedEvents]:
    """The rows that are left of some inputs, in their order, and the report."""
    db.execute("DROP TABLE IF EXISTS raw")
    staging.create_raw_table(db)
    for number, rows in enumerate(inputs):
        if rows:
            users, items, kinds, times, ids, prices = zip(*rows, strict=True)
            first = number << staging.SEQ_BITS
            table = pa.table(
                {
                    "user_id": users,
                    "item_id": items,
                    "event_type": pa.array(kinds, pa.string()),
                    "timestamp": times,
                    "event_id": pa.array(ids, pa.string()),
                    "price": pa.array(prices, pa.float32()),
                    "seq": pa.array(range(first, first + len(rows)), pa.int64()),
                }
            )
            staging.insert_interactions(db, table)
    ranges = [(min(row.time for row in rows), max(row.time for row in rows)) if rows else None for rows in inputs]
    report = drop_repeated_events(db, ranges)
    query = "SELECT user_id, item_id, event_type, timestamp, event_id, price FROM raw ORDER BY seq"
    return [Row(*row) for row in db.execute(query).fetchall()], report


def test_an_id_counts_once_whatever_its_input_and_its_time(database: duckdb.DuckDBPyConnection) -> None:
    first, again = Row("u", time=5, id="e1"), Row("u", time=6, id="e1")
    other = Row("u", time=5, id="e2")
    rows, report = left(database, [[first, other, again], [again, Row("v", time=90)]])
    assert rows == [first, other, Row("v", time=90)]
    assert report == RepeatedEvents(Counter({0: 1, 1: 1}), 0)


def test_an_id_of_several_events_drops_none_of_them(database: duckdb.DuckDBPyConnection) -> None:
    twice = [Row("u", f"i{n}", time=n, id=f"e{n}") for n in range(10)]
    two = [Row("u", "a", "purchase", 1, "e-x"), Row("u", "b", "purchase", 1, "e-x")]
    rows, report = left(database, [[*twice, *two], [Row("v", time=99)]])
    assert rows == [*twice, *two, Row("v", time=99)]
    rows, report = left(database, [[*twice, *two], [row._replace(time=row.time + 50) for row in twice]])
    assert rows == [*twice, *two]
    assert report == RepeatedEvents(Counter({1: 10}), 1)  # 1 of 11 ids that come again


def test_ids_of_orders_tell_no_events(database: duckdb.DuckDBPyConnection) -> None:
    order = [Row("u", "a", "purchase", 1, "7"), Row("u", "b", "purchase", 1, "7"), Row("u", "a", "purchase", 1, "7")]
    rows, report = left(database, [order, []])
    assert rows == order
    assert report == RepeatedEvents(Counter(), 1, ids_used=False)
    # The order in a second file is the same order, though: its rows are equal, ids and all.
    rows, report = left(database, [order, order[:2]])
    assert rows == order
    assert report == RepeatedEvents(Counter({1: 2}), 1, ids_used=False)


def test_equal_rows_of_two_inputs_count_once_and_of_one_input_as_often_as_they_stand(
    database: duckdb.DuckDBPyConnection,
) -> None:
    milk = Row("u", "milk", "purchase", 100, price=1.5)
    rows, report = left(database, [[milk, milk], [milk, milk, milk], [Row("u", "milk", "purchase", 100, price=1.0)]])
    assert rows == [milk, milk, milk, Row("u", "milk", "purchase", 100, price=1.0)]
    assert report.of_inputs == {1: 2}


def test_an_event_of_the_log_without_an_id_is_that_of_the_store(database: duckdb.DuckDBPyConnection) -> None:
    logged, stored = Row("u", time=7), Row("u", time=7, id="e1")
    assert left(database, [[logged], [stored]])[0] == [logged]
    assert left(database, [[stored], [logged]])[0] == [stored]
    assert left(database, [[stored], [Row("u", time=7, id="e2")]])[0] == [stored, Row("u", time=7, id="e2")]


@pytest.mark.parametrize(
    ("ranges", "span"),
    [
        ([(0, 9), (10, 19), None], None),
        ([(10, 19), (0, 10)], (10, 10)),
        ([(0, 100), (5, 6), (90, 120)], (5, 100)),
        ([None, (3, 3), (3, 3)], (3, 3)),
        ([], None),
    ],
)
def test_overlaps(ranges: list[tuple[int, int] | None], span: tuple[int, int] | None) -> None:
    assert overlapping(ranges) == span


ROWS = st.builds(
    Row,
    st.sampled_from("uv"),
    st.sampled_from("ij"),
    st.sampled_from(["view", None]),
    st.integers(0, 2),
    id=st.none(),
    price=st.sampled_from([None, 1.0]),
)


@settings(deadline=None)
@given(st.lists(st.lists(ROWS, max_size=12), min_size=1, max_size=4))
def test_without_ids_an_event_counts_as_often_as_in_the_input_that_has_it_most(
    database: duckdb.DuckDBPyConnection, inputs: list[list[Row]]
) -> None:
    rows, report = left(database, inputs)
    expected: Counter[Row] = Counter()
    for each in inputs:
        expected |= Counter(each)  # the greater count of the two
    assert Counter(rows) == expected
    assert report.of_inputs.total() == sum(map(len, inputs)) - expected.total()
