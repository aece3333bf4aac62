"""Run a Transformers encoder over many texts: batches by length, bfloat16 where the machine has it."""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import transformers
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import AutoTokenizer, TFAutoModel
from transformers.activations_tf import ACT2FN

from recsys.config import TextConfig
from recsys.core.errors import ConfigError, TrainingError
from recsys.encoding.text_encoder import batches_by_length, pad
from recsys.text.choices import EncoderFiles

CHUNK_TEXTS = 8192  # texts tokenised at a time, which bounds memory
_BFLOAT16_OPTION = "auto_mixed_precision_onednn_bfloat16"


def masked_mean(hidden: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Mean over the tokens of each text: hidden [B, L, E], mask [B, L] (1 = token) -> float32 [B, E].

    A text without tokens gives a zero vector.
    """
    weights = tf.cast(mask, tf.float32)[:, :, tf.newaxis]
    total = tf.reduce_sum(tf.cast(hidden, tf.float32) * weights, axis=1)
    return total / tf.maximum(tf.reduce_sum(weights, axis=1), 1.0)


def layer_numbers(layers: Sequence[int], n_layers: int) -> tuple[int, ...]:
    """Resolve `text.layers` to numbers of hidden states, 0 (the embeddings) to n_layers (the last layer).

    Raises:
        ConfigError: the encoder has no such layer.
    """
    bad = [layer for layer in layers if not -n_layers - 1 <= layer <= n_layers]
    if bad:
        raise ConfigError(
            f"text.layers between {-n_layers - 1} and {n_layers}",
            ", ".join(map(str, bad)),
            "choose layers that the encoder has; -1 is the last",
        )
    return tuple(sorted({layer % (n_layers + 1) for layer in layers}))


def load_model(files: EncoderFiles) -> Any:
    """Load the TensorFlow model of Transformers with its weights, under Keras' global dtype policy.

    Raises:
        TrainingError: a file is damaged, or there is no TensorFlow model of this kind.
    """
    with _quiet():
        try:
            model = TFAutoModel.from_pretrained(files.folder, local_files_only=True)  # nosec B615  # a local folder
        except Exception as error:  # Transformers, safetensors and h5py raise many kinds
            raise _unloadable(files, "weights", error) from error
    for layer in transformer_layers(model):
        _use_erf(layer)
    return model


def transformer_layers(model: Any) -> list[Any]:
    """The transformer layers of a BERT or DistilBERT model, first to last; none of another kind."""
    if model.config.model_type == "distilbert":
        return list(model.distilbert.transformer.layer)
    if model.config.model_type == "bert":
        return list(model.bert.encoder.layer)
    return []


def _use_erf(layer: Any) -> None:
    """Write a layer's GELU with erf: Keras writes it with erfc, ten times as slow in bfloat16 on a CPU."""
    holder, name = (layer.ffn, "activation") if hasattr(layer, "ffn") else (layer.intermediate, "intermediate_act_fn")
    if getattr(holder, name) is ACT2FN["gelu"]:
        setattr(holder, name, _erf_gelu)


def _erf_gelu(x: tf.Tensor) -> tf.Tensor:
    return 0.5 * x * (1.0 + tf.math.erf(x * 0.5**0.5))


def load_tokenizer(files: EncoderFiles) -> Any:
    """Load the tokenizer that belongs to the encoder.

    Raises:
        TrainingError: its files are damaged.
    """
    with _quiet():
        try:
            return AutoTokenizer.from_pretrained(files.folder, local_files_only=True)  # type: ignore[no-untyped-call]  # nosec B615
        except Exception as error:  # as above
            raise _unloadable(files, "a tokenizer", error) from error


def uses_bfloat16(precision: str) -> bool:
    """Whether TensorFlow computes in bfloat16 on this machine: where the hardware has it, unless float32 is asked for.

    Raises:
        ConfigError: bfloat16 is asked for and the hardware has none.
    """
    if precision == "float32":
        return False
    available = _gpus_have_bfloat16() if _has_gpu() else _cpu_has_bfloat16()
    if precision == "bfloat16" and not available:
        raise ConfigError(
            "hardware with bfloat16 (AVX512-BF16, AMX or a GPU of compute capability 8.0) for text.precision bfloat16",
            "a machine without it",
            "set text.precision to auto or float32",
        )
    return available


class TextEncoder:
    """A loaded encoder.

    Args:
        files: which encoder.
        config: tokens a text, tokens a batch, precision.

    Attributes:
        model: of Transformers.
    """

    def __init__(self, files: EncoderFiles, config: TextConfig) -> None:
        self._config = config
        self._tokenizer = load_tokenizer(files)
        bfloat16 = uses_bfloat16(config.precision)
        # oneDNN gets bfloat16 from the graph optimiser (which leaves more in float32 than Keras' policy and is
        # faster on a CPU), a GPU from the policy. A training run may have set another policy meanwhile.
        self._onednn_bfloat16 = bfloat16 and not _has_gpu()
        with _dtype_policy("mixed_bfloat16" if bfloat16 and _has_gpu() else "float32"):
            self.model = load_model(files)

    def pooled(self, texts: Sequence[str], layers: Sequence[int]) -> Iterator[tuple[list[int], list[NDArray[Any]]]]:
        """Yield (positions in `texts`, float32 [E] of each): tokens' mean of the mean of hidden states `layers`."""
        for positions, output, _ in self._batches(texts, _mean_of_layers(layers)):
            yield positions, list(output)

    def pooling(self, layers: Sequence[int]) -> Any:
        """A tf.function of int32 ids and mask [B, L] (1 = token) that gives {"text": float32 [B, E]}, as `pooled`."""
        ids, mask = (tf.TensorSpec([None, None], tf.int32, name) for name in ("ids", "mask"))

        @tf.function(input_signature=[ids, mask], autograph=False)
        def text(ids: tf.Tensor, mask: tf.Tensor) -> dict[str, tf.Tensor]:
            outputs = self.model(input_ids=ids, attention_mask=mask, output_hidden_states=True, training=False)
            return {"text": _mean_of_layers(layers)(outputs.hidden_states, mask)}

        return text

    @property
    def vocabulary_size(self) -> int:
        """How many tokens the encoder knows: ids are below it."""
        return int(self.model.config.vocab_size)

    def tokenizer_json(self) -> str | None:
        """The tokenizer as the library tokenizers reads it, without cutting off and padding; None: it is not its."""
        if not self._tokenizer.is_fast:
            return None
        tokenizer = Tokenizer.from_str(self._tokenizer.backend_tokenizer.to_str())
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return str(tokenizer.to_str(pretty=True))

    def hidden(self, texts: Sequence[str], layer: int) -> Iterator[tuple[list[int], list[NDArray[Any]]]]:
        """Yield (positions in `texts`, float16 [tokens, E] of each): hidden state `layer`, without padding."""

        def one_layer(hidden: Sequence[tf.Tensor], _: tf.Tensor) -> tf.Tensor:
            return tf.cast(hidden[layer], tf.float32)

        for positions, output, lengths in self._batches(texts, one_layer):
            states = output.astype(np.float16)  # here: oneDNN complains of float16 inside a graph
            yield positions, [tokens[:length] for tokens, length in zip(states, lengths, strict=True)]

    def _batches(self, texts: Sequence[str], head: Any) -> Iterator[tuple[list[int], NDArray[Any], list[int]]]:
        """Run the model and `head` over all texts."""
        # One trace with free dimensions serves every batch; what `head` does not use is pruned from the graph.
        tokens = tf.TensorSpec([None, None], tf.int32)

        @tf.function(input_signature=[tokens, tokens], autograph=False)
        def forward(ids: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
            outputs = self.model(input_ids=ids, attention_mask=mask, output_hidden_states=True, training=False)
            return head(outputs.hidden_states, mask)

        with _onednn_bfloat16_graphs(self._onednn_bfloat16), _tensor_float_32(self._config.precision != "float32"):
            for positions, token_ids in token_batches(texts, self._tokenize, self._config.batch_tokens):
                ids, mask = pad(token_ids)
                yield positions, forward(ids, mask).numpy(), [len(tokens) for tokens in token_ids]

    def _tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        encoded = self._tokenizer(
            texts, truncation=True, max_length=self._config.max_tokens, return_attention_mask=False
        )
        return list(encoded["input_ids"])


def token_batches(
    texts: Sequence[str], tokenize: Callable[[Sequence[str]], Sequence[Sequence[int]]], batch_tokens: int
) -> Iterator[tuple[list[int], list[Sequence[int]]]]:
    """Yield (positions in `texts`, their tokens) in batches by length.

    Long texts come first, so that the first batch needs the most memory.
    """
    by_size = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    for start in range(0, len(by_size), CHUNK_TEXTS):
        chunk = by_size[start : start + CHUNK_TEXTS]
        token_ids = tokenize([texts[i] for i in chunk])
        for members in batches_by_length([len(ids) for ids in token_ids], batch_tokens):
            yield [chunk[m] for m in members], [token_ids[m] for m in members]


def _mean_of_layers(layers: Sequence[int]) -> Callable[[Sequence[tf.Tensor], tf.Tensor], tf.Tensor]:
    """Of hidden states [B, L, E] and mask [B, L]: tokens' mean of the mean of hidden states `layers`."""

    def mean(hidden: Sequence[tf.Tensor], mask: tf.Tensor) -> tf.Tensor:
        return masked_mean(tf.add_n([hidden[layer] for layer in layers]) / len(layers), mask)

    return mean


def _has_gpu() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))


def _gpus_have_bfloat16() -> bool:
    details = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    return all(detail.get("compute_capability", (0, 0)) >= (8, 0) for detail in details)


def _cpu_has_bfloat16() -> bool:
    if platform.system() != "Linux":
        return False
    flags = Path("/proc/cpuinfo").read_text("utf8", errors="replace")
    return "avx512_bf16" in flags or "amx_bf16" in flags


@contextmanager
def _onednn_bfloat16_graphs(wanted: bool) -> Iterator[None]:
    """Let TensorFlow's graph optimiser turn matrix products of graphs built meanwhile into bfloat16 (oneDNN)."""
    before = tf.config.optimizer.get_experimental_options().get(_BFLOAT16_OPTION, False)
    tf.config.optimizer.set_experimental_options({_BFLOAT16_OPTION: wanted})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({_BFLOAT16_OPTION: before})


@contextmanager
def _tensor_float_32(allowed: bool) -> Iterator[None]:
    """Whether a GPU may round what single-precision products multiply to 10 bits meanwhile, as it does if not told."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(allowed and before)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


@contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    """Set Keras' global policy for layers made meanwhile."""
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(name)
    try:
        yield
    finally:
        tf.keras.mixed_precision.set_global_policy(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Transformers' remarks on heads that an encoder does not have."""
    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        transformers.logging.set_verbosity(before)


def _unloadable(files: EncoderFiles, what: str, error: Exception) -> TrainingError:
    return TrainingError(
        f"{what} of a BERT or DistilBERT encoder in {files.folder}",
        f"{type(error).__name__}: {' '.join(str(error).split())[:300]}",
        "fetch the files again, or name another encoder in text.encoder",
    )
