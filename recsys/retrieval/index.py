"""The ScaNN index over item embeddings: approximate search by inner product.

ScaNN: Guo et al., "Accelerating Large-Scale Inference with Anisotropic Vector Quantization" (ICML 2020).
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from recsys.errors import BundleError
from recsys.retrieval import exact
from recsys.retrieval.base import NO_ITEM, Candidates
from recsys.retrieval.scann_loader import scann_pybind

if TYPE_CHECKING:
    from recsys.config import IndexConfig

RECALL_AT = 100
_PARAMETERS_FILE = "index.json"
# Measured on clustered 64-dimensional embeddings at recall@100 of .99 and more: partitions grow about with
# 2 sqrt(n), and a smaller share of them needs to be searched. Between these sizes, interpolated on log scales.
_SIZES = (5_000, 65_000, 500_000, 2_000_000)
_LEAVES = (140, 500, 1500, 3000)
_LEAVES_TO_SEARCH = (80, 150, 75, 90)
_REORDER = (250, 300, 800, 500)
_SMALLEST_TREE = 1000  # asymmetric hashing learns 16 codes a block; fewer items than this gain nothing by it
_TREE_TRAINING_ITEMS = 100_000
_WIDENING = 1.5  # step by which the search widens until the recall is reached
# Partitions differ in size: search so many that, evenly filled, they would hold this many times k items.
_PARTITION_MARGIN = 4


@dataclass(frozen=True)
class IndexParameters:
    """How the index searches.

    Attributes:
        leaves: partitions of the tree; 0: no tree, every search is exact.
        leaves_to_search: partitions searched for a query.
        reorder: candidates of the quantised search whose scores are computed exactly.
    """

    leaves: int = 0
    leaves_to_search: int = 0
    reorder: int = 0

    @property
    def exact(self) -> bool:
        return self.leaves == 0

    def widened(self, n_items: int) -> IndexParameters:
        """The next wider search over the same partitions; equal to this one when there is none."""
        return replace(
            self,
            leaves_to_search=min(self.leaves, math.ceil(self.leaves_to_search * _WIDENING)),
            reorder=min(n_items, math.ceil(self.reorder * _WIDENING)),
        )


def choose_parameters(n_items: int, config: IndexConfig) -> IndexParameters:
    """Parameters for a catalogue of `n_items`: exact search below `config.exact_below`, else tree + AH + reorder.

    What the config names is taken as it is, as far as the catalogue's size allows.
    """
    if n_items < max(config.exact_below, _SMALLEST_TREE):
        return IndexParameters()

    def interpolated(values: tuple[int, ...]) -> int:
        return round(float(np.exp(np.interp(np.log(n_items), np.log(_SIZES), np.log(values)))))

    leaves = min(config.leaves or interpolated(_LEAVES), n_items // 2)
    leaves_to_search = min(config.leaves_to_search or interpolated(_LEAVES_TO_SEARCH), leaves)
    return IndexParameters(leaves, leaves_to_search, min(config.reorder or interpolated(_REORDER), n_items))


class ScannIndex:
    """Finds the item embeddings of highest inner product with a vector."""

    def __init__(self, searcher: Any, parameters: IndexParameters, n_items: int, dim: int) -> None:
        self._searcher = searcher
        self.parameters, self.n_items, self.dim = parameters, n_items, dim

    @classmethod
    def build(cls, embeddings: NDArray[np.float32], config: IndexConfig) -> Self:
        """Index `embeddings` (float32 [N, D]); the same embeddings give the same index.

        Raises:
            BundleError: there are no embeddings, or some are not finite.
        """
        n_items, dim = embeddings.shape
        if not n_items:
            raise BundleError("item embeddings to index", "none", "train on a dataset that has items")
        broken = np.flatnonzero(~np.isfinite(embeddings).all(axis=1))
        if len(broken):
            raise BundleError(
                "finite item embeddings",
                f"NaN or infinity in {len(broken)} of {n_items} rows, the first is row {broken[0]}",
                "train again with a lower training.learning_rate or training.clip_norm",
            )
        parameters = choose_parameters(n_items, config)
        builder = scann_pybind().builder(np.ascontiguousarray(embeddings, np.float32), 10, "dot_product")
        if parameters.exact:
            builder = builder.score_brute_force()
        else:
            sample = min(n_items, _TREE_TRAINING_ITEMS)
            builder = (
                # k-means++ is the one initialisation of ScaNN that gives the same partitions each time.
                builder.tree(
                    parameters.leaves, parameters.leaves_to_search, training_sample_size=sample, random_init=False
                )
                .score_ah(2, anisotropic_quantization_threshold=0.2, training_sample_size=sample)
                .reorder(parameters.reorder)
            )
        return cls(builder.build(), parameters, n_items, dim)

    def widened(self) -> ScannIndex:
        """The same index searching more partitions and rescoring more candidates."""
        return ScannIndex(self._searcher, self.parameters.widened(self.n_items), self.n_items, self.dim)

    def search(self, vectors: NDArray[np.float32], k: int) -> Candidates:
        """The k best items of each vector with their inner products; any positive k is safe.

        Args:
            vectors: float32 [B, D].
            k: items wanted; beyond the catalogue's size (or what the searched partitions hold) padded.
        """
        found = Candidates.none(len(vectors), k)
        wanted = min(k, self.n_items)
        if not len(vectors) or not wanted:
            return found
        reorder, leaves = self._width(wanted)
        vectors = np.ascontiguousarray(vectors, np.float32)
        if len(vectors) == 1:
            items, scores = self._searcher.search(vectors[0], wanted, reorder, leaves)
            items, scores = items[None], scores[None]
        else:
            items, scores = self._searcher.search_batched(vectors, wanted, reorder, leaves)
        width = items.shape[1]
        missing = np.isnan(scores)  # how ScaNN pads a batch
        found.items[:, :width] = np.where(missing, NO_ITEM, items.astype(np.int32))
        found.scores[:, :width] = np.where(missing, -np.inf, scores)
        return found

    def _width(self, k: int) -> tuple[int, int]:
        """Candidates to reorder and partitions to search for k results; -1 where it does not apply."""
        if self.parameters.exact:
            return -1, -1
        enough = math.ceil(_PARTITION_MARGIN * k * self.parameters.leaves / self.n_items)
        leaves = min(self.parameters.leaves, max(self.parameters.leaves_to_search, enough))
        return max(self.parameters.reorder, k), leaves

    def measure_recall(
        self, embeddings: NDArray[np.float32], vectors: NDArray[np.float32], k: int = RECALL_AT
    ) -> float:
        """Share of the exact k best items that this index finds, averaged over `vectors` (float32 [B, D])."""
        k = min(k, self.n_items)
        rows = np.arange(len(vectors))[:, None] * self.n_items
        found, truth = self.search(vectors, k).items, exact.search(vectors, embeddings, k).items
        return float(np.isin(truth + rows, np.where(found == NO_ITEM, -1, found + rows)).mean())

    def save(self, folder: Path) -> None:
        """Write into the empty `folder`; it can be moved afterwards."""
        self._searcher.serialize(str(folder), relative_path=True)
        description = {"n_items": self.n_items, "dim": self.dim, **asdict(self.parameters)}
        (folder / _PARAMETERS_FILE).write_text(json.dumps(description, indent=2), "utf8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: files are missing or not an index.
        """
        try:
            description = json.loads((folder / _PARAMETERS_FILE).read_text("utf8"))
            n_items, dim = description.pop("n_items"), description.pop("dim")
            parameters = IndexParameters(**description)
            searcher = scann_pybind().load_searcher(str(folder), assets_backcompat_shim=False)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise BundleError(f"a ScaNN index in {folder}", str(error), "export the bundle again") from error
        return cls(searcher, parameters, n_items, dim)


def build_index(
    embeddings: NDArray[np.float32], vectors: NDArray[np.float32], config: IndexConfig, seed: int = 0
) -> tuple[ScannIndex, float]:
    """An index good enough to publish, and its recall@100 on a seeded sample of user vectors.

    Starts from the parameters for the catalogue's size and widens the search until `config.target_recall` is
    reached, unless the config fixes `leaves_to_search` or `reorder`.

    Args:
        embeddings: float32 [N, D], item embeddings.
        vectors: float32 [U, D], user vectors as they will be searched for.
        config: the index section.
        seed: of the sample.

    Raises:
        BundleError: the recall stays below `config.min_recall`, or the embeddings are not finite.
    """
    index = ScannIndex.build(embeddings, config)
    size = min(config.sample_queries, len(vectors))
    sample = vectors[np.sort(np.random.default_rng(seed).choice(len(vectors), size, replace=False))]
    recall = index.measure_recall(embeddings, sample)
    fixed = config.leaves_to_search is not None or config.reorder is not None
    while recall < config.target_recall and not fixed:
        wider = index.widened()
        if wider.parameters == index.parameters:
            break
        index, recall = wider, wider.measure_recall(embeddings, sample)
    if recall < config.min_recall:
        used = index.parameters
        raise BundleError(
            f"recall@{RECALL_AT} of at least {config.min_recall} against exact search",
            f"{recall:.4f} with {used.leaves} leaves, {used.leaves_to_search} searched, {used.reorder} reordered",
            "raise index.leaves_to_search and index.reorder (or leave both null), raise index.exact_below "
            "above the catalogue's size to search exactly, or lower index.min_recall",
        )
    return index, recall
