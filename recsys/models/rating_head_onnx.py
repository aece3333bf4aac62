"""The rating head as an ONNX graph that computes no more than the server asks for; see `user_tower_onnx`."""

from __future__ import annotations

import numpy as np
import onnx

from recsys.core.tower_io import RATING_HEAD
from recsys.models.onnx_graph import GraphBuilder, Inputs, floats, ints
from recsys.models.rating_head import RatingHead
from recsys.pipeline.ratings.statistics import FEATURES


def rating_head_graph(head: RatingHead, dim: int) -> onnx.ModelProto:
    """`RatingHead.rate` for B users, with K items each, as a graph.

    Of the first layer's product with user x item, a matrix for each user is made, which the item's part is multiplied
    with: that takes fewer steps than to write user, item and their product side by side.
    """
    weights = head.numpy_weights()
    width, graph = head.part_width, GraphBuilder()
    (kernel, bias), *deeper = weights.hidden
    of_user, of_item, of_both, of_features = np.split(kernel, [width, 2 * width, 3 * width])
    user_kernel, user_bias = weights.user
    both = graph.dense(
        "user_embedding",
        np.concatenate([user_kernel, user_kernel @ of_user], axis=1),
        np.concatenate([user_bias, user_bias @ of_user + bias]),
    )
    user, offset = graph.node("Split", both, ints(width, kernel.shape[1]), outputs=2, axis=1)
    matrices = graph.node("Mul", graph.node("Unsqueeze", user, ints(2)), floats(of_both))
    hidden = graph.node("MatMul", "item_part", graph.node("Add", matrices, floats(of_item)))
    hidden = graph.node("Add", hidden, graph.node("MatMul", "features", floats(of_features)))
    hidden = graph.node("Relu", graph.node("Add", hidden, graph.node("Unsqueeze", offset, ints(1))))
    for kernel, bias in deeper:
        hidden = graph.node("MatMul", hidden, floats(kernel))
        hidden = graph.node("Relu", graph.node("Add", hidden, floats(bias)))
    linear = graph.node("MatMul", "features", floats(weights.linear))
    rating = graph.node("Add", linear, graph.node("MatMul", hidden, floats(weights.correction)))
    graph.node("Squeeze", graph.node("Add", rating, floats(weights.constant)), ints(2))
    inputs: Inputs = RATING_HEAD.named(
        (np.float32, ["B", dim]), (np.float32, ["B", "K", width]), (np.float32, ["B", "K", len(FEATURES)])
    )
    return graph.model(RATING_HEAD.name, inputs, RATING_HEAD.output, ["B", "K"])
