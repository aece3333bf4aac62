"""Fit neighbour lists from item texts alone, which new items have too (needs SciPy and scikit-learn)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from recsys.core.queries import NO_ITEM
from recsys.core.types import Float32Array
from recsys.sources.content.settings import EXACT_ITEMS, ContentSettings
from recsys.sources.content.text_neighbours import most_alike
from recsys.sources.fitting import Fit, FitData
from recsys.sources.item_to_item.neighbours_fit import product_lists
from recsys.sources.item_to_item.source import ItemToItem

# A term in more texts than this says too little of what an item is. On Beauty and CDs leaving such terms out raised
# NDCG@10 by 4 to 14% on validation and made the product of all texts with all ten times as fast. In a small catalogue
# every term counts; in a large one the product would take hours.
_COMMON_SHARE, _COMMON_LEAST, _COMMON_MOST = 0.02, 50, 5000
# Vectors this short next to the mean length before centring are rounding errors, as when all texts are the same.
_LEAST_LENGTH = 1e-5


def fit_tfidf(texts: Sequence[str], *, k: int = 100, decay: float = 1.0) -> ItemToItem:
    """Neighbours by the cosine of TF-IDF vectors of words and word pairs, with 1 + log(count) as term frequency.

    Salton & Buckley, "Term-weighting approaches in automatic text retrieval" (1988). An item is not its own neighbour;
    one without text, or without a term that another has, has none and is nobody's.

    Args:
        texts: of all N items, "" where there is none.
        k: length of the lists.
        decay: recency decay of the source.
    """
    matrix = _tfidf(texts)
    lists = product_lists(matrix, k, itself=False)
    return ItemToItem("content_tfidf", *lists, decay, similar_by="content")


def _tfidf(texts: Sequence[str]) -> sparse.csr_array:
    """float32 [N, terms], rows of length 1, or 0 where no term is left."""
    none = sparse.csr_array((len(texts), 0), dtype=np.float32)
    try:
        counts = CountVectorizer(ngram_range=(1, 2), dtype=np.float32).fit_transform(texts)
    except ValueError:  # not one word in all texts
        return none
    found_in = np.bincount(counts.indices, minlength=counts.shape[1])
    most = np.clip(_COMMON_SHARE * len(texts), _COMMON_LEAST, _COMMON_MOST)
    terms = np.flatnonzero((found_in >= 2) & (found_in <= most))
    if not len(terms):
        return none
    return sparse.csr_array(TfidfTransformer(sublinear_tf=True).fit_transform(counts[:, terms]))


def fit_text_vectors(
    vectors: NDArray[np.floating],
    *,
    k: int = 100,
    decay: float = 1.0,
    exact_items: int = EXACT_ITEMS,
    seed: int = 0,
) -> ItemToItem:
    """Neighbours by the cosine of centred text vectors.

    Vectors of a text encoder all point into one narrow cone; less their mean they tell items apart (Mu & Viswanath,
    "All-but-the-top", ICLR 2018). An item is not its own neighbour; one with a zero vector has none and is nobody's.

    Args:
        vectors: [N, D], zero where there is no text.
        k: length of the lists.
        decay: recency decay of the source.
        exact_items: of the largest catalogue in which all are compared with all; beyond, see `most_alike`.
        seed: of the sample on which the recall of approximate lists is measured.
    """
    best, measured = most_alike(_centred_units(vectors), k, exact_items, seed)
    alike = best.scores > 0
    lists = np.where(alike, best.items, NO_ITEM), np.where(alike, best.scores, 0)
    return ItemToItem("content_encoder", *lists, decay, similar_by="content", measured=measured)


def _centred_units(vectors: NDArray[np.floating]) -> Float32Array:
    """float32 [N, D]: less the mean of those that are not zero, scaled to length 1; zero rows stay."""
    units = np.zeros(vectors.shape, np.float32)
    rows = np.flatnonzero(vectors.any(axis=1))
    if not len(rows):
        return units
    centred = vectors[rows].astype(np.float32)
    usual = np.linalg.norm(centred, axis=1).mean()
    centred -= centred.mean(axis=0, dtype=np.float64).astype(np.float32)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    units[rows] = np.where(lengths > _LEAST_LENGTH * usual, centred / np.maximum(lengths, 1e-30), 0)
    return units


def _tfidf_source(data: FitData, _: ContentSettings, **chosen: Any) -> ItemToItem:
    return fit_tfidf(data.texts, **chosen)


def _encoder_source(data: FitData, settings: ContentSettings, **chosen: Any) -> ItemToItem:
    if data.text_vectors is None:
        raise ValueError("content_encoder needs text vectors")
    exact_items = settings.content_exact_items
    return fit_text_vectors(data.text_vectors, exact_items=exact_items, seed=data.seed, **chosen)


def _without_texts(data: FitData, _: ContentSettings) -> str | None:
    return None if any(data.texts) else "no item has a text"


def _without_vectors(data: FitData, _: ContentSettings) -> str | None:
    return None if data.text_vectors is not None and data.text_vectors.any() else "no item has a text vector"


TFIDF, ENCODER = Fit(_tfidf_source, _without_texts), Fit(_encoder_source, _without_vectors)
