"""The ranker as it is served: the weights of a `recsys.models.ranker_network.RankerNetwork` as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from zipfile import ZIP_STORED, ZipFile

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import BundleError, RecsysError
from recsys.core.stored_arrays import REMEDY, require_array
from recsys.core.types import Float32Array
from recsys.pipeline.kernels import encode

_LARGEST = 1e6  # of its numbers: what several layers make of them is finite
_BLOCK_CANDIDATES = 1 << 10  # their hidden layers then stay in the processor's cache


@dataclass(frozen=True, eq=False)
class RankerTables:
    """Scores candidates by their F features, each encoded in B bins: how far it lies through each, from 0 to 1.

    score = MLP(encoded) + linear · encoded + sum_weight * the feature in the column `sum_column`

    The first layer's product with the encoding of a feature is linear between the feature's edges: it is looked up in a
    table of its values there, instead of computed from B inputs a feature. That is six times as fast as ONNX Runtime is
    with the encoded features.

    Attributes:
        edges: float32 [F, B + 1], edges of the bins, increasing along a row.
        weights: of the MLP's L layers, float32 [F * B, H1], [H1, H2] ... [HL - 1, 1], with ReLU between.
        biases: float32 [H1], ... [1].
        linear: float32 [F * B].
        sum_weight: of the weighted sum of the sources' scores, see `recsys.pipeline.candidate_scorer.CandidateScorer`.
        sum_column: the feature that is this sum.
    """

    edges: Float32Array
    weights: Sequence[Float32Array]
    biases: Sequence[Float32Array]
    linear: Float32Array
    sum_weight: float = field(kw_only=True)
    sum_column: int = field(kw_only=True)

    @cached_property
    def _steepness(self) -> Float32Array:
        widths = np.diff(self.edges, axis=1)
        return np.where(widths > 0, 1 / np.where(widths > 0, widths, 1), 0).astype(np.float32)

    @cached_property
    def _products(self) -> Float32Array:
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
            encode(block, self.edges, self._steepness, self._products, bias, encoded)
            scores[start : start + len(block)] = self.later_layers(encoded)
        scores += np.float32(self.sum_weight) * flat[:, self.sum_column]
        return scores.reshape(features.shape[:-1])

    def first_layer(self, features: Float32Array, columns: slice) -> Float32Array:
        """What some of the features give to the first layer, without its biases.

        Args:
            features: float32 [T, K], the K features of those columns.
            columns: consecutive ones.

        Returns:
            float32 [T, H1 + 1], the last column is what they give to the linear part.
        """
        products = self._products[columns]
        sums = np.empty((len(features), products.shape[2]), np.float32)
        no_bias = np.zeros(products.shape[2], np.float32)
        encode(features, self.edges[columns], self._steepness[columns], products, no_bias, sums)
        return sums

    def later_layers(self, sums: NDArray[np.floating]) -> NDArray[np.floating]:
        """Scores [T], but for the source sum, of first layer and linear part [T, H1 + 1], in the numbers' precision."""
        hidden = sums[:, :-1]
        for weight, shift in zip(self.weights[1:], self.biases[1:], strict=True):
            hidden = np.maximum(hidden, 0) @ weight + shift
        scores: NDArray[np.floating] = hidden[:, 0] + sums[:, -1]
        return scores

    def save(self, path: Path) -> None:
        """Write to `path`, a .npz file."""
        arrays: dict[str, Any] = {"edges": self.edges, "linear": self.linear}
        arrays |= {"sum_weight": self.sum_weight, "sum_column": self.sum_column}
        arrays |= {f"weight_{n}": weight for n, weight in enumerate(self.weights)}
        arrays |= {f"bias_{n}": bias for n, bias in enumerate(self.biases)}
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path: Path, n_features: int) -> Self:
        """Read what `save` wrote.

        Args:
            path: the file.
            n_features: F.

        Raises:
            BundleError: no such file, not a ranker, or one of another number of features.
        """
        arrays = _read(path)
        layers = range(sum(name.startswith("bias_") for name in arrays))
        try:
            tables = cls(
                arrays["edges"],
                [arrays[f"weight_{n}"] for n in layers],
                [arrays[f"bias_{n}"] for n in layers],
                arrays["linear"],
                sum_weight=float(arrays["sum_weight"]),
                sum_column=int(arrays["sum_column"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise BundleError(f"a ranker in {path}", f"{type(error).__name__}: {error}", REMEDY) from error
        tables._require_fit(path, n_features)
        return tables

    def _require_fit(self, path: Path, n_features: int) -> None:
        """Refuse tables that the loops would read beyond."""

        def require(name: str, array: Float32Array, *shape: int | None) -> None:
            require_array(array, f"{name} in {path}", np.float32, *shape, largest=_LARGEST)

        require("edges", self.edges, n_features, None)
        bins = self.edges.shape[1] - 1
        if bins < 1 or (np.diff(self.edges, axis=1) < 0).any():
            raise BundleError(f"edges that never fall in {path}", f"others, of {bins} bins", REMEDY)
        require("linear", self.linear, n_features * bins)
        width = n_features * bins
        for n, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            last = n == len(self.weights) - 1
            require(f"weight_{n}", weight, width, 1 if last else None)
            width = weight.shape[1]
            require(f"bias_{n}", bias, width)
        if not self.weights or not 0 <= self.sum_column < n_features or not abs(self.sum_weight) <= _LARGEST:
            got = f"{len(self.weights)} layers, the sum in column {self.sum_column} with weight {self.sum_weight}"
            raise BundleError(f"layers, and the sum among {n_features} features, in {path}", got, REMEDY)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a .npz file."""
    try:
        with ZipFile(path) as archive:
            if any(entry.compress_type != ZIP_STORED for entry in archive.infolist()):
                raise BundleError(f"arrays as they are in {path}", "compressed ones, which may be of any size", REMEDY)
        with np.load(path) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except RecsysError:
        raise
    except Exception as error:  # a damaged archive meets errors of many kinds
        raise BundleError(f"a ranker in {path}", f"{type(error).__name__}: {error}", REMEDY) from error
