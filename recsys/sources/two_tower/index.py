"""The ScaNN index over item embeddings: approximate search by inner product.

ScaNN: Guo et al., "Accelerating Large-Scale Inference with Anisotropic Vector Quantization" (ICML 2020).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recsys.core.arrays import half
from recsys.core.errors import BundleError
from recsys.core.half import halves
from recsys.core.histories import Histories
from recsys.core.item_slots import item_slots
from recsys.core.queries import NO_ITEM, Candidates
from recsys.core.types import Float16Array, Float32Array, Float64Array, Int32Array, Int64Array
from recsys.sources import exact
from recsys.sources.two_tower.index_building import build_searcher
from recsys.sources.two_tower.index_files import PARAMETERS_FILE, read_index
from recsys.sources.two_tower.index_parameters import RECALL_AT, IndexParameters, choose_parameters
from recsys.sources.two_tower.kernels import write_best_unseen
from recsys.sources.two_tower.settings import IndexConfig

_NOTHING = np.empty(0, np.int32)
_ERRORS = 2.0  # standard errors of the sample's recall that must lie between it and the target then
# Partitions differ in size: search so many that, evenly filled, they would hold this many times k items.
_PARTITION_MARGIN = 4


class ScannIndex:
    """Finds the item embeddings of highest inner product with a vector.

    ScaNN holds the embeddings quantised; the embeddings themselves, which it would copy, score what it finds.

    Attributes:
        searcher: ScaNN's.
        parameters: how it is searched.
        n_items, dim: N and D, of the embeddings.
    """

    def __init__(self, searcher: Any, parameters: IndexParameters, embeddings: Float16Array) -> None:
        self.searcher, self._embeddings = searcher, embeddings
        self.parameters = parameters
        self.n_items, self.dim = len(embeddings), int(embeddings.shape[1])

    @classmethod
    def build(
        cls,
        embeddings: NDArray[np.floating],
        config: IndexConfig,
        indexed: Callable[[int], object] = lambda _: None,
    ) -> Self:
        """Index `embeddings` ([N, D], rounded to half precision); the same embeddings give the same index.

        `indexed` is told of every block of items how many it held.

        Raises:
            BundleError: there are no embeddings, or some are not finite in half precision.
        """
        embeddings = half(embeddings)
        n_items = len(embeddings)
        if not n_items:
            raise BundleError("item embeddings to index", "none", "train on a dataset that has items")
        broken = np.flatnonzero(~np.isfinite(embeddings).all(axis=1))
        if len(broken):
            raise BundleError(
                "finite item embeddings within half precision (65,504)",
                f"others in {len(broken)} of {n_items} rows, the first is row {broken[0]}",
                "train again with a lower training.learning_rate or training.clip_norm",
            )
        parameters = choose_parameters(n_items, config)
        return cls(build_searcher(embeddings, parameters, indexed), parameters, embeddings)

    def with_parameters(self, parameters: IndexParameters) -> ScannIndex:
        """The same index searched in another way."""
        return ScannIndex(self.searcher, parameters, self._embeddings)

    def widened(self) -> ScannIndex:
        """The same index searching more partitions and rescoring more candidates."""
        return self.with_parameters(self.parameters.widened(self.n_items))

    @property
    def least_depth(self) -> int:
        """How many items a search finds and rescores, however few are wanted."""
        return self.parameters.reorder

    def search(self, vectors: Float32Array, k: int) -> Candidates:
        """The k best items of each vector with their inner products; any positive k is safe.

        Args:
            vectors: float32 [B, D].
            k: items wanted; beyond the catalogue's size (or what the searched partitions hold) padded.
        """
        best = Candidates.none(len(vectors), k)
        self.search_into(best, np.ascontiguousarray(vectors, np.float32), np.arange(len(vectors)), k)
        return best

    def search_into(
        self,
        best: Candidates,
        vectors: Float32Array,
        rows: Int64Array,
        depth: int,
        seen: Histories | None = None,
    ) -> None:
        """Write some rows of `best`.

        Args:
            best: [B, k], padded where there are no more items.
            vectors: float32 [B, D], contiguous.
            rows: int64 [R], rows to search for.
            depth: how many items the search yields, k or more.
            seen: histories of B users whose items are left out of them; None: none is.
        """
        if not len(rows):
            return
        items, scores = self.found(vectors if len(rows) == len(vectors) else vectors[rows], depth)
        history_of_rows = *left_out(seen, len(vectors)), item_slots.of(self.n_items)
        embeddings = halves(self._embeddings)
        write_best_unseen(vectors, embeddings, rows, items, scores, *history_of_rows, best.items, best.scores)

    def found(self, vectors: Float32Array, depth: int) -> tuple[Any, Any]:
        """Items uint32 [B, C] that may be the best of each vector [B, D], at least `depth`, in any order.

        Their approximate inner products float32 [B, C] stand beside them, NaN beside padding.
        """
        depth, leaves = min(depth, self.n_items), -1
        if not self.parameters.exact:
            depth, leaves = max(self.parameters.reorder, depth), self._partitions(depth)
        if len(vectors) == 1:
            items, scores = self.searcher.search(vectors[0], depth, -1, leaves)
            return items[None], scores[None]
        return self.searcher.search_batched(vectors, depth, -1, leaves)  # type: ignore[no-any-return]

    def _partitions(self, k: int) -> int:
        """Partitions to search for k results."""
        enough = math.ceil(_PARTITION_MARGIN * k * self.parameters.leaves / self.n_items)
        return min(self.parameters.leaves, max(self.parameters.leaves_to_search, enough))

    def measure_recall(self, embeddings: NDArray[np.floating], vectors: Float32Array, k: int = RECALL_AT) -> float:
        """Share of the exact k best items that this index finds, averaged over `vectors` (float32 [B, D])."""
        return float(self._recalls(vectors, exact.search(vectors, embeddings, min(k, self.n_items)).items).mean())

    def _recalls(self, vectors: Float32Array, truth: Int32Array) -> Float64Array:
        """float64 [U], share of the items `truth` [U, k] that this index finds for each vector."""
        items = self.search(vectors, truth.shape[1]).items
        rows = np.arange(len(vectors))[:, None] * self.n_items
        recalls: Float64Array = np.isin(truth + rows, np.where(items == NO_ITEM, -1, items + rows)).mean(axis=1)
        return recalls

    def save(self, folder: Path) -> None:
        """Write into the empty `folder`; it can be moved afterwards.

        Raises:
            OSError: it cannot be written.
        """
        try:
            self.searcher.serialize(str(folder), relative_path=True)
        except RuntimeError as error:  # ScaNN's own word for it
            raise OSError(f"{folder}: {error}") from error
        description = {"n_items": self.n_items, "dim": self.dim, **asdict(self.parameters)}
        (folder / PARAMETERS_FILE).write_text(json.dumps(description, indent=2), "utf8")

    @classmethod
    def load(cls, folder: Path, embeddings: Float16Array) -> Self:
        """Read what `save` wrote; `embeddings` are those that were indexed.

        Raises:
            BundleError: files are missing, not an index, or one of other embeddings.
        """
        return cls(*read_index(folder, *embeddings.shape), embeddings)


def left_out(seen: Histories | None, n_queries: int) -> tuple[Int64Array, Int32Array]:
    """Where the items begin and end that each query leaves out, and these items."""
    return (np.zeros(n_queries + 1, np.int64), _NOTHING) if seen is None else (seen.indptr, seen.items)


def build_index(
    embeddings: NDArray[np.floating],
    vectors: Float32Array,
    config: IndexConfig,
    seed: int = 0,
    indexed: Callable[[int], object] = lambda _: None,
) -> tuple[ScannIndex, float]:
    """An index good enough to publish, and its recall@100 on a seeded sample of user vectors.

    Starts from the parameters for the catalogue's size and widens the search until `config.target_recall` is
    reached beyond the sample's noise, or narrows it as far as it still is; neither if the config fixes
    `leaves_to_search` or `reorder`.

    Args:
        embeddings: [N, D], item embeddings, rounded to half precision.
        vectors: float32 [U, D], user vectors as they will be searched for.
        config: the index section.
        seed: of the sample.
        indexed: told of every block of items how many it held.

    Raises:
        BundleError: the recall stays below `config.min_recall`, or the embeddings are not finite.
    """
    index = ScannIndex.build(embeddings, config, indexed)
    size = min(config.sample_queries, len(vectors))
    sample = vectors[np.sort(np.random.default_rng(seed).choice(len(vectors), size, replace=False))]
    truth = exact.search(sample, embeddings, min(RECALL_AT, len(embeddings))).items

    def recalls(candidate: ScannIndex) -> Float64Array:
        return candidate._recalls(sample, truth)

    if config.leaves_to_search is None and config.reorder is None and not index.parameters.exact:
        index = _narrow(_widen(index, recalls, config.target_recall), recalls, config.target_recall)
    recall = float(recalls(index).mean())
    if recall < config.min_recall:
        used = index.parameters
        raise BundleError(
            f"recall@{RECALL_AT} of at least {config.min_recall} against exact search",
            f"{recall:.4f} with {used.leaves} leaves, {used.leaves_to_search} searched, {used.reorder} reordered",
            "raise index.leaves_to_search and index.reorder (or leave both null), raise index.exact_below "
            "above the catalogue's size to search exactly, or lower index.min_recall",
        )
    return index, recall


def _reached(recalls: Float64Array, target: float) -> bool:
    """Whether the mean recall is above the target beyond noise: so that other users have it too."""
    return bool(recalls.mean() - _ERRORS * recalls.std() / math.sqrt(len(recalls)) >= target)


def _widen(index: ScannIndex, recalls: Callable[[ScannIndex], Float64Array], target: float) -> ScannIndex:
    """Search more until the recall is above the target beyond the sample's noise, or there is no more to search."""
    while not _reached(recalls(index), target):
        wider = index.widened()
        if wider.parameters == index.parameters:
            break
        index = wider
    return index


def _narrow(index: ScannIndex, recalls: Callable[[ScannIndex], Float64Array], target: float) -> ScannIndex:
    """The cheapest of the narrower searches whose recall is above the target beyond the sample's noise."""

    def narrowed(wide: ScannIndex, step: Callable[[IndexParameters], IndexParameters]) -> ScannIndex | None:
        narrow = wide.with_parameters(step(wide.parameters))
        return narrow if narrow.parameters != wide.parameters and _reached(recalls(narrow), target) else None

    best = index
    wide: ScannIndex | None = index
    while wide is not None:
        narrow: ScannIndex | None = wide
        while narrow is not None:
            best = min(best, narrow, key=lambda candidate: candidate.parameters.cost(candidate.n_items))
            narrow = narrowed(narrow, IndexParameters.of_fewer_partitions)
        wide = narrowed(wide, IndexParameters.of_fewer_items)
    return best
