"""Features of an item's categories against what the user chose before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from recsys.core.stored_arrays import read_array
from recsys.core.types import Float32Array, Int32Array
from recsys.pipeline.features.attribute_kernels import write_category
from recsys.pipeline.features.group import CatalogueData, ChangedItems, FeatureGroup, FeatureInput, FeatureParts
from recsys.pipeline.features.names import HABIT_DECAY, NO_NAME, Numbers, count_names, name_rows, require_name_rows


@dataclass(frozen=True)
class CategoryFeatures(FeatureGroup):
    """Mean share of the item's categories in the user's habit; share of them that the last item has.

    Attributes:
        categories: int32 [N, C], rows of the categories, padded with `NO_NAME`.
    """

    categories: Int32Array

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """Of both."""
        return {"category": ("category_share", "category_of_last_item")}

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.categories)

    @classmethod
    def fit(cls, data: CatalogueData, parts: FeatureParts) -> Self:  # noqa: ARG003
        """Number the categories."""
        return cls(name_rows([list(names) if names is not None else [] for names in data.categories]))

    @cached_property
    def _n_categories(self) -> int:
        return count_names(self.categories)

    def changed(self, items: ChangedItems, parts: FeatureParts) -> Self:  # noqa: ARG002
        """Other categories, those that none of the items had with further numbers."""
        if not items.categories:
            return self
        known = {name: int(self.categories[place]) for name, place in items.category_places.items()}
        number = Numbers(self._n_categories, known)
        rows = [[number.of(name) for name in dict.fromkeys(names)] for names in items.categories.values()]
        shape = len(self.categories) + len(items.new), max(self.categories.shape[1], *map(len, rows))
        categories = np.full(shape, NO_NAME, np.int32)
        categories[: len(self.categories), : self.categories.shape[1]] = self.categories
        for item, numbers in zip(items.categories, rows, strict=True):
            categories[item] = NO_NAME
            categories[item, : len(numbers)] = numbers
        return type(self)(categories)

    def save(self, folder: Path) -> None:
        """Write the array."""
        np.save(folder / "categories.npy", self.categories)

    @classmethod
    def load(cls, folder: Path, parts: FeatureParts) -> Self:  # noqa: ARG003
        """Read what `save` wrote."""
        path = folder / "categories.npy"
        categories = read_array(path, np.int32, None, None)
        require_name_rows(categories, path)
        return cls(categories)

    def write(self, given: FeatureInput, features: Float32Array, first: int) -> None:
        """Write both, 0 where the item has no category."""
        past, shares = given.histories, np.zeros(self._n_categories)
        items = given.candidates.items
        write_category(past.indptr, past.items, HABIT_DECAY, items, self.categories, shares, features, first)
