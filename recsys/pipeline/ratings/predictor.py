"""The rating head as the server runs it: exported to ONNX, computed by ONNX Runtime."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from recsys.core.histories import Histories
from recsys.core.tower_io import RATING_HEAD
from recsys.core.types import Float32Array, Int32Array
from recsys.pipeline.ratings.statistics import RatingStatistics
from recsys.sources.new_items import NewItems
from recsys.sources.onnx_session import OnnxModel


class RankingHead:
    """Predicts ratings from user embedding, the item's part of the first layer, and rating features."""

    def __init__(self, path: Path) -> None:
        self._model = OnnxModel(path)

    def predict(self, users: Float32Array, parts: Float32Array, features: Float32Array) -> Float32Array:
        """Predicted ratings float32 [B, K].

        Args:
            users: float32 [B, D], user embeddings.
            parts: float32 [B, K, H], see `RatingPredictor`.
            features: float32 [B, K, F], see `RatingStatistics.features`.
        """
        ratings = self._model(**RATING_HEAD.named(users, parts, features))
        self._model.require_output(ratings, features.shape[:2])
        return ratings


@dataclass(frozen=True)
class RatingPredictor:
    """Predicts the rating a user would give an item.

    Attributes:
        head: the exported network.
        statistics: source of its features.
        item_parts: float32 [N, H], what the network reads of each item: its embedding's product with the first layer,
            the same for all users.
        scale: the least and the greatest rating that there is.
    """

    head: RankingHead
    statistics: RatingStatistics
    item_parts: Float32Array
    scale: tuple[float, float] = (-math.inf, math.inf)

    def with_new_items(self, new: NewItems) -> Self:
        """The predictor for new items, too: nobody has rated them, and their lenders lend them the rest."""
        parts = np.concatenate([self.item_parts, new.lent(self.item_parts)])
        return replace(self, statistics=self.statistics.with_new_items(new), item_parts=parts)

    def predict(self, vectors: Float32Array, histories: Histories, items: Int32Array) -> Float32Array:
        """Ratings on the scale, of the arguments of `estimate`: float32 [B, K]; NaN beside `NO_ITEM`."""
        return self.on_scale(self.estimate(vectors, histories, items))

    def on_scale(self, ratings: Float32Array) -> Float32Array:
        """The ratings, those beyond an end of the scale replaced by that end; NaN stays. Writes to `ratings`."""
        least, greatest = self.scale
        np.maximum(ratings, np.float32(least), out=ratings)
        return np.minimum(ratings, np.float32(greatest), out=ratings)

    def estimate(self, vectors: Float32Array, histories: Histories, items: Int32Array) -> Float32Array:
        """What the network computes, which may lie off the scale: float32 [B, K]; NaN beside `NO_ITEM`.

        The ranker reads it: how far off it lies tells one item from another.

        Args:
            vectors: float32 [B, D], user vectors.
            histories: of the same B users.
            items: int32 [B, K], item rows or `NO_ITEM`.
        """
        if not items.size:
            return np.full(items.shape, np.nan, np.float32)
        # The features of `NO_ITEM` are NaN, and so is what the head computes from them, whatever its parts are.
        return self.head.predict(vectors, self.item_parts[items], self.statistics.features(histories, items))
