"""The weighted sum of the sources' scores, which the ranker reads beside all else and is held up by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from recsys.core.queries import NO_ITEM
from recsys.core.types import Float32Array
from recsys.pipeline.features.group import FeatureGroupOfParts, FeatureInput, FeatureParts

SOURCE_SUM = "source_sum"


@dataclass(frozen=True)
class SourceSumFeatures(FeatureGroupOfParts):
    """See `recsys.pipeline.candidate_scorer.CandidateScorer`."""

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """The one."""
        return {SOURCE_SUM: (SOURCE_SUM,)}

    @classmethod
    def of(cls, parts: FeatureParts) -> Self:  # noqa: ARG003
        """It takes nothing but the candidates."""
        return cls()

    def write(self, given: FeatureInput, features: Float32Array, first: int) -> None:
        """Write the one."""
        np.copyto(features[..., first], given.candidates.sums, where=given.candidates.items != NO_ITEM)
