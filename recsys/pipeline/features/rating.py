"""The rating that the user would give the item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from recsys.core.types import Float32Array
from recsys.pipeline.features.group import FeatureGroupOfParts, FeatureInput, FeatureParts
from recsys.pipeline.kernels import write_deviations
from recsys.pipeline.ratings.predictor import RatingPredictor

PREDICTED_RATING = "predicted_rating"


@dataclass(frozen=True)
class RatingFeatures(FeatureGroupOfParts):
    """The predicted rating less the mean rating; no feature where no ratings are predicted."""

    predictor: RatingPredictor | None

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """The one, or none."""
        return {} if self.predictor is None else {"rating": (PREDICTED_RATING,)}

    @classmethod
    def of(cls, parts: FeatureParts) -> Self:
        """Of the pipeline's predictor."""
        return cls(parts.predictor)

    def write(self, given: FeatureInput, features: Float32Array, first: int) -> None:
        """Write the one."""
        if self.predictor is not None:
            ratings = self.predictor.estimate(given.vectors, given.histories, given.candidates.items)
            write_deviations(ratings, self.predictor.statistics.global_mean, features, first)
