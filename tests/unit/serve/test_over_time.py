"""How often an item was chosen, by day, week, month, quarter or year."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from fastapi.testclient import TestClient

from recsys.bundle import Bundle
from serve.items.over_time import counted
from tests.support.live_items_over_http import delete, put
from tests.support.renaming import with_item_ids
from tests.support.serving import N_ITEMS, refusal, running


def seconds(*days: str) -> np.ndarray:
    return np.array([datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() for day in days], np.int64)


def told(period_and_counts: tuple[str, list]) -> tuple[str, list[tuple[str, int]]]:
    period, counts = period_and_counts
    return period, [(one.start, one.interactions) for one in counts]


@pytest.mark.parametrize(
    ("days", "until", "expected"),
    [
        ((), "2020-01-01", ("month", [])),
        (("2024-02-28T23:59:59",), "2024-02-28", ("day", [("2024-02-28", 1)])),
        (
            ("2024-02-28", "2024-03-01T12:00", "2024-02-28T23:59:59"),
            "2024-03-02",
            ("day", [("2024-02-28", 2), ("2024-02-29", 0), ("2024-03-01", 1), ("2024-03-02", 0)]),
        ),
        (("1969-12-31T23:59:59", "1970-01-01"), "1970-01-01", ("day", [("1969-12-31", 1), ("1970-01-01", 1)])),
    ],
)
def test_days_without_gaps_up_to_the_last(days: tuple[str, ...], until: str, expected: object) -> None:
    (end,) = seconds(until)
    assert told(counted(seconds(*days), int(end))) == expected


@pytest.mark.parametrize(
    ("last", "period", "starts"),
    [
        ("2024-03-30", "day", 60),  # 1 in January, 29, 30
        ("2024-03-31T23:00", "week", 9),
        ("2025-03-23", "week", 60),
        ("2025-03-24", "month", 15),
        ("2028-12-31", "month", 60),
        ("2029-01-01", "quarter", 21),
        ("2038-12-31", "quarter", 60),
        ("2039-01-01", "year", 16),
        ("2200-07-01", "year", 177),
    ],
)
def test_the_shortest_periods_of_which_there_are_not_too_many(last: str, period: str, starts: int) -> None:
    got, counts = told(counted(seconds("2024-01-31", last), 0))
    assert (got, len(counts)) == (period, starts)
    assert sum(count for _, count in counts) == 2
    assert (counts[0][1], counts[-1][1]) == (1, 1)
    days = [date.fromisoformat(start) for start, _ in counts]
    lengths = {
        "day": lambda day: 1,
        "week": lambda day: 7,
        "month": lambda day: monthrange(day.year, day.month)[1],
        "quarter": lambda day: sum(monthrange(day.year, day.month + more)[1] for more in range(3)),
        "year": lambda day: (date(day.year + 1, 1, 1) - day).days,
    }
    assert all(day + timedelta(lengths[period](day)) == following for day, following in pairwise(days))
    if period == "week":
        assert {day.weekday() for day in days} == {0}


def test_the_interactions_of_an_item_in_the_bundle(client: TestClient, bundle: Bundle) -> None:
    items = np.asarray(bundle.histories.items)
    counts = np.bincount(items, minlength=N_ITEMS)
    item = int(counts.argmax())
    answer = client.get(f"/items/item{item}/popularity").json()
    assert (answer["item_id"], answer["bundle"]["version"]) == (f"item{item}", bundle.version)
    assert sum(one["interactions"] for one in answer["counts"]) == counts[item]
    first = datetime.fromtimestamp(int(bundle.histories.timestamps[items == item].min()), UTC).date()
    last = datetime.fromtimestamp(int(bundle.histories.timestamps.max()), UTC).date()
    starts = [date.fromisoformat(one["start"]) for one in answer["counts"]]
    assert starts[0] <= first < starts[1]
    assert starts[-1] <= last
    never = int(counts.argmin())
    assert counts[never] == 0
    assert client.get(f"/items/item{never}/popularity").json()["counts"] == []
    assert client.get("/items/by-id/popularity", params={"item_id": f"item{item}"}).json() == answer
    assert "no item 'nix'" in refusal(client.get("/items/nix/popularity"), 404)
    assert "no item 'nix'" in refusal(client.get("/items/by-id/popularity?item_id=nix"), 404)
    assert "x: this address takes no" in refusal(client.get(f"/items/item{item}/popularity?x=1"), 422)


def test_items_of_names_that_look_like_this_address(bundle_path: Path, tmp_path: Path) -> None:
    renamed = with_item_ids(bundle_path, tmp_path, {3: "item7/popularity", 4: "by-id"})
    with running(bundle=renamed, store="none", verify="quick") as (client, _):
        for row, item_id in ((3, "item7/popularity"), (4, "by-id")):
            assert client.get("/items/by-id", params={"item_id": item_id}).json()["categories"][1] == f"Group {row}"
            answer = client.get("/items/by-id/popularity", params={"item_id": item_id}).json()
            assert answer["item_id"] == item_id
        assert (
            client.get(f"/items/{quote('item7/popularity', safe='')}/popularity").json()["item_id"].startswith("item7/")
        )


def test_items_that_come_and_go(bundle_path: Path, tmp_path: Path) -> None:
    with running(bundle=bundle_path, store=f"sqlite:///{tmp_path}/store.sqlite") as (client, _):
        put(client, "new", {"title": "New thing"})
        delete(client, "item4")
        assert client.get("/items/new/popularity").json()["counts"] == []
        assert "no item 'item4'" in refusal(client.get("/items/item4/popularity"), 404)
