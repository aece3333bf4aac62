"""Bursts, outstanding users, returns: tables derived by hand, oracles that go through events one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.errors import DataError
from recsys.prepare.engine import filters
from recsys.prepare.settings import DataConfig
from tests.support.event_lines import Line, config, filtered, load, oracle, purchase

KEEP = purchase("other", 0)  # so that something is always left


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as db:
        yield db


@pytest.mark.parametrize(
    ("lines", "left", "causes"),
    [
        pytest.param(
            [purchase("a", 1, 2), purchase("a", 2000, -2)], [], {"returned": 1, "return": 1}, id="by negative quantity"
        ),
        pytest.param(
            [purchase("a", 1), purchase("a", 2000, kind="refund")], [], {"returned": 1, "return": 1}, id="by type"
        ),
        pytest.param(
            [purchase("a", 1, 3), purchase("a", 2000, -1)], [1], {"return": 1}, id="in part: the purchase stays"
        ),
        pytest.param(
            [purchase("a", 1, 3), purchase("a", 2000, -1), purchase("a", 3000, -2)],
            [],
            {"returned": 1, "return": 2},
            id="in two parts",
        ),
        pytest.param(
            [purchase("a", 1, 3), purchase("a", 1000, 1), purchase("a", 2000, -2)],
            [2],
            {"returned": 0, "return": 1, "older_of_same_pair": 1},
            id="the latest that is large enough",
        ),
        pytest.param(
            [purchase("a", 1, -1), purchase("a", 1000, 1)],
            [2],
            {"return_without_purchase": 1},
            id="before the purchase",
        ),
        pytest.param(
            [purchase("a", 1, 1), purchase("a", 1000, -2)],
            [1],
            {"return_without_purchase": 1},
            id="more than was bought",
        ),
        pytest.param(
            [purchase("a", 1, 2), purchase("a", 1000, 2), purchase("a", 2000, -4)],
            [],
            {"returned": 2, "return": 1},
            id="of two purchases at once",
        ),
        pytest.param(
            [purchase("a", 1, 6), purchase("a", 1000, 2), purchase("a", 2000, 3), purchase("a", 3000, -7)],
            [1],
            {"returned": 2, "return": 1},
            id="of two purchases and a part of a third",
        ),
        pytest.param(
            [purchase("a", 1, -1), purchase("a", 1, 1)], [], {"returned": 1, "return": 1}, id="listed first, of one day"
        ),
        pytest.param(
            [purchase("b", 1), purchase("a", 1000, kind="return")],
            [1],
            {"return_without_purchase": 1},
            id="of another item",
        ),
        pytest.param(
            [purchase("a", 1, kind="view"), purchase("a", 1000, kind="refund")],
            [1],
            {"return_without_purchase": 1},
            id="a view is no purchase",
        ),
        pytest.param(
            [
                purchase("a", 1, kind="view"),
                purchase("a", 1000, kind="add_to_cart"),
                purchase("a", 2000, kind="remove_from_cart"),
                purchase("b", 3000, kind="remove_from_cart"),
            ],
            [1],
            {"removed_from_cart": 1, "removal_from_cart": 1, "removal_without_add_to_cart": 1},
            id="cart",
        ),
        pytest.param(
            [purchase("a", 1), purchase("a", 1000, kind="gift"), purchase("b", 2, -1, kind="gift")],
            [1],
            {"ignored_undo": 2},
            id="ignored",
        ),
        pytest.param(
            [purchase("a", 1), purchase("a", 5), purchase("a", 2000, -1), purchase("a", 2009, -1)],
            [],
            {"burst": 2, "returned": 1, "return": 1},
            id="sent twice, returned twice",
        ),
    ],
)
def test_undone(
    database: duckdb.DuckDBPyConnection, lines: list[Line], left: list[int], causes: dict[str, int]
) -> None:
    undo = {**DataConfig.model_fields["undo_events"].default, "gift": None}
    kept, report = filtered(database, [KEEP, *lines], undo_events=undo)
    assert kept == [0, *left]
    assert {cause: count for cause, count in report.dropped.items() if count} == {c: n for c, n in causes.items() if n}
    assert report.read == len(lines) + 1


def test_what_is_left_of_a_quantity(database: duckdb.DuckDBPyConnection) -> None:
    _, report = filtered(database, [purchase("a", 1, 3), purchase("a", 2000, -1)])
    assert database.execute("SELECT quantity FROM kept").fetchall() == [(2,)]
    assert report.to_manifest()["quantity_reduced"] == 1


def test_a_type_with_a_weight_undoes_nothing(database: duckdb.DuckDBPyConnection) -> None:
    weights = {"purchase": 5.0, "return": 0.5}
    kept, report = filtered(database, [purchase("a", 1), purchase("b", 2, kind="return")], event_weights=weights)
    assert (kept, report.dropped) == ([0, 1], {"older_of_same_pair": 0, "k_core": 0})


def undone_one_by_one(lines: list[Line]) -> tuple[dict[int, float | None], Counter[str]]:
    """What is left of purchases, by line, and the causes: each return looks through all purchases before it."""
    left: dict[int, float | None] = {}
    causes: Counter[str] = Counter()
    returns = [(line.quantity or 0) < 0 or line.kind == "refund" for line in lines]
    for n in sorted(range(len(lines)), key=lambda n: (lines[n].time, returns[n], n)):
        line = lines[n]
        amount = None if line.quantity is None else abs(line.quantity)
        if not returns[n]:
            left[n] = amount
            continue
        of_pair = [m for m in left if (lines[m].user, lines[m].item) == (line.user, line.item)]
        fitting = [m for m in of_pair if not amount or left[m] is None or (left[m] or 0) >= amount]
        wanted = amount or 0
        if not fitting and wanted <= sum(left[m] or 0 for m in of_pair):
            fitting = of_pair  # together they have as much
        if not fitting:
            causes["return_without_purchase"] += 1
            continue
        causes["return"] += 1
        for m in sorted(fitting, key=lambda m: (lines[m].time, m), reverse=True):
            rest = left[m]
            if wanted and rest is not None and rest > wanted:
                left[m] = rest - wanted
                break
            del left[m]
            causes["returned"] += 1
            wanted -= rest or wanted
            if wanted <= 0:
                break
    return left, causes


purchases = st.builds(
    Line,
    st.sampled_from("uv"),
    st.sampled_from("ab"),
    st.sampled_from(["purchase", "purchase", "refund"]),
    st.integers(0, 6),
    st.one_of(st.none(), st.sampled_from([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0])),
)


@given(st.lists(purchases, max_size=14))
@oracle
def test_returns_as_one_by_one(database: duckdb.DuckDBPyConnection, lines: list[Line]) -> None:
    expected, causes = undone_one_by_one(lines)
    load(database, [KEEP, *lines])
    report = filters.filter_interactions(database, config(burst_seconds=0, repeats="all"))
    rows = database.execute("SELECT seq, quantity FROM kept WHERE seq > 0").fetchall()
    assert {seq - 1: quantity for seq, quantity in rows} == expected
    named = ("returned", "return", "return_without_purchase")
    assert {cause: report.dropped.get(cause, 0) for cause in named} == {cause: causes[cause] for cause in named}
    assert report.read - sum(report.dropped.values()) == len(rows) + 1


def test_a_refreshed_page_counts_once(database: duckdb.DuckDBPyConnection) -> None:
    refreshes = [purchase("a", 100 + 9 * n, kind="view") for n in range(600)]
    lines = [KEEP, *refreshes, purchase("a", 100 + 9 * 599 + 11, kind="view")]
    kept, report = filtered(database, lines, repeats="all")
    assert (kept, report.dropped["burst"]) == ([0, 600, 601], 599)
    kept, report = filtered(database, lines, repeats="all", burst_seconds=0)
    assert (len(kept), "burst" in report.dropped) == (602, False)


def test_an_input_that_tells_days_alone_has_no_bursts(database: duckdb.DuckDBPyConnection) -> None:
    days = [purchase("a", 86_400), purchase("a", 86_400), purchase("a", 2 * 86_400)]
    kept, report = filtered(database, days, repeats="all")
    assert (kept, "burst" in report.dropped) == ([0, 1, 2], False)
    # A single event of the same input with a time of day: seconds are told, and midnight is one of them.
    kept, report = filtered(database, [*days, purchase("b", 100)], repeats="all")
    assert (kept, report.dropped["burst"]) == ([1, 2, 3], 1)


def test_events_of_different_quantities_are_no_burst(database: duckdb.DuckDBPyConnection) -> None:
    _, report = filtered(database, [purchase("a", 1, 1), purchase("a", 2, 2), purchase("a", 3, 2)], repeats="all")
    assert report.dropped["burst"] == 1


def crowd(events: dict[str, int]) -> list[Line]:
    return [Line(user, f"i{n}", "view", n) for user, count in events.items() for n in range(count)]


def test_a_user_who_outdoes_all_others_is_left_out_and_named(database: duckdb.DuckDBPyConnection) -> None:
    kept, report = filtered(database, crowd({"bot": 120, "u": 5, "v": 4, "w": 6}), max_user_events=100)
    assert report.dropped["outstanding_user"] == 120
    assert report.to_manifest()["outstanding_users"] == [{"user_id": "bot", "events": 120}]
    assert len(kept) == 15


def test_one_crawler_hides_no_other(database: duckdb.DuckDBPyConnection) -> None:
    events = {"bot": 9000, "second": 800, "third": 150} | {f"u{n}": 9 for n in range(10)}
    kept, report = filtered(database, crowd(events), max_user_events=100)
    assert report.to_manifest()["outstanding_users"] == [
        {"user_id": "bot", "events": 9000},
        {"user_id": "second", "events": 800},  # of 1,040 that are left
        {"user_id": "third", "events": 150},  # of 240
    ]
    assert (len(kept), report.busy_users) == (90, None)


def test_many_crawlers_of_a_small_share_each_are_told_of(database: duckdb.DuckDBPyConnection) -> None:
    events = {f"bot{n}": 200 for n in range(10)} | {f"u{n}": 4 for n in range(30)}
    kept, report = filtered(database, crowd(events), max_user_events=100)
    assert (len(kept), report.busy_users) == (2120, (10, 2000 / 2120))
    kept, report = filtered(database, crowd(events), max_user_events=100, max_user_share=0)
    assert (len(kept), report.busy_users) == (120, None)


@pytest.mark.parametrize(
    ("events", "changes"),
    [
        pytest.param({"u": 101, "v": 101, "w": 101}, {}, id="all have many"),
        pytest.param({"only": 150}, {}, id="alone"),
        pytest.param({"bot": 100, "u": 5, "v": 4, "w": 6}, {}, id="not more than the limit"),
        pytest.param({"bot": 120, "u": 5, "v": 4, "w": 6}, {"max_user_share": 0.9}, id="not of that share"),
        pytest.param({"bot": 120, "u": 5, "v": 4, "w": 6}, {"max_user_events": 0}, id="no limit"),
    ],
)
def test_who_does_not_stand_out_stays(
    database: duckdb.DuckDBPyConnection, events: dict[str, int], changes: dict[str, float]
) -> None:
    kept, report = filtered(database, crowd(events), **{"max_user_events": 100, **changes})
    assert len(kept) == sum(events.values())
    assert "outstanding_user" not in report.dropped


@pytest.mark.parametrize(
    ("lines", "changes", "remedy"),
    [
        ([purchase("a", 1, -1)], {}, "taken back by others"),
        ([purchase("a", 1)], {"k_core_items": 2}, r"lower data.k_core_items \(2\)"),
        ([purchase("a", 1), purchase("a", 2), purchase("a", 3)], {"k_core_items": 2}, r"lower data.k_core_items \(2\)"),
        ([purchase("a", 1)], {"k_core_users": 3, "k_core_items": 2}, r"k_core_users \(3\) or data.k_core_items \(2\)"),
    ],
)
def test_nothing_left_names_what_dropped_most(
    database: duckdb.DuckDBPyConnection, lines: list[Line], changes: dict[str, int], remedy: str
) -> None:
    with pytest.raises(DataError, match=remedy) as raised:
        filtered(database, lines, **changes)
    assert ("k_core" in str(raised.value)) == bool(changes)
