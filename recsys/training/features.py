"""What the model needs of a prepared dataset, as arrays: item attributes and a start for the item ids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import svds

from recsys.dataset import columns as c
from recsys.dataset.histories import Histories
from recsys.dataset.vocabulary import ItemVocabulary
from recsys.models import ItemFeatures

ID_SCALE = 0.02  # standard deviation of randomly initialised item ids; an SVD starts as small


@dataclass(frozen=True)
class PriceScale:
    """Mean and standard deviation of log(1 + price) over the items with a price."""

    mean: float
    std: float

    @classmethod
    def fit(cls, prices: NDArray[np.floating]) -> PriceScale:
        """Fit to prices [N], NaN where unknown."""
        logs = np.log1p(prices[np.isfinite(prices)].astype(np.float64))
        if not len(logs):
            return cls(0.0, 1.0)
        return cls(float(logs.mean()), float(logs.std()) or 1.0)

    def apply(self, prices: NDArray[np.floating]) -> NDArray[np.float32]:
        """float32 [N, 2]: standardised log price (0 where unknown), and 1 where it is known."""
        known = np.isfinite(prices)
        scaled = (np.log1p(np.where(known, prices, 0.0)) - self.mean) / self.std
        return np.stack([np.where(known, scaled, 0.0), known], axis=1).astype(np.float32)


def item_features(
    items: pd.DataFrame, text: NDArray[np.float32], vocabulary: ItemVocabulary, scale: PriceScale
) -> ItemFeatures:
    """Attributes of the items of a prepared dataset.

    Args:
        items: `PreparedDataset.items`, N rows.
        text: float32 [N, E], embeddings of the items' texts.
        vocabulary: brand and category rows.
        scale: of prices.
    """
    return ItemFeatures(
        text=text,
        brand=vocabulary.brand_rows(items),
        categories=vocabulary.category_rows(items),
        price=scale.apply(items[c.PRICE].to_numpy(np.float64, na_value=np.nan)),
        n_brands=vocabulary.n_brands,
        n_categories=vocabulary.n_categories,
    )


def svd_item_vectors(histories: Histories, n_items: int, dim: int, seed: int) -> NDArray[np.float32]:
    """Item vectors from a truncated SVD of the user-item matrix: items bought by the same users start close.

    Entries are TF-IDF weighted (Salton and Buckley, 1988) so that neither heavy users nor popular
    items rule the leading directions; singular values enter by their square root.

    Returns:
        float32 [n_items, dim], of standard deviation `ID_SCALE` over the items that occur; an item
        that does not, and dimensions beyond the matrix's rank, are zero.
    """
    counts = np.bincount(histories.items, minlength=n_items)
    idf = np.log(len(histories) / np.maximum(counts, 1))
    weights = idf[histories.items]
    matrix = sp.csr_array((weights, histories.items, histories.indptr), shape=(len(histories), n_items))
    norms = np.sqrt(matrix.multiply(matrix).sum(axis=1))
    matrix = sp.diags_array(1.0 / np.maximum(norms, 1e-12)) @ matrix
    rank = min(dim, *(size - 1 for size in matrix.shape))
    vectors = np.zeros((n_items, dim), np.float32)
    if rank < 1:
        return vectors
    start = np.random.default_rng(seed).standard_normal(min(matrix.shape))
    _, values, right = svds(matrix, k=rank, v0=start)
    vectors[:, :rank] = (right * np.sqrt(values)[:, None]).T
    spread = vectors[counts > 0].std()
    return vectors * np.float32(ID_SCALE / spread) if spread > 0 else vectors
