"""BERT and DistilBERT with pooling as an ONNX graph, written node by node.

The converter would hold dozens of copies of the weights at once, 11 GB for a DistilBERT, and take minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from recsys.core.types import Float32Array
from recsys.models.onnx_graph import GraphBuilder, Inputs, floats, ints
from recsys.text.encoder import transformer_layers

_HIDDEN = 1e4  # taken off the logits of what is padding


@dataclass(frozen=True)
class _Layer:
    """Keras layers of one transformer layer, whichever model it is of."""

    query: Any
    key: Any
    value: Any
    out: Any
    attention_norm: Any
    expand: Any
    contract: Any
    norm: Any

    @classmethod
    def of(cls, layer: Any, kind: str) -> _Layer:
        if kind == "distilbert":
            attention, ffn = layer.attention, layer.ffn
            of_attention = attention.q_lin, attention.k_lin, attention.v_lin, attention.out_lin, layer.sa_layer_norm
            return cls(*of_attention, ffn.lin1, ffn.lin2, layer.output_layer_norm)
        own, out = layer.attention.self_attention, layer.attention.dense_output
        of_attention = own.query, own.key, own.value, out.dense, out.LayerNorm
        return cls(*of_attention, layer.intermediate.dense, layer.bert_output.dense, layer.bert_output.LayerNorm)


def encoder_graph(model: Any, layers: Sequence[int]) -> onnx.ModelProto | None:
    """What `TextEncoder.pooling` computes: int32 ids and mask [B, L] to float32 [B, E].

    Args:
        model: of Transformers, with its weights.
        layers: numbers of the hidden states that are averaged; 0 is the embeddings.

    Returns:
        None for a model that is neither BERT nor DistilBERT with GELU and learned positions.
    """
    kind, config = str(model.config.model_type), model.config
    activation = getattr(config, "activation" if kind == "distilbert" else "hidden_act", None)
    positions = getattr(config, "position_embedding_type", "absolute")
    if not transformer_layers(model) or activation != "gelu" or positions != "absolute":
        return None
    graph = GraphBuilder()
    embeddings = model.distilbert.embeddings if kind == "distilbert" else model.bert.embeddings
    states = [_embed(graph, embeddings)]
    weights = graph.node("Unsqueeze", graph.node("Cast", "mask", to=onnx.TensorProto.FLOAT), ints(2))  # [B, L, 1]
    hidden = graph.node("Mul", graph.node("Sub", weights, floats(1)), floats(_HIDDEN))
    hidden = graph.node("Unsqueeze", graph.node("Transpose", hidden, perm=[0, 2, 1]), ints(1))  # [B, 1, 1, L]
    heads = int(config.n_heads if kind == "distilbert" else config.num_attention_heads)
    for layer in transformer_layers(model)[: max(layers)]:
        states.append(_transform(graph, states[-1], hidden, _Layer.of(layer, kind), heads))
    pooled = states[layers[0]]
    for number in layers[1:]:
        pooled = graph.node("Add", pooled, states[number])
    total = graph.node("ReduceSum", graph.node("Mul", pooled, weights), ints(1), keepdims=0)
    count = graph.node("Max", graph.node("ReduceSum", weights, ints(1), keepdims=0), floats(1))
    graph.node("Div", total, graph.node("Mul", count, floats(len(layers))))
    inputs: Inputs = {name: (np.int32, ["B", "L"]) for name in ("ids", "mask")}
    return graph.model("encoder", inputs, "text", ["B", int(embeddings.weight.shape[1])])


def _embed(graph: GraphBuilder, embeddings: Any) -> str:
    """The hidden state below all layers: [B, L, E]."""
    table = _numbers(embeddings.position_embeddings)
    if hasattr(embeddings, "token_type_embeddings"):
        table = table + _numbers(embeddings.token_type_embeddings)[0]
    length = graph.node("Shape", "ids", start=1, end=2)
    positions = graph.node("Slice", floats(table), ints(0), length, ints(0))
    words = graph.node("Gather", _numbers(embeddings.weight), "ids")
    return _norm(graph, graph.node("Add", words, positions), embeddings.LayerNorm)


def _transform(graph: GraphBuilder, state: str, hidden: str, layer: _Layer, heads: int) -> str:
    size = int(layer.query.kernel.shape[1]) // heads

    def of_heads(dense: Any, perm: Sequence[int], scale: float = 1.0) -> Any:
        split = graph.node("Reshape", _dense(graph, state, dense, scale), ints(0, 0, heads, size))
        return graph.node("Transpose", split, perm=perm)

    queries, keys = of_heads(layer.query, [0, 2, 1, 3], size**-0.5), of_heads(layer.key, [0, 2, 3, 1])
    logits = graph.node("Add", graph.node("MatMul", queries, keys), hidden)
    mixed = graph.node("MatMul", graph.node("Softmax", logits, axis=-1), of_heads(layer.value, [0, 2, 1, 3]))
    mixed = graph.node("Reshape", graph.node("Transpose", mixed, perm=[0, 2, 1, 3]), ints(0, 0, heads * size))
    state = _norm(graph, graph.node("Add", state, _dense(graph, mixed, layer.out)), layer.attention_norm)
    wide = _dense(graph, state, layer.expand)
    tail = graph.node("Add", graph.node("Erf", graph.node("Mul", wide, floats(0.5**0.5))), floats(1))
    wide = graph.node("Mul", graph.node("Mul", wide, floats(0.5)), tail)
    return _norm(graph, graph.node("Add", state, _dense(graph, wide, layer.contract)), layer.norm)


def _dense(graph: GraphBuilder, state: str, layer: Any, scale: float = 1.0) -> str:
    """A dense layer, its output times `scale`."""
    kernel, bias = _numbers(layer.kernel) * np.float32(scale), _numbers(layer.bias) * np.float32(scale)
    return str(graph.node("Add", graph.node("MatMul", state, kernel), bias))


def _norm(graph: GraphBuilder, state: str, layer: Any) -> str:
    factors = _numbers(layer.gamma), _numbers(layer.beta)
    return str(graph.node("LayerNormalization", state, *factors, axis=-1, epsilon=float(layer.epsilon)))


def _numbers(variable: Any) -> Float32Array:
    return np.asarray(variable.numpy(), np.float32)
