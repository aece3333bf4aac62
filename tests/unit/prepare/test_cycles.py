"""Cycles of items: gaps and medians derived by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import duckdb
import pyarrow as pa
import pytest

from recsys.core.events import SECONDS_PER_DAY
from recsys.prepare.engine import cycles, filters, item_metadata, repeats, splits
from tests.support.event_lines import Line, config, load


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as db:
        yield db


def buys(user: str, item: str, *days: float, kind: str = "purchase", quantity: float | None = None) -> list[Line]:
    return [Line(user, item, kind, int(day * SECONDS_PER_DAY), quantity) for day in days]


def later(*users: str) -> list[Line]:
    """Two other purchases of each user long after the others, which are held out; so the others are all train."""
    return [line for user in users for line in buys(user, f"once-{user}", 1000) + buys(user, f"again-{user}", 1001)]


def found(
    db: duckdb.DuckDBPyConnection,
    lines: Sequence[Line],
    categories: Mapping[str, Sequence[str]] | None = None,
    *,
    least: int = 1,
    cold: Sequence[str] = (),
    **changes: object,
) -> tuple[dict[str, float], cycles.CycleCounts]:
    """The cycle of each item that has one, and the counts."""
    load(db, list(lines))
    settings = config(**changes)
    filters.filter_interactions(db, settings)
    filters.number_rows(db)
    split = splits.split_interactions(db, settings.split)
    repeats.merge_repeats(db, settings.repeats)
    item_metadata.create_metadata_table(db)
    rows = categories or {}
    db.register(
        "given", pa.table({"item_id": list(rows), "categories": pa.array(rows.values(), pa.list_(pa.string()))})
    )
    db.execute("INSERT INTO metadata BY NAME SELECT * FROM given")
    db.unregister("given")
    if cold:
        db.execute(
            "CREATE TABLE cold AS SELECT item FROM items WHERE list_contains($cold, item_id)", {"cold": list(cold)}
        )
    counts = cycles.find_cycles(db, least, split.get("validation_from"), cold_items=bool(cold))
    return dict(db.execute("SELECT item_id, cycle FROM cycles JOIN items USING (item)").fetchall()), counts


def test_a_cycle_is_the_median_of_all_gaps(database: duckdb.DuckDBPyConnection) -> None:
    # Gaps of coffee: 10, 14 and 20 days; of tea 5 and 8; of the lamp none.
    lines = [
        *buys("u", "coffee", 0, 10, 24),
        *buys("v", "coffee", 3, 23),
        *buys("v", "tea", 0, 5, 13),
        *buys("v", "lamp", 1),
        *later("u", "v"),
    ]
    found_, counts = found(database, lines)
    assert found_ == {"coffee": 14.0, "tea": 6.5}
    assert counts == cycles.CycleCounts(own=2, category=0, default=5)


@pytest.mark.parametrize("mode", ["latest", "count", "all"])
def test_repeats_are_counted_whatever_becomes_of_them(database: duckdb.DuckDBPyConnection, mode: str) -> None:
    lines = [*buys("u", "coffee", 0, 10, 24), *buys("v", "coffee", 3, 23), *later("u", "v")]
    assert found(database, lines, repeats=mode)[0] == {"coffee": 14.0}


def test_it_takes_enough_users(database: duckdb.DuckDBPyConnection) -> None:
    often = buys("u", "tea", *range(0, 100, 7))  # one user, however often
    lines = [*often, *buys("u", "coffee", 0, 10), *buys("v", "coffee", 3, 23), *later("u", "v")]
    assert found(database, lines, least=2)[0] == {"coffee": 15.0}


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(buys("u", "coffee", 0, 0, 0, 12), id="several units in one order"),
        pytest.param([*buys("u", "coffee", 0, 12), *buys("u", "coffee", 0, quantity=2)], id="another line of an order"),
        pytest.param(buys("u", "coffee", 0, 0.5, 12.5), id="one that was forgotten: the next gap is from it"),
        pytest.param(
            [*buys("u", "coffee", 0, 12), Line("u", "coffee", "purchase", 12 * SECONDS_PER_DAY - 9)], id="a burst"
        ),
        pytest.param([*buys("u", "coffee", 0, 4, 12), *buys("u", "coffee", 5, kind="return")], id="what was returned"),
        pytest.param(
            [*buys("u", "coffee", 0, 12), *buys("u", "coffee", 4, quantity=2), *buys("u", "coffee", 5, quantity=-2)],
            id="a return by its quantity",
        ),
        pytest.param([*buys("u", "coffee", 0, 12), *buys("u", "coffee", 3, 9, 20, kind="view")], id="views"),
        pytest.param([*buys("u", "coffee", 0, 12), *buys("u", "coffee", 3, 30, kind="rating")], id="ratings"),
    ],
)
def test_what_is_no_purchase_again_moves_nothing(database: duckdb.DuckDBPyConnection, lines: list[Line]) -> None:
    weights = {"view": 1, "purchase": 5, "rating": 5}
    assert found(database, [*lines, *later("u")], event_weights=weights)[0] == {"coffee": 12.0}


def test_ratings_alone_are_no_purchases(database: duckdb.DuckDBPyConnection) -> None:
    rated = [Line("u", "coffee", None, day * SECONDS_PER_DAY) for day in (0, 10, 30)]
    found_, counts = found(database, [*rated, *later("u")])
    assert found_ == {}
    assert not counts.any
    assert counts.to_manifest() == {}


def test_a_category_stands_in_where_an_item_has_too_few(database: duckdb.DuckDBPyConnection) -> None:
    categories = {
        "arabica": ["food", "coffee"],  # two users: 10 and 20
        "robusta": ["food", "coffee"],  # one user: 40; all coffee: 10, 20, 40
        "mint": ["food", "tea"],  # one user: 5; all food: 5, 10, 20, 40
        "decaf": ["food", "coffee", "decaffeinated"],
        "bread": ["food"],
        "filters": ["kitchen", "coffee"],  # another coffee: no user
    }
    lines = [
        *buys("u", "arabica", 0, 10),
        *buys("v", "arabica", 0, 20),
        *buys("v", "robusta", 0, 40),
        *buys("u", "mint", 0, 5),
        *(line for item in ("decaf", "bread", "filters") for line in buys("u", item, 50)),
        *later("u", "v"),
    ]
    found_, counts = found(database, lines, categories, least=2)
    assert found_ == {"arabica": 15.0, "robusta": 20.0, "decaf": 20.0, "mint": 15.0, "bread": 15.0}
    assert counts == cycles.CycleCounts(own=1, category=4, default=5)
    assert counts.to_manifest() == {"cycles": {"own": 1, "category": 4, "default": 5}}


def test_what_is_held_out_of_a_user_tells_nothing(database: duckdb.DuckDBPyConnection) -> None:
    # The last two purchases are held out. The gap that ends on day 30 is as late as the first of them, and later.
    lines = [
        *buys("u", "coffee", 0, 10, 30),
        *buys("u", "soap", 30),
        *buys("u", "lamp", 40),
        *buys("v", "coffee", 0, 22),
        *later("v"),
    ]
    assert found(database, lines, repeats="all")[0] == {"coffee": 16.0}
    moved = [*buys("u", "coffee", 0, 10, 33), *lines[3:]]
    assert found(database, moved, repeats="all")[0] == {"coffee": 16.0}


def test_nothing_after_the_time_of_a_temporal_split_is_read(database: duckdb.DuckDBPyConnection) -> None:
    lines = [*buys("u", "coffee", 0, 10, 80), *buys("v", "tea", 5, 11, 90), *buys("w", "a", 1), *buys("w", "b", 99)]
    split = {"method": "temporal", "validation_share": 0.2, "test_share": 0.2}
    found_, _ = found(database, lines, repeats="all", split=split)
    assert found_ == {"coffee": 10.0, "tea": 6.0}


def test_an_item_has_a_cycle_though_its_latest_purchases_are_held_out(database: duckdb.DuckDBPyConnection) -> None:
    # One of each pair is kept, the latest, and that is the test interaction.
    lines = [*buys("u", "soap", 0, 10, 100), *buys("u", "lamp", 30), *buys("u", "cup", 90)]
    assert found(database, lines)[0] == {"soap": 10.0}


def test_an_item_that_is_held_out_whole_has_none(database: duckdb.DuckDBPyConnection) -> None:
    lines = [*buys("u", "soap", 0, 10), *buys("u", "tea", 0, 4), *later("u")]
    assert found(database, lines)[0] == {"soap": 10.0, "tea": 4.0}
    assert found(database, lines, cold=["soap"])[0] == {"tea": 4.0}


@pytest.mark.parametrize("weights", [{}, {"rating": 5}])
def test_a_log_without_types_of_purchases_has_no_cycles(
    database: duckdb.DuckDBPyConnection, weights: dict[str, float]
) -> None:
    lines = [*buys("u", "tea", 0, 10, kind="rating"), *later("u")]
    assert found(database, lines, event_weights=weights)[0] == {}


@pytest.mark.parametrize(
    ("weights", "bought"),
    [
        pytest.param({"purchase": 3, "subscribe": 5}, {"tea": 10.0, "box": 30.0}, id="no less than a purchase"),
        pytest.param({"purchase": 5, "subscribe": 3}, {"tea": 10.0}, id="less than a purchase"),
        pytest.param({"subscribe": 5, "order": 3}, {"box": 30.0}, id="the strongest without a purchase"),
        pytest.param({"subscribe": 1, "purchase": 1}, {"tea": 10.0}, id="all alike"),
        pytest.param({"subscribe": 1}, {"box": 30.0}, id="one type"),
    ],
)
def test_purchases_are_those_that_serving_counts(
    database: duckdb.DuckDBPyConnection, weights: dict[str, float], bought: dict[str, float]
) -> None:
    lines = [*buys("u", "tea", 0, 10), *buys("u", "box", 0, 30, kind="subscribe"), *later("u")]
    lines = [line for line in lines if line.kind in weights]
    if "purchase" not in weights:  # two others at the end, which are held out
        lines += buys("u", "once-u", 1000, kind="subscribe") + buys("u", "again-u", 1001, kind="subscribe")
    assert found(database, lines, event_weights=weights)[0] == bought
