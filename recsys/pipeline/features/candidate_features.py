"""All features of a candidate as one row of numbers. Training, evaluation and server call the same functions.

Everything is computed from the query's history and from what was fitted before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Self

import numpy as np

from recsys.core.types import Float32Array
from recsys.pipeline.features.group import CatalogueData, ChangedItems, FeatureGroup, FeatureInput, FeatureParts
from recsys.pipeline.features.registry import GROUPS


@dataclass(frozen=True)
class CandidateFeatures:
    """The features of all groups, side by side in the groups' order.

    Attributes:
        groups: by their name in `GROUPS`.

    Raises:
        ValueError: two features have one name, or two groups one heading, as where a source bears a heading's name.
    """

    groups: dict[str, FeatureGroup]

    def __post_init__(self) -> None:
        headings = [heading for group in self.groups.values() for heading in group.names]
        for what, names in (("headings", headings), ("features", self.names)):
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{what} of different names, got {', '.join(twice)} more than once")

    @classmethod
    def fit(cls, data: CatalogueData, parts: FeatureParts) -> Self:
        """Fit every group."""
        return cls({name: group.fit(data, parts) for name, group in GROUPS.items()})

    def save(self, folder: Path) -> None:
        """Write each group into a subfolder of its name; `folder` exists."""
        for name, group in self.groups.items():
            (folder / name).mkdir()
            group.save(folder / name)

    @classmethod
    def load(cls, folder: Path, parts: FeatureParts) -> Self:
        """Read what `save` wrote."""
        return cls({name: group.load(folder / name, parts) for name, group in GROUPS.items()})

    def changed(self, items: ChangedItems, parts: FeatureParts) -> Self:
        """The features in a changed catalogue, see `FeatureGroup.changed`."""
        return type(self)({name: group.changed(items, parts) for name, group in self.groups.items()})

    @cached_property
    def headings(self) -> dict[str, tuple[str, ...]]:
        """Names of the features by the heading under which reports show them, in the order of the columns."""
        return {heading: names for group in self.groups.values() for heading, names in group.names.items()}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the F features."""
        return tuple(name for group in self.groups.values() for names in group.names.values() for name in names)

    @cached_property
    def _first_columns(self) -> Sequence[int]:
        """Of each group."""
        return list(accumulate((sum(map(len, group.names.values())) for group in self.groups.values()), initial=0))

    def column(self, name: str) -> int:
        """Of the feature of that name; ValueError if there is none."""
        return self.names.index(name)

    def compute(self, given: FeatureInput) -> Float32Array:
        """Features float32 [B, C, F], finite; 0 beside `NO_ITEM`. Some compare a candidate with its query's others."""
        features = np.zeros((*given.candidates.items.shape, len(self.names)), np.float32)
        for group, first in zip(self.groups.values(), self._first_columns, strict=False):
            group.write(given, features, first)
        return features
