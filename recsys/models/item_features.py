"""What the item tower reads of every item, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

from recsys.core.types import Float32Array, Int32Array


@dataclass(frozen=True)
class ItemFeatures:
    """Attributes of N items; row n describes item row n.

    Attributes:
        text: float32 [N, E], text embeddings.
        brand: int32 [N], brand rows; 0 is unknown.
        categories: int32 [N, C], category rows; 0 is unknown or padding.
        price: float32 [N, 2], standardised log price (0 where there is none) and 1 where there is one.
        n_brands: number of brand rows, unknown included.
        n_categories: number of category rows, unknown included.
    """

    text: Float32Array
    brand: Int32Array
    categories: Int32Array
    price: Float32Array
    n_brands: int
    n_categories: int

    def __len__(self) -> int:
        return len(self.brand)
