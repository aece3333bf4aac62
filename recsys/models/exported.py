"""The functions of a trained model that a bundle holds: what TensorFlow computes, and the ONNX graphs that copy it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import onnx
import tensorflow as tf

from recsys.core.tower_io import ITEM_TOWER, QUERY_TOWER, RATING_HEAD, ExportedFunction
from recsys.models.rating_head import RatingHead
from recsys.models.rating_head_onnx import rating_head_graph
from recsys.models.two_tower import TwoTower
from recsys.models.user_tower_onnx import query_tower_graph
from recsys.pipeline.ratings.statistics import FEATURES


@dataclass(frozen=True)
class ExportedModel:
    """One function, twice.

    Attributes:
        signature: its names.
        function: a tf.function with an input signature, which gives its output by name.
        graph: the same, written node by node; None: there is nothing to gain, `function` may be converted.
    """

    signature: ExportedFunction
    function: Any
    graph: onnx.ModelProto | None


def exported_models(model: TwoTower) -> list[ExportedModel]:
    """Both towers, and the rating head if there is one; all variables of the model exist."""
    exported = [_query_tower(model), _item_tower(model)]
    if model.rating_head is not None:
        exported.append(_rating_head(model.rating_head, model.output_dim))
    return exported


def _query_tower(model: TwoTower) -> ExportedModel:
    @_traced(
        QUERY_TOWER,
        ([None, None, model.output_dim], tf.float32),
        ([None], tf.int32),
        ([None, None], tf.float32),
        ([None], tf.int32),
    )
    def query_tower(history: tf.Tensor, lengths: tf.Tensor, gaps: tf.Tensor, user: tf.Tensor) -> dict[str, tf.Tensor]:
        # A server adds what profiles say: it knows those of the moment, and a graph that holds them would keep them.
        return {QUERY_TOWER.output: model.user_vectors(history, lengths, gaps, user, profiles=False)}

    return ExportedModel(QUERY_TOWER, query_tower, query_tower_graph(model.user_tower.numpy_weights()))


def _item_tower(model: TwoTower) -> ExportedModel:
    @_traced(
        ITEM_TOWER,
        ([None, model.text_dim], tf.float32),
        ([None], tf.int32),
        ([None, None], tf.int32),  # a new item may have more categories than any of the catalogue
        ([None, 2], tf.float32),
        ([None], tf.int32),
    )
    def item_tower(
        text: tf.Tensor, brand: tf.Tensor, categories: tf.Tensor, price: tf.Tensor, item: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        vectors = model.item_tower.from_features(text, brand, categories, price, item)
        return {ITEM_TOWER.output: tf.cast(vectors, tf.float32)}

    return ExportedModel(ITEM_TOWER, item_tower, None)


def _rating_head(head: RatingHead, dim: int) -> ExportedModel:
    @_traced(
        RATING_HEAD,
        ([None, dim], tf.float32),
        ([None, None, head.part_width], tf.float32),
        ([None, None, len(FEATURES)], tf.float32),
    )
    def rating_head(user_embedding: tf.Tensor, item_part: tf.Tensor, features: tf.Tensor) -> dict[str, tf.Tensor]:
        return {RATING_HEAD.output: head.rate(user_embedding[:, None, :], item_part, features)}

    return ExportedModel(RATING_HEAD, rating_head, rating_head_graph(head, dim))


def _traced(signature: ExportedFunction, *inputs: tuple[Sequence[int | None], tf.DType]) -> Any:
    """Decorator that makes a tf.function of the given inputs, shape and type of each, under their names."""
    named = signature.named(*inputs)
    return tf.function(input_signature=[tf.TensorSpec(shape, dtype, name) for name, (shape, dtype) in named.items()])
