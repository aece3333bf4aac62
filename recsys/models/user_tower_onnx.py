"""The user tower as an ONNX graph that computes no more than the server asks for.

Converted from TensorFlow, it had several times as many nodes, most of them for shapes: a query's time is that of its
nodes more than that of its arithmetic. `recsys.train.onnx_export` compares what the graph computes with TensorFlow.
"""

from __future__ import annotations

import numpy as np
import onnx

from recsys.core.tower_io import QUERY_TOWER
from recsys.core.types import Float32Array, Float64Array
from recsys.models.layers import BlockWeights, NormWeights
from recsys.models.onnx_graph import GraphBuilder, Inputs, Value, floats, ints
from recsys.models.user_tower import TowerWeights

_HIDDEN = -1e4  # added to the logit of what a position may not see


def query_tower_graph(weights: TowerWeights) -> onnx.ModelProto:
    """`TwoTower.user_vectors` as a graph with its inputs.

    Only the last position's vector is wanted: of the last block, nothing but keys and values is computed for others.
    """
    graph = GraphBuilder()
    length = graph.node("Shape", "history", start=1, end=2)
    blocks = graph.node("Concat", graph.node("Shape", "history", start=0, end=1), ints(-1, weights.dim), axis=0)
    tables = graph.node("Slice", graph.node("Gather", floats(_tables(weights)), "lengths"), ints(0), length, ints(2))
    recency, hidden_from_last, is_last = graph.node("Split", tables, outputs=3, axis=1, num_outputs=3)

    state = graph.node("Reshape", _start(graph, weights, length), ints(-1, weights.dim))
    *whole, block = weights.blocks
    for before in whole:
        seen = _norm(graph, state, before.norm_attention)
        state = _finish(graph, state, _attend(graph, seen, seen, before, blocks, _causal_mask(weights)), before)
    seen = _norm(graph, state, block.norm_attention)
    state = graph.node("MatMul", is_last, graph.node("Reshape", state, blocks))
    state = graph.node("Reshape", state, ints(-1, weights.dim))
    asking = _norm(graph, state, block.norm_attention)
    state = _finish(graph, state, _attend(graph, asking, seen, block, blocks, hidden_from_last), block)

    parts = [_norm(graph, state, weights.norm)]
    if weights.users is not None:
        parts[0] = graph.node("Add", parts[0], graph.node("Gather", floats(weights.users), "user"))
    if weights.match_dim:
        match = graph.node("MatMul", recency, "history")
        match = graph.node("Slice", match, ints(weights.dim), ints(weights.dim + weights.match_dim), ints(2))
        parts.append(graph.node("Reshape", match, ints(-1, weights.match_dim)))
    graph.node("Concat", *parts, axis=1)
    width = weights.dim + weights.match_dim
    inputs: Inputs = QUERY_TOWER.named(
        (np.float32, ["B", "L", width]), (np.int32, ["B"]), (np.float32, ["B", "L"]), (np.int32, ["B"])
    )
    return graph.model(QUERY_TOWER.name, inputs, QUERY_TOWER.output, ["B", width])


def _tables(weights: TowerWeights) -> Float64Array:
    """For each length 0..H of a history, three rows: [H + 1, 3, H].

    The weights of the match part, what is added to the logits of the last position, and 1 there, else 0. A length of 0
    is taken as 1.
    """
    size = weights.max_history
    back = np.maximum(np.arange(size + 1), 1)[:, None] - 1 - np.arange(size)
    recency = np.where(back >= 0, weights.match_decay ** np.maximum(back, 0), 0.0)
    recency *= weights.match_scale / recency.sum(axis=1, keepdims=True)
    return np.stack([recency, np.where(back >= 0, 0.0, _HIDDEN), back == 0], axis=1)


def _start(graph: GraphBuilder, weights: TowerWeights, length: str) -> str:
    """What the first block reads: [B, L, D]."""
    state = graph.node("Slice", "history", ints(0), ints(weights.dim), ints(2))
    state = graph.node("Mul", state, floats(weights.dim**0.5))
    if weights.positions is not None:
        state = graph.node("Add", state, graph.node("Slice", floats(weights.positions), ints(0), length, ints(0)))
    if weights.gaps is not None:
        gaps = graph.node("Unsqueeze", "gaps", ints(2))
        for (kernel, bias), last in zip(weights.gaps, (False, True), strict=True):
            gaps = graph.node("Add", graph.node("MatMul", gaps, floats(kernel)), floats(bias))
            gaps = gaps if last else graph.node("Relu", gaps)
        state = graph.node("Add", state, gaps)
    return str(state)


def _causal_mask(weights: TowerWeights) -> Float32Array:
    """What is added to logits so that positions see no later ones, for the longest history: [H * heads, H]."""
    positions = np.arange(weights.max_history)
    later = positions > np.repeat(positions, weights.blocks[0].heads)[:, None]
    return floats(np.where(later, _HIDDEN, 0))


def _attend(graph: GraphBuilder, asking: str, seen: str, block: BlockWeights, shape: str, mask: Value) -> str:
    """What attention mixes for each of the asking [B * Q, D] from what is seen [B * L, D]: [B * Q, D].

    The mask is added to the logits: a constant is cut to their size.

    Each head's query and key matrices are multiplied beforehand, and so are its value and output matrices. Heads stand
    beside the positions, in the rows of one product: B times [Q * heads, D] by [D, L].
    """
    seen = graph.node("Reshape", seen, shape)
    queries = graph.node("Reshape", graph.dense(asking, *block.queries_to_keys), shape)
    logits = graph.node("MatMul", queries, graph.node("Transpose", seen, perm=[0, 2, 1]))
    if not isinstance(mask, str):
        mask = graph.node("Slice", mask, ints(0, 0), graph.node("Shape", logits, start=1), ints(0, 1))
    shares = graph.node("Softmax", graph.node("Add", logits, mask), axis=-1)
    kernel, bias = block.values_to_out
    mixed = graph.node("Reshape", graph.node("MatMul", shares, seen), ints(-1, len(kernel)))
    return graph.dense(mixed, kernel, bias)


def _finish(graph: GraphBuilder, state: str, mixed: str, block: BlockWeights) -> str:
    """Both residual steps of a block, for any number of positions [R, D]."""
    state = graph.node("Add", state, mixed)
    forward = graph.dense(_norm(graph, state, block.norm_feed_forward), *block.expand)
    return str(graph.node("Add", state, graph.dense(graph.node("Relu", forward), *block.contract)))


def _norm(graph: GraphBuilder, state: str, norm: NormWeights) -> str:
    factors = floats(norm.gamma), floats(norm.beta)
    return str(graph.node("LayerNormalization", state, *factors, axis=-1, epsilon=norm.epsilon))
