"""How a list is asked for, so that the very same can be asked for with other histories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from recsys.core.queries import Queries
from recsys.pipeline.allow import ExcludeSeen, Restriction
from recsys.pipeline.policy import Policy
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.trace import Trace
from recsys.sources.base import Source
from recsys.sources.lending import Loans


@dataclass(frozen=True)
class Question:
    """All of a request for lists but the queries.

    Attributes:
        recommender: makes the lists.
        k: their length.
        only: the one source whose lists they are; None: they are the full pipeline's.
        exclude_seen: see `Recommender.recommend`.
        restrictions: likewise, by names under which an explanation tells of them.
        policy: likewise.
    """

    recommender: Recommender
    k: int
    only: Source | None = None
    exclude_seen: ExcludeSeen = True
    restrictions: Mapping[str, Restriction] = field(default_factory=dict)
    policy: Policy | None = None

    def trace(self, queries: Queries) -> Trace:
        """Ask for the lists of the queries."""
        return self.recommender.trace(
            queries,
            self.k,
            by=self.only,
            exclude_seen=self.exclude_seen,
            restrictions=tuple(self.restrictions.values()),
            policy=self.policy,
        )

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """By name, those whose scores decide: all that the ranker knows, else the one that makes the list."""
        ranker = self.recommender.ranker
        if self.only is not None or ranker is None:
            source = self.only or self.recommender.primary
            return {source.name: source}
        return {source.name: source for source in ranker.scorer.sources}

    @cached_property
    def weights(self) -> Mapping[str, float]:
        """Of the sources in the source sum; 1 for a source that decides alone."""
        ranker = self.recommender.ranker
        if self.only is not None or ranker is None:
            return dict.fromkeys(self.sources, 1.0)
        return {name: float(ranker.scorer.weights.get(name, 0)) for name in self.sources}

    @property
    def loans(self) -> Loans | None:
        """What the sources' scores borrow; None: nothing."""
        ranker = self.recommender.ranker
        return None if self.only is not None or ranker is None else ranker.scorer.loans
