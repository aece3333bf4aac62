"""From lists that two bundles made to figures, and what speaks against the new bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from recsys.measure.shadow.overlap import jaccard, overlap_at, rank_biased_overlap
from recsys.measure.shadow.replay import Replayed
from recsys.measure.shadow.report import Latency, Overlap, RankOverlap, ShadowReport, Side
from recsys.retraining_config import ShadowConfig
from recsys.store import Served

DEPTHS = (1, 3, 5, 10, 20, 50, 100)
Lists = Sequence[tuple[Sequence[str], Sequence[str]]]


class Pair(NamedTuple):
    """A served list, made again by both bundles; None: one failed."""

    served: Served
    old: Replayed | None
    new: Replayed | None


def overlap_of(lists: Lists) -> Overlap:
    """How alike lists of both bundles are; at least one."""
    whole = [overlap_at(max(len(old), len(new)), old, new) for old, new in lists]
    return Overlap(
        mean=float(np.mean(whole)),
        p5=float(np.percentile(whole, 5)),
        jaccard=float(np.mean([jaccard(old, new) for old, new in lists])),
        rank_biased=float(np.mean([rank_biased_overlap(old, new) for old, new in lists])),
        unchanged=float(np.mean([list(old) == list(new) for old, new in lists])),
        by_rank=tuple(_by_rank(lists)),
    )


def _by_rank(lists: Lists) -> Iterator[RankOverlap]:
    for depth in DEPTHS:
        deep = [overlap_at(depth, old, new) for old, new in lists if max(len(old), len(new)) >= depth]
        if deep:
            yield RankOverlap(depth, len(deep), float(np.mean(deep)), float(np.percentile(deep, 5)))


def side_of(
    version: str, lists: Sequence[Served], made: Sequence[Replayed | None], failures: Mapping[str, int]
) -> Side:
    """What one bundle made of served lists."""
    pairs = [(served, one) for served, one in zip(lists, made, strict=True) if one is not None]
    times = [1000 * one.seconds for _, one in pairs]
    p50, p95 = np.percentile(times, [50, 95]).tolist() if times else (0.0, 0.0)
    return Side(
        version=version,
        made=len(pairs),
        filled=_share([one.filled for _, one in pairs]),
        short=_share([len(one.item_ids) < len(served.item_ids) for served, one in pairs]),
        latency=Latency(round(p50, 3), round(p95, 3)) if times else None,
        items=len({item for _, one in pairs for item in one.item_ids}),
        failures=dict(failures),
    )


def _share(true: Sequence[bool]) -> float:
    return sum(true) / len(true) if true else 0.0


def refusals_of(report: ShadowReport, settings: ShadowConfig) -> Iterator[str]:
    """Why the new bundle of a report should not be published, each reason a sentence."""
    old, new = report.old, report.new
    if old is None or new is None or not report.replayed:
        return
    more = (new.failed - old.failed) / report.replayed
    if more > settings.more_failures:
        yield (
            f"Of {report.replayed} replayed lists {new.failed} failed on the new bundle, {old.failed} on the one in "
            f"use ({'; '.join(new.failures)}); {settings.more_failures:.1%} more may."
        )
    if report.replayed < settings.least_lists:
        return
    if report.overlap is not None and report.overlap.mean < settings.least_overlap:
        yield (
            f"Both bundles share {report.overlap.mean:.1%} of a list, below {settings.least_overlap:.1%} "
            "(shadow.least_overlap)."
        )
    if new.filled - old.filled > settings.more_fallback:
        yield (
            f"Popular items fill {new.filled:.1%} of the lists of the new bundle and {old.filled:.1%} of the one in "
            f"use; {settings.more_fallback:.1%} more may (shadow.more_fallback)."
        )
    if old.latency is not None and new.latency is not None:
        most = max(settings.slower * old.latency.p95, settings.fast_enough_ms)
        if new.latency.p95 > most:
            yield (
                f"The p95 of the new bundle is {new.latency.p95:.1f} ms, of the one in use {old.latency.p95:.1f} ms; "
                f"it may be {most:.1f} ms (shadow.slower, shadow.fast_enough_ms)."
            )
