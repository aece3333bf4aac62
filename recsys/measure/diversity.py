"""Intra-list diversity: how different the items of one list are, by their catalogue entries and no model."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recsys.core.types import Float64Array, Int32Array
from recsys.prepare import columns as c


class Diversity:
    r"""Intra-list diversity: the mean over pairs of items in a list of 1 - their similarity.

    Smyth & McClave, 2001, "Similarity vs. Diversity"; Ziegler et al., 2005, "Improving Recommendation
    Lists Through Topic Diversification". The similarity is Jaccard's of the sets of categories and brand:
    |A \cap B| / |A \cup B|. Similarities of the model's own vectors would let the model judge itself.

    Attributes:
        described_share: share of the catalogue that has a category or a brand; pairs with another item are left out.
    """

    def __init__(self, items: pd.DataFrame) -> None:
        """Read columns brand and categories of `items`, one row an item."""
        attributes = [
            sorted({("category", name) for name in (() if categories is None else categories)} | _brand(brand))
            for categories, brand in zip(items[c.CATEGORIES], items[c.BRAND], strict=True)
        ]
        codes = {attribute: code for code, attribute in enumerate(dict.fromkeys(a for own in attributes for a in own))}
        self._sizes = np.array([len(own) for own in attributes], np.int32)
        self._codes = np.full((int(self._sizes.max(initial=0)), len(attributes)), -1, np.int32)
        for row, own in enumerate(attributes):
            self._codes[: len(own), row] = [codes[attribute] for attribute in own]
        self.described_share = float((self._sizes > 0).mean()) if attributes else 0.0

    def of(self, ranked: NDArray[np.integer]) -> Float64Array:
        """Diversity float64 [B] of ranked lists [B, K] padded with `NO_ITEM`; NaN without a pair to compare."""
        first, second = np.triu_indices(ranked.shape[1], 1)
        left, right = ranked[:, first], ranked[:, second]
        # Row -1 is that of padding, as of any item without attributes.
        sizes = np.append(self._sizes, 0)
        comparable = (left >= 0) & (right >= 0) & (sizes[left] > 0) & (sizes[right] > 0)
        rows, pairs = np.nonzero(comparable)
        a, b = left[rows, pairs], right[rows, pairs]
        common = self._common(a, b)
        distances = 1 - common / (self._sizes[a] + self._sizes[b] - common)
        counts = comparable.sum(axis=1)
        sums = np.bincount(rows, distances, len(ranked))
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)

    def _common(self, a: NDArray[np.integer], b: NDArray[np.integer]) -> Int32Array:
        """Attributes that the items `a` [P] and `b` [P] share."""
        left, right = self._codes[:, a], self._codes[:, b]
        right[right < 0] = -2  # nothing in common with the padding of others
        common = np.zeros(len(a), np.int32)
        for own in left:
            for other in right:
                common += own == other
        return common


def _brand(brand: str | None) -> set[tuple[str, str]]:
    return {("brand", brand)} if isinstance(brand, str) and brand else set()
