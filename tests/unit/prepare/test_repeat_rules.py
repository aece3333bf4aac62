"""What becomes of several events of one user with one item: by hand, and against an oracle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.errors import DataError
from recsys.prepare.engine import filters, repeats, splits
from tests.support.event_lines import Line, config, filtered, load, oracle, purchase

Interaction = tuple[str, str, int, str, int]  # user, item, line, part, count


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as db:
        yield db


def interactions(
    db: duckdb.DuckDBPyConnection, lines: list[Line], mode: repeats.Repeats, **split: object
) -> set[Interaction]:
    load(db, lines)
    settings_ = config(repeats=mode, burst_seconds=0, split=split)
    filters.filter_interactions(db, settings_)
    filters.number_rows(db)
    splits.split_interactions(db, settings_.split)
    repeats.merge_repeats(db, mode)
    counts = '"count"' if mode == "count" else "1"
    return set(
        db.execute(
            f"SELECT user_id, item_id, seq, split, {counts}"
            ' FROM interactions JOIN users USING ("user") JOIN items USING (item)'
        ).fetchall()
    )


WEEKS = [
    purchase("milk", 1),
    purchase("a", 2),
    purchase("milk", 3),
    purchase("b", 4),
    purchase("milk", 5),
    purchase("milk", 6),
]


def test_the_k_core_counts_repeats_once(database: duckdb.DuckDBPyConnection) -> None:
    lines = [purchase("milk", 1000 * n) for n in range(5)] + [
        Line("v", "milk", "purchase", 1),
        Line("v", "tea", "purchase", 2),
    ]
    kept, _ = filtered(database, lines, repeats="all", k_core_users=2)
    assert kept == [5, 6]  # u bought one item, often


def test_leave_one_out_may_hold_out_a_repeat(database: duckdb.DuckDBPyConnection) -> None:
    train = {
        ("u", "milk", 0, "train", 1),
        ("u", "a", 1, "train", 1),
        ("u", "milk", 2, "train", 1),
        ("u", "b", 3, "train", 1),
    }
    held = {("u", "milk", 4, "validation", 1), ("u", "milk", 5, "test", 1)}
    assert interactions(database, WEEKS, "all") == train | held
    counted = {("u", "milk", 2, "train", 2), ("u", "a", 1, "train", 1), ("u", "b", 3, "train", 1)}
    assert interactions(database, WEEKS, "count") == counted | held
    assert interactions(database, WEEKS, "latest") == {
        ("u", "a", 1, "train", 1),
        ("u", "b", 3, "validation", 1),
        ("u", "milk", 5, "test", 1),
    }


def test_held_out_parts_hold_an_item_once(database: duckdb.DuckDBPyConnection) -> None:
    held = interactions(database, WEEKS, "all", method="ratio", validation_share=0.2, test_share=0.4)
    train = {("u", "milk", 0, "train", 1), ("u", "a", 1, "train", 1), ("u", "milk", 2, "train", 1)}
    assert held == train | {("u", "b", 3, "validation", 1), ("u", "milk", 5, "test", 1)}


def test_a_purchase_is_no_repeat_of_its_views_nor_a_rating_of_its_purchase(
    database: duckdb.DuckDBPyConnection,
) -> None:
    lines = [
        purchase("a", 1, kind="view"),
        purchase("a", 2),
        purchase("a", 3, kind="rating"),
        purchase("b", 4, kind="view"),
        purchase("b", 5, kind="view"),
    ]
    kept, report = filtered(database, lines, repeats="all", burst_seconds=0)
    assert (kept, report.dropped["weaker_of_same_pair"]) == ([1, 3, 4], 2)


events = st.builds(
    Line,
    st.sampled_from("uvw"),
    st.sampled_from("abc"),
    st.sampled_from(["view", "purchase", "rating"]),
    st.integers(0, 9),
)


@given(st.lists(events, min_size=6, max_size=24), st.sampled_from(["count", "all"]))
@oracle
def test_repeats_as_one_by_one(database: duckdb.DuckDBPyConnection, lines: list[Line], mode: repeats.Repeats) -> None:
    of_pair: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for line in lines:
        of_pair[line.user, line.item].add(str(line.kind))
    strongest = {
        pair: next(kind for kind in ("purchase", "rating", "view") if kind in kinds) for pair, kinds in of_pair.items()
    }
    expected: set[Interaction] = set()
    for user in {line.user for line in lines}:
        own = [n for n, line in enumerate(lines) if line.user == user and line.kind == strongest[user, line.item]]
        own.sort(key=lambda n: (lines[n].time, n))
        parts = ["train"] * len(own)
        if len(own) >= 3:
            parts[-2:] = "validation", "test"
        for part in set(parts):
            of_part = [n for n, of in zip(own, parts, strict=True) if of == part]
            for n in of_part:
                same = [m for m in of_part if lines[m].item == lines[n].item]
                if mode == "all" and part == "train":
                    expected.add((user, lines[n].item, n, part, 1))
                elif n == same[-1]:
                    expected.add((user, lines[n].item, n, part, len(same) if mode == "count" else 1))
    if not any(part == "test" for *_, part, _ in expected):
        with pytest.raises(DataError, match="test part"):
            interactions(database, lines, mode)
        return
    assert interactions(database, lines, mode) == expected


def test_what_is_bought_again_is_counted(database: duckdb.DuckDBPyConnection) -> None:
    viewed = [Line("u", "milk", "view", time) for time in (0, 7, 8)]
    _, report = filtered(database, [*viewed, *WEEKS, Line("v", "milk", "purchase", 1)], burst_seconds=0)
    assert (report.bought, report.rebought) == (7, 3)  # milk: four of u, one of v
    _, report = filtered(database, [*WEEKS, WEEKS[-1]], burst_seconds=0)
    assert report.rebought == 3  # two pieces of one moment are no repeat


def test_reviews_tell_nothing_of_what_is_bought_again(database: duckdb.DuckDBPyConnection) -> None:
    _, report = filtered(database, [Line("u", "a", None, 1), Line("u", "a", None, 2)])
    assert (report.bought, report.rebought) == (0, 0)
