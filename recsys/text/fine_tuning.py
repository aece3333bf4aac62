"""Fine-tune the last layers of a text encoder over cached hidden states of the layers below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from rich.console import Console

from recsys.config import TextConfig
from recsys.core.errors import ConfigError
from recsys.core.types import Float16Array, Float32Array, Int32Array
from recsys.encoding.text_encoder import batches_by_length
from recsys.text.choices import EncoderFiles, choose_encoder
from recsys.text.encoder import (
    TextEncoder,
    layer_numbers,
    load_model,
    masked_mean,
    transformer_layers,
)
from recsys.text.items import READ_TEXTS, fill, open_cache

_BERT_MASKED = -10000.0  # what Transformers' BERT adds to the attention scores of padding


def build_fine_tuned_text(texts: Sequence[str], config: TextConfig, console: Console | None = None) -> FineTunedText:
    """Build the trainable top of the encoder over the items' `texts` (`config.trainable_layers` layers).

    The output of the layers below is computed here, once for each distinct text, and kept in
    `config.cache_dir` (float16, tokens only); the call after a killed one continues where that one
    stopped. Call it inside the scope of the distribution strategy, because it makes variables.

    Raises:
        TrainingError: no encoder is available or loadable, or the cache cannot be used.
        ConfigError: the encoder has fewer layers, is neither BERT nor DistilBERT, or `config.layers`
            pools layers of which none or not the last is trained.
    """
    console = console or Console(stderr=True)
    files = choose_encoder(config, console)
    if not 1 <= config.trainable_layers <= files.n_layers:
        raise ConfigError(
            f"text.trainable_layers between 1 and the encoder's {files.n_layers}",
            str(config.trainable_layers),
            "choose fewer layers, or 0 to keep the encoder frozen",
        )
    first = files.n_layers - config.trainable_layers
    layers = layer_numbers(config.layers, files.n_layers)
    if layers[0] < first or layers[-1] != files.n_layers:
        raise ConfigError(
            f"text.layers with the last layer (-1) and none below {first} when trainable_layers is "
            f"{config.trainable_layers}",
            str(config.layers),
            "pool the layers that are trained, for example [-1]",
        )
    states = HiddenStates(files, config, first, console)
    states.add(texts)
    return FineTunedText(states, [layer - first for layer in layers])


class HiddenStates:
    """Hidden states of one layer for a growing list of texts, read from the cache when asked for.

    Args:
        files: which encoder.
        config: tokens a text, precision, cache folder.
        layer: number of the hidden state; 0 is the embeddings' output.
        console: for the progress bar.
    """

    def __init__(self, files: EncoderFiles, config: TextConfig, layer: int, console: Console) -> None:
        self.files, self.config = files, config
        self._layer, self._console = layer, console
        self._cache = open_cache(files, config, f"hidden-{layer}")
        self._keys: list[bytes | None] = []

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, texts: Sequence[str]) -> range:
        """Append texts, computing what the cache lacks; return their rows."""
        before = len(self)
        self._keys += fill(
            self._cache,
            texts,
            lambda some: TextEncoder(self.files, self.config).hidden(some, self._layer),
            self._console,
        )
        return range(before, len(self))

    def read(self, rows: Sequence[int]) -> list[Float16Array]:
        """Return float16 [tokens, E] of each row; no tokens for an empty text."""
        keys = [self._keys[row] for row in rows]
        values = self._cache.get(list({key for key in keys if key is not None}))
        return [
            np.frombuffer(b"" if key is None else values[key], np.float16).reshape(-1, self.files.dim) for key in keys
        ]


class FineTunedText(tf.keras.layers.Layer):
    """Text vectors of catalogue rows through trainable transformer layers: rows int32 [U] -> float32 [U, E].

    The layers start from the encoder's weights, so that before the first training step the output is
    that of the frozen encoder, up to the cache's float16. They run without dropout: its random state is
    not part of a checkpoint, and a resumed run must end in the weights of an uninterrupted one.

    Variables are tracked like any Keras layer's (`tf.train.Checkpoint`). The hidden states are not part of
    the graph: rows are read through `tf.numpy_function`, so that a catalogue may exceed memory. To
    export, write `embeddings()`.

    Args:
        states: input of the trainable layers.
        pooled: outputs averaged before the masked mean; 0 is the input, n the output of the n-th layer.

    Attributes:
        encoder: the choice of `text.encoder` that was used.
        weights_sha256: of its weights file, as loaded.
        dim: E, the width of a vector.
    """

    def __init__(self, states: HiddenStates, pooled: Sequence[int]) -> None:
        super().__init__(name="fine_tuned_text")
        self.encoder = states.files.name
        self.weights_sha256 = states.files.weights_sha256
        self.dim = states.files.dim
        self._states = states
        self._pooled = frozenset(pooled)
        self._n_rows = len(states)
        model = load_model(states.files)
        self._kind = str(model.config.model_type)
        if not transformer_layers(model):
            raise ConfigError(
                "a BERT or DistilBERT encoder for text.trainable_layers",
                f"model type {self._kind}",
                "set text.trainable_layers to 0, or choose another encoder",
            )
        self.blocks = transformer_layers(model)[-states.config.trainable_layers :]
        padded = (tf.TensorSpec([None, None, self.dim], tf.float32), tf.TensorSpec([None, None], tf.int32))
        self._compiled = tf.function(self._forward, input_signature=padded, autograph=False)

    def call(self, rows: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Vectors float32 [U, E] of catalogue rows int32 [U]; zero where the text is empty."""
        del training  # there is no dropout
        hidden, mask = tf.numpy_function(self._read, [rows], (tf.float32, tf.int32), stateful=False)
        hidden.set_shape([None, None, self.dim])
        mask.set_shape([None, None])
        return self._forward(hidden, mask)

    def embeddings(self) -> Float32Array:
        """Vectors float32 [N, E] of the whole catalogue with the present weights."""
        return self._embed(range(self._n_rows))

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Vectors float32 [n, E] of any texts with the present weights: the way for items unseen in training."""
        return self._embed(self._states.add(texts))

    def _read(self, rows: Sequence[int]) -> tuple[Float32Array, Int32Array]:
        return _pad_states(self._states.read(rows), self.dim)

    def _embed(self, rows: range) -> Float32Array:
        vectors = np.zeros((len(rows), self.dim), np.float32)
        for start in range(0, len(rows), READ_TEXTS):
            states = self._states.read(rows[start : start + READ_TEXTS])
            for members in batches_by_length([len(tokens) for tokens in states], self._states.config.batch_tokens):
                hidden, mask = _pad_states([states[m] for m in members], self.dim)
                vectors[[start + m for m in members]] = self._compiled(hidden, mask)
        return vectors

    def _forward(self, hidden: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        hidden = tf.cast(hidden, self.compute_dtype)
        outputs = [hidden]
        for block in self.blocks:
            outputs.append(_run_layer(self._kind, block, outputs[-1], mask))
        return masked_mean(tf.add_n([outputs[i] for i in self._pooled]) / len(self._pooled), mask)


def _run_layer(kind: str, layer: Any, hidden: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """One transformer layer of Transformers: hidden [B, L, E], mask [B, L] -> [B, L, E]."""
    if kind == "distilbert":
        return layer(hidden, tf.cast(mask, tf.float32), None, False, training=False)[-1]
    masked = (1.0 - tf.cast(mask, hidden.dtype)) * tf.cast(_BERT_MASKED, hidden.dtype)
    return layer(
        hidden_states=hidden,
        attention_mask=masked[:, tf.newaxis, tf.newaxis, :],
        head_mask=None,
        encoder_hidden_states=None,
        encoder_attention_mask=None,
        past_key_value=None,
        output_attentions=False,
        training=False,
    )[0]


def _pad_states(states: Sequence[Float16Array], dim: int) -> tuple[Float32Array, Int32Array]:
    """Pad on the right: float32 [U, L, E] and mask int32 [U, L] (1 = token), L at least 1."""
    width = max([1, *map(len, states)])
    hidden = np.zeros((len(states), width, dim), np.float32)
    mask = np.zeros((len(states), width), np.int32)
    for row, tokens in enumerate(states):
        hidden[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return hidden, mask
