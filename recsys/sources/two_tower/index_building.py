"""Building ScaNN's searcher within bounded memory, whatever the size of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from recsys.core.types import Float16Array
from recsys.sources.two_tower.index_parameters import IndexParameters
from recsys.sources.two_tower.scann_loader import scann_pybind

BUILT_AT_ONCE = 500_000
"""Items of the largest catalogue that is given whole to ScaNN, which makes about four copies in single precision."""

_TREE_TRAINING_ITEMS = 100_000
_ADDED_AT_ONCE = 50_000


def build_searcher(
    embeddings: Float16Array, parameters: IndexParameters, indexed: Callable[[int], object] = lambda _: None
) -> Any:
    """ScaNN's searcher of the items; the same embeddings give the same one.

    Of a catalogue of more than `BUILT_AT_ONCE` items, partitions and codes are trained on the first
    `_TREE_TRAINING_ITEMS`, and all others are added in blocks. Row numbers mean nothing, so the first are a sample like
    any other. Added items are found as well as those that the codes were trained on (`docs/performance.md`).

    Args:
        embeddings: float16 [N, D], finite.
        parameters: how they will be searched.
        indexed: told of every block how many items it held.
    """
    n_items = len(embeddings)
    whole = parameters.exact or n_items <= BUILT_AT_ONCE
    first = n_items if whole else _TREE_TRAINING_ITEMS
    searcher = _builder(embeddings[:first], parameters).build()
    indexed(first)
    for start in range(first, n_items, _ADDED_AT_ONCE):
        block = np.ascontiguousarray(embeddings[start : start + _ADDED_AT_ONCE], np.float32)
        # The binding itself: its wrapper adds nothing but names of items, which rows do not need.
        searcher.searcher.upsert([None] * len(block), block, len(block))
        indexed(len(block))
    return searcher


def _builder(embeddings: Float16Array, parameters: IndexParameters) -> Any:
    builder = scann_pybind().builder(np.ascontiguousarray(embeddings, np.float32), 10, "dot_product")
    if parameters.exact:
        return builder.score_brute_force()
    sample = min(len(embeddings), _TREE_TRAINING_ITEMS)
    # k-means++ is the one initialisation of ScaNN that gives the same partitions each time.
    tree = builder.tree(parameters.leaves, parameters.leaves_to_search, training_sample_size=sample, random_init=False)
    return tree.score_ah(2, anisotropic_quantization_threshold=0.2, training_sample_size=sample)
