"""Features of an item's brand against what the user chose before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from recsys.core.stored_arrays import read_array
from recsys.core.types import Float32Array, Int32Array
from recsys.pipeline.features.attribute_kernels import write_brand
from recsys.pipeline.features.group import CatalogueData, ChangedItems, FeatureGroup, FeatureInput, FeatureParts
from recsys.pipeline.features.names import HABIT_DECAY, NO_NAME, Numbers, count_names, name_rows, require_name_rows


@dataclass(frozen=True)
class BrandFeatures(FeatureGroup):
    """Share of the user's habit that has the item's brand; whether the last item has it.

    Attributes:
        brand: int32 [N], row of the brand; `NO_NAME` where unknown.
    """

    brand: Int32Array

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """Of both."""
        return {"brand": ("brand_share", "brand_of_last_item")}

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.brand)

    @classmethod
    def fit(cls, data: CatalogueData, parts: FeatureParts) -> Self:  # noqa: ARG003
        """Number the brands."""
        return cls(name_rows([[brand] if brand else [] for brand in data.brands])[:, 0])

    @cached_property
    def _n_brands(self) -> int:
        return count_names(self.brand)

    def changed(self, items: ChangedItems, parts: FeatureParts) -> Self:  # noqa: ARG002
        """Other brands, those that none of the items had with further numbers."""
        if not items.brands:
            return self
        number = Numbers(self._n_brands, {name: int(self.brand[row]) for name, row in items.brand_rows.items()})
        brand = np.concatenate([self.brand, np.full(len(items.new), NO_NAME, np.int32)])
        brand[list(items.brands)] = [number.of(name) if name else NO_NAME for name in items.brands.values()]
        return type(self)(brand)

    def save(self, folder: Path) -> None:
        """Write the array."""
        np.save(folder / "brand.npy", self.brand)

    @classmethod
    def load(cls, folder: Path, parts: FeatureParts) -> Self:  # noqa: ARG003
        """Read what `save` wrote."""
        path = folder / "brand.npy"
        brand = read_array(path, np.int32, None)
        require_name_rows(brand, path)
        return cls(brand)

    def write(self, given: FeatureInput, features: Float32Array, first: int) -> None:
        """Write both, 0 where the brand is unknown."""
        past, shares = given.histories, np.zeros(self._n_brands)
        items = given.candidates.items
        write_brand(past.indptr, past.items, HABIT_DECAY, items, self.brand, shares, features, first)
