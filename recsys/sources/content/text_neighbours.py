"""The items of most similar text vectors: exactly, or in a large catalogue by an approximate index."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from recsys.core.cores import available_cores
from recsys.core.histories import Histories
from recsys.core.queries import Candidates
from recsys.core.types import Float32Array
from recsys.sources.exact import search
from recsys.sources.two_tower.index import ScannIndex, build_index
from recsys.sources.two_tower.index_parameters import RECALL_AT
from recsys.sources.two_tower.settings import IndexConfig

RECALL, UNUSED_RECALL = f"recall@{RECALL_AT}", f"recall@{RECALL_AT} of an index that was not used"
"""By what names the recall of an index is told."""

TARGET_RECALL, LEAST_RECALL = 0.98, 0.95
"""What the index is widened, or narrowed, to find of the exact lists; and below what it is not used."""

_SAMPLE = 1000
_BLOCK_ITEMS = 1024


def most_alike(units: Float32Array, k: int, exact_items: int, seed: int = 0) -> tuple[Candidates, dict[str, float]]:
    """The k items of highest inner product with each item, itself left out, and how well they were found.

    Exact search compares every item with all others. Beyond `exact_items` a ScaNN index finds the lists, if it finds
    `LEAST_RECALL` of the exact ones on a seeded sample; else they are exact there, too, for what time that takes.

    Args:
        units: float32 [N, D] of length 1, or 0: an item without text.
        k: length of the lists.
        exact_items: of the largest catalogue that is searched exactly.
        seed: of the sample.

    Returns:
        the lists, [N, k]; and what the index found of the sample's, if one was built, as `RECALL` or `UNUSED_RECALL`.
    """
    measured: dict[str, float] = {}
    if len(units) > exact_items and units.any():
        index, recall = _index(units, seed)
        if recall >= LEAST_RECALL:
            return _found_by(index, units, k), {RECALL: recall}
        measured = {UNUSED_RECALL: recall}
    return search(units, units, k, seen=_themselves(0, len(units))), measured


def _index(units: Float32Array, seed: int) -> tuple[ScannIndex, float]:
    """An index over the items, and its recall@100 on a seeded sample of those with text."""
    with_text = np.flatnonzero(units.any(axis=1))
    sample = np.random.default_rng(seed).choice(with_text, min(_SAMPLE, len(with_text)), replace=False)
    config = IndexConfig(exact_below=0, min_recall=0, target_recall=TARGET_RECALL)
    return build_index(units, units[np.sort(sample)], config, seed)


def _found_by(index: ScannIndex, units: Float32Array, k: int) -> Candidates:
    best = Candidates.none(len(units), k)

    def write(start: int) -> None:
        block = slice(start, min(start + _BLOCK_ITEMS, len(units)))
        of_block = Candidates(best.items[block], best.scores[block])
        rows = np.arange(block.stop - start)
        index.search_into(of_block, units[block], rows, k + 1, _themselves(start, block.stop))

    with ThreadPoolExecutor(available_cores()) as pool:
        for _ in pool.map(write, range(0, len(units), _BLOCK_ITEMS)):
            pass
    return best


def _themselves(start: int, stop: int) -> Histories:
    """Each of the items as the history of the query that it is."""
    rows = np.arange(start, stop)
    return Histories.from_rows(stop - start, rows - start, rows, rows)
