"""How long the stages of lists take, read off the histograms that Prometheus gets."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from prometheus_client.metrics_core import Metric

from serve.operations.answers import ServingWorkers, StageTimes

STAGE_SECONDS, BUNDLE_WORKERS = "recsys_stage_seconds", "recsys_bundle_workers"


class Bucket(NamedTuple):
    """How many values are at most so large."""

    bound: float
    values: float


def stage_times(metrics: Iterable[Metric]) -> list[StageTimes]:
    """Of each stage, in the order of their names."""
    buckets: dict[str, list[Bucket]] = defaultdict(list)
    sums: dict[str, float] = {}
    for metric in metrics:
        if metric.name == STAGE_SECONDS:
            for sample in metric.samples:
                if sample.name.endswith("_bucket"):
                    buckets[sample.labels["stage"]].append(Bucket(float(sample.labels["le"]), sample.value))
                elif sample.name.endswith("_sum"):
                    sums[sample.labels["stage"]] = sample.value
    return [_times(stage, sorted(counted), sums[stage]) for stage, counted in sorted(buckets.items())]


def serving_workers(metrics: Iterable[Metric]) -> list[ServingWorkers]:
    """How many workers answer from which version of which bundle."""
    samples = [sample for metric in metrics if metric.name == BUNDLE_WORKERS for sample in metric.samples]
    return [
        ServingWorkers(name=sample.labels["name"], version=sample.labels["version"], workers=int(sample.value))
        for sample in sorted(samples, key=lambda sample: (sample.labels["name"], sample.labels["version"]))
        if sample.value > 0
    ]


def quantile(buckets: Sequence[Bucket], share: float) -> float | None:
    """The value below which a share of all values lies, as Prometheus' `histogram_quantile` estimates it.

    Args:
        buckets: by their bounds, the last one infinite, each with the count of all values up to its bound.
        share: from 0 to 1.

    Returns:
        Linear within its bucket; the last finite bound where it lies beyond; None without values.
    """
    wanted = share * buckets[-1].values
    if not buckets[-1].values:
        return None
    lower = Bucket(0.0, 0.0)
    for bucket in buckets:
        if bucket.values >= wanted and bucket.values > lower.values:
            if math.isinf(bucket.bound):
                return lower.bound
            return lower.bound + (bucket.bound - lower.bound) * (wanted - lower.values) / (bucket.values - lower.values)
        lower = bucket
    return lower.bound


def _times(stage: str, buckets: Sequence[Bucket], total_s: float) -> StageTimes:
    count = int(buckets[-1].values)
    return StageTimes(
        stage=stage,
        count=count,
        mean_ms=_ms(total_s / count if count else None),
        p50_ms=_ms(quantile(buckets, 0.5)),
        p95_ms=_ms(quantile(buckets, 0.95)),
        p99_ms=_ms(quantile(buckets, 0.99)),
    )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 3)
