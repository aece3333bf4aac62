"""Features of how often an item is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.core.histories import Histories
from recsys.core.stored_arrays import read_array
from recsys.core.types import Float32Array
from recsys.pipeline.features.attribute_kernels import write_popularity
from recsys.pipeline.features.group import CatalogueData, ChangedItems, FeatureGroup, FeatureInput, FeatureParts

RECENT_SHARE = 0.1  # the last tenth of the interactions is what a trend looks at


@dataclass(frozen=True)
class PopularityFeatures(FeatureGroup):
    """How popular an item is, and whether that grows; items without interactions borrow both.

    Attributes:
        log_count: float32 [N], log(1 + interactions).
        trend: float32 [N], log of the item's share among recent interactions over its share among all, damped.
    """

    log_count: Float32Array
    trend: Float32Array

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """Of both."""
        return {"popularity": ("log_count", "trend")}

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.log_count)

    @classmethod
    def fit(cls, data: CatalogueData, parts: FeatureParts) -> Self:  # noqa: ARG003
        """Count the interactions."""
        counts = np.bincount(data.histories.items, minlength=len(data.prices))
        log_count = np.log1p(counts).astype(np.float32)
        return cls(data.loans.lend(log_count), data.loans.lend(_trend(data.histories, counts)))

    def changed(self, items: ChangedItems, parts: FeatureParts) -> Self:  # noqa: ARG002
        """New items borrow both."""
        new = items.new
        log_count = np.concatenate([self.log_count, new.lent(self.log_count)])
        return type(self)(log_count, np.concatenate([self.trend, new.lent(self.trend)])) if len(new) else self

    def save(self, folder: Path) -> None:
        """Write both arrays."""
        np.save(folder / "log_count.npy", self.log_count)
        np.save(folder / "trend.npy", self.trend)

    @classmethod
    def load(cls, folder: Path, parts: FeatureParts) -> Self:  # noqa: ARG003
        """Read what `save` wrote."""
        log_count = read_array(folder / "log_count.npy", np.float32, None)
        return cls(log_count, read_array(folder / "trend.npy", np.float32, len(log_count)))

    def write(self, given: FeatureInput, features: Float32Array, first: int) -> None:
        """Write both."""
        write_popularity(given.candidates.items, self.log_count, self.trend, features, first)


def _trend(histories: Histories, counts: NDArray[np.integer]) -> Float32Array:
    times = histories.timestamps
    if not len(times):
        return np.zeros(len(counts), np.float32)
    recent = times >= np.quantile(times, 1 - RECENT_SHARE)
    recent_counts = np.bincount(histories.items[recent], minlength=len(counts))
    expected = counts * recent.mean()
    trend: Float32Array = np.log((recent_counts + 1) / (expected + 1)).astype(np.float32)
    return trend
