"""Features of the other sources' scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from recsys.core.types import Float32Array
from recsys.pipeline.features.group import FeatureGroupOfParts, FeatureInput, FeatureParts
from recsys.pipeline.kernels import write_scores


@dataclass(frozen=True)
class SourceScoreFeatures(FeatureGroupOfParts):
    """Four features of each source.

    log(1 + score); share of the query's best score, from -1 to 1, 0 where none is positive; 1 / log2(1 + rank) among
    the positive scores; the share of the best score if the history were its last item alone.

    Attributes:
        sources: their names; they stand side by side in the candidates' scores.
    """

    sources: tuple[str, ...]

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """A heading for each source."""
        parts = "score", "share", "rank", "last_item"
        return {source: tuple(f"{source}_{part}" for part in parts) for source in self.sources}

    @classmethod
    def of(cls, parts: FeatureParts) -> Self:
        """Of the scorers."""
        return cls(parts.scorers)

    def write(self, given: FeatureInput, features: Float32Array, first: int) -> None:
        """Write four features of one source after the other."""
        if self.sources:
            scores = given.candidates.of_several(self.sources)
            write_scores(given.candidates.items, scores, given.last_scores, features, first)
