"""Features of the primary source, the two-tower: its score, and how that compares with the query's other candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from recsys.core.types import Float32Array
from recsys.pipeline.features.group import FeatureGroupOfParts, FeatureInput, FeatureParts
from recsys.pipeline.kernels import write_primary


@dataclass(frozen=True)
class PrimaryFeatures(FeatureGroupOfParts):
    """Score, how far it lies below the best candidate's, and 1 / log2(1 + rank)."""

    source: str

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """One heading, the source."""
        return {self.source: tuple(f"{self.source}_{part}" for part in ("score", "gap", "rank"))}

    @classmethod
    def of(cls, parts: FeatureParts) -> Self:
        """Of the primary source."""
        return cls(parts.primary)

    def write(self, given: FeatureInput, features: Float32Array, first: int) -> None:
        """Write the three."""
        write_primary(given.candidates.items, given.candidates.of(self.source), features, first)
