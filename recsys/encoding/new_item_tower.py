"""The item tower for items without a row of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.core.arrays import half
from recsys.core.queries import NO_ITEM
from recsys.core.tower_io import ITEM_TOWER, OUT_OF_VOCABULARY
from recsys.core.types import Float32Array
from recsys.encoding.entry import CatalogueEntry
from recsys.encoding.price_scale import PriceScale
from recsys.encoding.vocabulary import ItemVocabulary
from recsys.sources.new_items import NewItems
from recsys.sources.onnx_session import OnnxModel
from recsys.sources.text_lenders import TextLenders


class NewItemTower:
    """Gives items the vectors that a training run exports for items without interactions.

    They are the item tower's, in which the learned part is that of the items of most similar text, see
    `recsys.models.item_tower.ItemTower.lend_to_untrained`.

    Args:
        model: the item tower.
        vocabulary, prices: what makes its inputs.
        lenders: with directions of E numbers.
        embeddings: [N, D], vectors of the items that lend.
        learned_dim: how many of the D numbers are learned.
    """

    def __init__(
        self,
        model: OnnxModel,
        vocabulary: ItemVocabulary,
        prices: PriceScale,
        lenders: TextLenders,
        embeddings: NDArray[np.floating],
        learned_dim: int,
    ) -> None:
        self._model, self._vocabulary, self._prices = model, vocabulary, prices
        self._lenders, self._embeddings, self._learned_dim = lenders, embeddings, learned_dim

    def new_items(self, entries: Sequence[CatalogueEntry], text: Float32Array) -> NewItems:
        """Vectors and lenders of M items; those without a text keep the learned part that the tower gives them.

        Args:
            entries: of the items.
            text: float32 [M, E], vectors of their texts, zero where there is none.
        """
        if not entries:
            return NewItems.none(self._embeddings.shape[1])
        vectors = self._towers_vectors(entries, text)
        described = np.asarray(text.any(axis=1))
        nearest, shares = self._lenders.nearest(text[described])
        if nearest.shape[1] and len(nearest):
            learned = self._embeddings[nearest][..., : self._learned_dim].astype(np.float32)
            vectors[described, : self._learned_dim] = _lent(learned, shares)
        lenders = np.full((len(entries), nearest.shape[1]), NO_ITEM, np.int32)
        weights = np.zeros(lenders.shape, np.float32)
        lenders[described], weights[described] = nearest, shares
        return NewItems(half(vectors), lenders, weights)

    def _towers_vectors(self, entries: Sequence[CatalogueEntry], text: Float32Array) -> Float32Array:
        # As a prepared dataset has prices: in single precision.
        prices = np.array([np.nan if entry.price is None else entry.price for entry in entries], np.float32)
        inputs = ITEM_TOWER.named(
            text,
            self._vocabulary.brand_rows([entry.brand for entry in entries]),
            self._vocabulary.category_rows([entry.categories for entry in entries]),
            self._prices.apply(prices.astype(np.float64)),
            np.full(len(entries), OUT_OF_VOCABULARY, np.int32),
        )
        vectors = self._model(**inputs)
        self._model.require_output(vectors, (len(entries), self._embeddings.shape[1]))
        return vectors


def _lent(learned: Float32Array, weights: Float32Array) -> Float32Array:
    """The weighted mean of the lenders' learned parts [M, L, d], at their mean length: [M, d]."""
    mean = np.einsum("un,und->ud", weights, learned)
    length = np.einsum("un,un->u", weights, np.linalg.norm(learned, axis=-1))
    lent: Float32Array = mean * (length / np.sqrt(np.maximum(np.square(mean).sum(axis=1), 1e-12)))[:, None]
    return lent
