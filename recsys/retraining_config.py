"""Settings of what is looked at before a new bundle takes the place of the one in use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from recsys.core.settings import NonNegative, Positive, Section, Share

PositiveNumber = Annotated[float, Field(gt=0)]
Times = Annotated[float, Field(ge=1)]
NonNegativeNumber = Annotated[float, Field(ge=0)]


class GateConfig(Section):
    """What a new bundle must be like to take the place of the one in use, on what the new dataset holds out."""

    metric: Literal["ndcg", "recall", "hit_rate", "mrr", "map"] = Field(
        "ndcg", description="Of the lists of both bundles for the same users of the test split."
    )
    cutoff: Positive = Field(10, description="Items of a list that are looked at.")
    users: Positive = Field(10000, description="Most test users (seeded) who are asked for.")
    least_users: Positive = Field(100, description="Fewer test users with something to find decide nothing: refused.")
    tolerance: Share = Field(
        0.1,
        description="Share of the metric of the bundle in use that may be lost: the lower bound of the paired "
        "difference must not lie below it. 0: the new bundle must be as good beyond chance.",
    )
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = Field(
        0.95, description="One-sided, of that lower bound, by bootstrap over users (evaluation.bootstrap_samples)."
    )
    coverage_loss: Share = Field(
        0.2, description="Share of the distinct items in lists that may be lost against the bundle in use."
    )
    latency_ratio: PositiveNumber = Field(
        1.5, description="Most by which the median time of a list may grow, both bundles asked in turns."
    )
    latency_lists: NonNegative = Field(200, description="Lists of each bundle that are timed; 0: none are.")
    calibration_factor: Times = Field(
        3.0,
        description="Most by which the mean confidence of shown items and the share of them that was chosen may "
        "differ, as a factor.",
    )


class ShadowConfig(Section):
    """Served requests, replayed on the bundle in use and on the new one."""

    lists: NonNegative = Field(
        500, description="Lists of the served log (seeded sample) that are made again by both bundles; 0: none are."
    )
    hours: PositiveNumber = Field(24.0, description="Hours of the served log before now that they are drawn from.")
    seconds: PositiveNumber = Field(
        120.0, description="Longest time for it; what was not replayed by then is left out."
    )
    live_events: Positive = Field(
        500, description="Most recent items of a user whose events are read, as the server's setting of this name."
    )
    least_lists: NonNegative = Field(
        20, description="With fewer lists than that nothing but failures speaks against the new bundle."
    )
    least_overlap: Share = Field(
        0.1, description="Mean share of a list that both bundles name; less of it refuses the new bundle."
    )
    more_fallback: Share = Field(
        0.05, description="By how much the share of lists that popular items fill may grow before it is refused."
    )
    more_failures: Share = Field(0.0, description="Share of the lists that may fail on the new bundle alone.")
    slower: Times = Field(
        2.0, description="How many times the p95 of the bundle in use that of the new one may be before it is refused."
    )
    fast_enough_ms: NonNegativeNumber = Field(
        20.0, description="A p95 of so many milliseconds is fast enough, whatever that of the bundle in use."
    )


class RetrainConfig(Section):
    """`recsys retrain`: what it does with a bundle that passed, and what it keeps of its runs."""

    dir: Path = Field(Path("data/retrain"), description="Parent folder of the reports of runs.")
    publish: Literal["current", "candidate"] = Field(
        "current",
        description="current: servers take the new bundle. candidate: it is written and no server takes it by itself, "
        "for an experiment; `recsys promote` makes it current.",
    )
    keep_candidates: Positive = Field(
        5,
        description="Candidates kept when another is written; older ones are removed unless an experiment that is not "
        "stopped names them, or a server has them open.",
    )
    resume_hours: NonNegativeNumber = Field(
        12.0, description="A run that was killed is gone on with if it began within so many hours; 0: never."
    )
    keep_reports: Positive = Field(100, description="Reports kept of each name; older ones are removed.")


class DriftConfig(Section):
    """How far what people do now has moved from what the bundle in use was trained on."""

    days: PositiveNumber = Field(
        28.0, description="Longest time since the bundle's last interaction that is looked at, up to now."
    )
    least_interactions: Positive = Field(
        500, description="With fewer interactions since then, or before, nothing is said of them: chance moves them."
    )
    scored_lists: NonNegative = Field(
        500, description="Served lists, and lists of the bundle's own users, whose scores are compared; 0: none are."
    )
    psi_watch: NonNegativeNumber = Field(
        0.1, description="Population stability index from which on a distribution is to be watched."
    )
    psi_alert: NonNegativeNumber = Field(0.25, description="And from which on it is an alert.")
    new_users_watch: Share = Field(
        0.15, description="By how much the share of users that the bundle does not know may lie above that of before."
    )
    new_users_alert: Share = Field(0.3, description="And from which on that is an alert.")
    unknown_items_watch: Share = Field(
        0.05, description="Share of the interactions with items that the bundle does not know, to be watched."
    )
    unknown_items_alert: Share = Field(0.15, description="And from which on that is an alert.")
    top_items_watch: Share = Field(
        0.15, description="By how much less the 100 most popular items are those of before than they were then."
    )
    top_items_alert: Share = Field(0.3, description="And from which on that is an alert.")
    volume_watch: Times = Field(2.0, description="How many times more or fewer interactions a day are to be watched.")
    volume_alert: Times = Field(5.0, description="And from which on that is an alert.")
    refuse: Literal["never", "alert"] = Field(
        "never", description="alert: an alert keeps a new bundle from being published."
    )
