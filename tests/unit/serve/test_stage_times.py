"""How long stages take, read off histograms."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram

from serve.operations.stages import Bucket, quantile, stage_times
from tests.support.serving import running

INFINITE = float("inf")


@pytest.mark.parametrize(
    ("buckets", "share", "expected"),
    [
        ([(1.0, 4), (2.0, 8), (INFINITE, 8)], 0.5, 1.0),  # the fourth of eight
        ([(1.0, 4), (2.0, 8), (INFINITE, 8)], 0.75, 1.5),  # the sixth: half through the second bucket
        ([(1.0, 0), (2.0, 0), (4.0, 10), (INFINITE, 10)], 0.1, 2.2),
        ([(1.0, 1), (2.0, 1), (INFINITE, 10)], 0.9, 2.0),  # beyond all bounds
        ([(1.0, 0), (INFINITE, 0)], 0.5, None),
    ],
)
def test_quantiles_by_hand(buckets: list[tuple[float, float]], share: float, expected: float | None) -> None:
    assert quantile([Bucket(*bucket) for bucket in buckets], share) == (
        None if expected is None else pytest.approx(expected)
    )


@given(
    st.lists(st.floats(0.0001, 0.9), min_size=1, max_size=60),
    st.lists(st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.4, 0.8]), min_size=1, unique=True),
)
def test_an_estimate_lies_in_the_bucket_of_the_value(values: list[float], bounds: list[float]) -> None:
    registry = CollectorRegistry()
    bounds = [*sorted(bounds), 1.0]
    histogram = Histogram("recsys_stage_seconds", "", ["stage"], buckets=bounds, registry=registry)
    for value in values:
        histogram.labels("a").observe(value)
    (times,) = stage_times(registry.collect())
    assert (times.stage, times.count) == ("a", len(values))
    assert times.mean_ms == pytest.approx(1000 * sum(values) / len(values), abs=0.001)
    edges = np.array([0.0, *bounds])
    for share, told in ((0.5, times.p50_ms), (0.95, times.p95_ms), (0.99, times.p99_ms)):
        true = np.quantile(values, share, method="inverted_cdf")
        place = np.searchsorted(edges, true)
        assert told is not None
        assert 1000 * edges[place - 1] - 0.001 <= told <= 1000 * edges[place] + 0.001


def test_a_server_tells_how_long_its_lists_take(bundle_path: Path) -> None:
    with running(bundle=bundle_path, store="none") as (client, _):
        before = client.get("/stats").json()
        for _ in range(3):
            client.get("/recommendations/user1")
        answer = client.get("/stats").json()
        info = answer["bundle"]
    counts = {row["stage"]: row["count"] for row in before["stages"]}
    assert {row["stage"] for row in answer["stages"]} == {"ann", "query_tower", "ranking", "store"}
    for row in answer["stages"]:
        assert row["count"] == counts.get(row["stage"], 0) + 3
        assert 0 <= row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"]
    assert answer["serving"] == [{"name": info["name"], "version": info["version"], "workers": 1}]
