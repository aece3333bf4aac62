"""Length of the history: the ranker trusts habits and sources more where it is long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from recsys.core.types import Float32Array
from recsys.pipeline.features.attribute_kernels import write_history_length
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
        write_history_length(given.histories.indptr, given.candidates.items, features, first)
