"""How much is known of the user: the ranker trusts habits and sources more where that is much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from recsys.core.types import Float32Array
from recsys.pipeline.features.group import FeatureGroupOfParts, FeatureInput, FeatureParts


@dataclass(frozen=True)
class HistoryFeatures(FeatureGroupOfParts):
    """log(1 + length of the history), the same for all candidates of a query."""

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """The one."""
        return {"history": ("log_history_length",)}

    @classmethod
    def of(cls, parts: FeatureParts) -> Self:  # noqa: ARG003
        """It takes nothing but the query."""
        return cls()

    def write(self, given: FeatureInput, features: Float32Array, first: int) -> None:
        """Write the one."""
        indptr = given.histories.indptr
        lengths = np.log1p(indptr[1:] - indptr[:-1]).astype(np.float32)
        np.copyto(features[..., first], lengths[:, None], where=given.listed)
