"""What the sources say of candidates, and the weighted sum of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recsys.core.queries import Queries
from recsys.core.types import Float32Array, Int32Array
from recsys.pipeline.features import FeatureInput
from recsys.pipeline.finalists import ScoredCandidates
from recsys.pipeline.kernels import write_sum
from recsys.sources.base import Source
from recsys.sources.lending import Loans
from recsys.sources.readings import Panel, Readings


@dataclass(frozen=True)
class CandidateScorer:
    """Scores candidates by all sources, and sums the scores.

    sum(j) = sum over sources of weight * (the source's own score of j)

    The sum puts the candidates of one query in order: it decides who the finalists are, is a feature of the ranker, and
    is added to the ranker's own score. It is not the score that the source `recsys.sources.hybrid.Hybrid` gives with
    the same weights. That one ranks the whole catalogue, where a source scores all items or a few, so it counts how far
    a score lies above the source's 1000th highest of the query, and nothing below it. Here every candidate has a score
    of every source, 0 where that has no opinion: a floor would shift all candidates of a query alike where they lie
    above it, and would make equal those that lie below it, between which the sum has to decide.

    What an item borrows that nobody has chosen yet (`recsys.sources.lending.Loans`) counts in the features, from which
    the ranker learns what it is worth, and not in the sum: there such an item would stand where its lenders do.

    The weights are the hybrid's: they were tuned on validation for its formula, not for this one.

    Attributes:
        primary: the source whose scores come first.
        scorers: sources by name that score the candidates beside it, and whose scores are features.
        loans: what items without interactions borrow from others.
        weights: of the sum, by name of the source; a source without one weighs 0.
        members: sources with a weight that are neither the primary one nor among `scorers`.
    """

    primary: Source
    scorers: Mapping[str, Source]
    loans: Loans
    weights: Mapping[str, float] = field(default_factory=dict)
    members: Mapping[str, Source] = field(default_factory=dict)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """All S whose scores are computed: the primary one, the scorers, the other members of the sum."""
        return (self.primary, *self.scorers.values(), *self.members.values())

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the sources."""
        return (self.primary.name, *self.scorers, *self.members)

    @cached_property
    def _weights(self) -> Float32Array:
        """float32 [S], of the sources."""
        return np.array([self.weights.get(name, 0) for name in self.names], np.float32)

    def read(self, queries: Queries) -> Readings:
        """Get ready to ask the sources about the queries."""
        return self._panel.read(queries)

    @cached_property
    def _panel(self) -> Panel:
        return Panel(self.sources)

    def score(self, readings: Readings, items: Int32Array) -> ScoredCandidates:
        """What the sources say of candidates.

        Args:
            readings: of B queries by the `sources`, perhaps among others.
            items: int32 [B, C], candidates, padded with `NO_ITEM`.
        """
        own, scores = readings.own_and_lent(self.names, items, self.loans)
        return ScoredCandidates(self.names, items, scores, self.sums(own), None if own is scores else own)

    def sums(self, scores: Float32Array) -> Float32Array:
        """Weighted sums float32 [B, C] of the sources' own scores float32 [S, B, C]."""
        sums = np.empty(scores.shape[1:], np.float32)
        write_sum(scores, self._weights, sums)
        return sums

    def feature_input(self, readings: Readings, candidates: ScoredCandidates) -> FeatureInput:
        """What features of the candidates are computed from."""
        last = readings.scores(tuple(self.scorers), candidates.items, self.loans, last=True)
        return FeatureInput(readings.queries.histories, readings.user_vectors, candidates, last)
