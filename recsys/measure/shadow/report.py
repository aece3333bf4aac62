"""What a replay of served lists found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

State = Literal["compared", "off", "no store", "store unavailable", "no lists"]


@dataclass(frozen=True)
class RankOverlap:
    """Of the lists of at least `depth` items: the share of their first `depth` that both bundles name."""

    depth: int
    lists: int
    mean: float
    p5: float


@dataclass(frozen=True)
class Overlap:
    """How alike the lists of both bundles are.

    Attributes:
        mean, p5: share of a whole list that both name: mean over lists, and what 5% of them do not reach.
        jaccard: mean of the items of both among those of either.
        rank_biased: mean rank-biased overlap, persistence .9.
        unchanged: share of lists of the same items in the same order.
        by_rank: of the first items.
    """

    mean: float
    p5: float
    jaccard: float
    rank_biased: float
    unchanged: float
    by_rank: tuple[RankOverlap, ...]


@dataclass(frozen=True)
class Latency:
    """Milliseconds that making a list took, alone and without reading the store."""

    p50: float
    p95: float


@dataclass(frozen=True)
class Side:
    """What one bundle did.

    Attributes:
        version: of the bundle.
        made: lists that it made.
        filled: share of these that popular items fill, or are all of.
        short: share of these with fewer items than were served.
        latency: of these; None: it made none.
        items: distinct items in them.
        failures: lists that it could not make, by what happened.
    """

    version: str
    made: int
    filled: float
    short: float
    latency: Latency | None
    items: int
    failures: Mapping[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """Lists that it could not make."""
        return sum(self.failures.values())


@dataclass(frozen=True)
class ShadowReport:
    """What came of replaying a served log.

    Attributes:
        state: whether lists were compared, or why not.
        says: the same in a sentence.
        since, until: of the log that was read, in seconds since 1970.
        logged: lists in it.
        skipped: how many of these, or of the sample, were not replayed, by cause.
        replayed: lists that both bundles were asked for.
        seconds: that it took.
        old, new: the bundle in use, and the new one.
        overlap: of the lists that both made; None: there are none.
        as_served: mean share of the served items that the old bundle names again, of its own lists; None: none of them
            are of this version. Far below 1 it says that requests had filters or contexts, which the log does not keep.
        entered: distinct items of the new bundle's lists that are in none of the old one's.
        left: the other way round.
        gone: of those that left, how many the new bundle does not hold.
        refusals: why the new bundle should not be published, in sentences; empty: nothing speaks against it.
    """

    state: State
    says: str
    since: float
    until: float
    logged: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    replayed: int = 0
    seconds: float = 0.0
    old: Side | None = None
    new: Side | None = None
    overlap: Overlap | None = None
    as_served: float | None = None
    entered: int = 0
    left: int = 0
    gone: int = 0
    refusals: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain dictionaries, lists and numbers."""
        return asdict(self)
