"""What the item tower knows of every item, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ItemFeatures:
    """Attributes of N items; row n describes item row n.

    Attributes:
        text: float32 [N, E], text embeddings.
        brand: int32 [N], brand rows; 0 is unknown.
        categories: int32 [N, C], category rows; 0 is unknown or padding.
        price: float32 [N, 2], standardised log price (0 where unknown) and 1 where it is known.
        n_brands: number of brand rows, unknown included.
        n_categories: number of category rows, unknown included.
    """

    text: NDArray[np.float32]
    brand: NDArray[np.int32]
    categories: NDArray[np.int32]
    price: NDArray[np.float32]
    n_brands: int
    n_categories: int

    def __len__(self) -> int:
        return len(self.brand)
