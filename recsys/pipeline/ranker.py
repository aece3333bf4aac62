"""The ranker as the server runs it: the weights of `recsys.models.ranker.Ranker`, computed by table lookups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np

from recsys.core.errors import BundleError
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import BoolArray, Float32Array, Int32Array
from recsys.pipeline.features import CandidateFeatures, Scored
from recsys.pipeline.kernels import encode
from recsys.sources.exact import is_seen

_BLOCK_CANDIDATES = 1 << 10  # their hidden layers then stay in the processor's cache


@dataclass(frozen=True, eq=False)
class RankerModel:
    """Scores candidates by their F features, each encoded in B bins: how far it has come through each, from 0 to 1.

    score = MLP(encoded) + linear · encoded + hybrid_weight * last feature

    The first layer's product with the encoding of a feature is linear between the feature's edges: it is looked up in a
    table of its values there, instead of computed from B inputs a feature. That is six times as fast as ONNX Runtime is
    with the encoded features.

    Attributes:
        edges: float32 [F, B + 1], edges of the bins, increasing along a row.
        weights: of the MLP's L layers, float32 [F * B, H1], [H1, H2] ... [HL - 1, 1], with ReLU between.
        biases: float32 [H1], ... [1].
        linear: float32 [F * B].
        hybrid_weight: see above.
    """

    edges: Float32Array
    weights: Sequence[Float32Array]
    biases: Sequence[Float32Array]
    linear: Float32Array
    hybrid_weight: float = 0.0

    @cached_property
    def _steepness(self) -> Float32Array:
        widths = np.diff(self.edges, axis=1)
        return np.where(widths > 0, 1 / np.where(widths > 0, widths, 1), 0).astype(np.float32)

    @cached_property
    def _come(self) -> Float32Array:
        """float32 [F, B + 1, H1 + 1], products of the encoding with first layer and linear part at every edge."""
        grown = np.concatenate([self.weights[0], self.linear[:, None]], axis=1)
        grown = grown.reshape(*self._steepness.shape, -1) * (self._steepness > 0)[..., None]
        return np.pad(np.cumsum(grown, axis=1, dtype=np.float64), ((0, 0), (1, 0), (0, 0))).astype(np.float32)

    def score(self, features: Float32Array) -> Float32Array:
        """Scores float32 [B, C] of `features` float32 [B, C, F]."""
        flat = features.reshape(-1, features.shape[-1])
        scores = np.empty(len(flat), np.float32)
        bias = np.append(self.biases[0], np.float32(0))
        sums = np.empty((min(len(flat), _BLOCK_CANDIDATES), len(bias)), np.float32)
        for start in range(0, len(flat), _BLOCK_CANDIDATES):
            block = flat[start : start + _BLOCK_CANDIDATES]
            encoded = sums[: len(block)]
            encode(block, self.edges, self._steepness, self._come, bias, encoded)
            hidden = encoded[:, :-1]
            for weight, shift in zip(self.weights[1:], self.biases[1:], strict=True):
                hidden = np.maximum(hidden, 0) @ weight + shift
            scores[start : start + len(block)] = hidden[:, 0] + encoded[:, -1]
        scores += np.float32(self.hybrid_weight) * flat[:, -1]
        return scores.reshape(features.shape[:-1])

    def save(self, path: Path) -> None:
        """Write to `path`, a .npz file."""
        arrays: dict[str, Any] = {"edges": self.edges, "linear": self.linear, "hybrid_weight": self.hybrid_weight}
        arrays |= {f"weight_{n}": weight for n, weight in enumerate(self.weights)}
        arrays |= {f"bias_{n}": bias for n, bias in enumerate(self.biases)}
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: no such file, or not a ranker.
        """
        try:
            with np.load(path) as arrays:
                layers = range(sum(name.startswith("bias_") for name in arrays.files))
                weights = [arrays[f"weight_{n}"] for n in layers]
                biases = [arrays[f"bias_{n}"] for n in layers]
                return cls(arrays["edges"], weights, biases, arrays["linear"], float(arrays["hybrid_weight"]))
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise BundleError(f"a ranker in {path}", str(error), "export the bundle again") from error


@dataclass(frozen=True)
class CandidateRanker:
    """The ranker with the features it reads.

    Attributes:
        features: computes them.
        model: scores them.
        repeat_log_odds: added to the score of an item that the history holds; how much likelier training users chose
            such an item than another one. Far below zero where a pair of user and item is kept once.
        finalists: candidates of a query that the hybrid lets through to the model; without a hybrid all.
    """

    features: CandidateFeatures
    model: RankerModel
    repeat_log_odds: float = 0.0
    finalists: int = field(kw_only=True)

    def finals(self, queries: Queries, scored: Scored, k: int, *, repeats: bool = True) -> Scored:
        """The candidates that the model is to put in order, at least k of each query where there are so many.

        Items of the history come after all others where repeats are the exception; without `repeats` no candidate is
        one, which spares looking.
        """
        most = max(self.finalists, k)
        if not self.features.hybrid or scored.items.shape[1] <= most:
            return scored
        behind = repeats and self.repeat_log_odds < 0
        return scored.best(most, _in_history(scored.items, queries.histories) if behind else None)

    def score(
        self, queries: Queries, features: Float32Array, items: Int32Array, *, repeats: bool = True
    ) -> Float32Array:
        """Scores float32 [B, C] of the candidates; -inf beside `NO_ITEM`.

        Args:
            queries: B queries.
            features: float32 [B, C, F], see `CandidateFeatures.compute`.
            items: int32 [B, C], the candidates.
            repeats: see `finals`.
        """
        if not items.size:
            return np.full(items.shape, -np.inf, np.float32)
        scores = self.model.score(features)
        if repeats:
            scores += np.float32(self.repeat_log_odds) * _in_history(items, queries.histories)
        scores[items == NO_ITEM] = -np.inf
        return scores


def _in_history(items: Int32Array, histories: Histories) -> BoolArray:
    """Whether each item [B, C] is in the history of its query."""
    return is_seen(items, np.arange(len(items))[:, None], histories)
