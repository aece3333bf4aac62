"""Item texts to vectors, computed once for each distinct text and kept on disk."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from recsys.config import TextConfig
from recsys.core.progress import Step
from recsys.core.types import Float32Array
from recsys.text.cache import TextCache, text_key
from recsys.text.choices import EncoderFiles, choose_encoder
from recsys.text.encoder import TextEncoder, layer_numbers, uses_bfloat16

CACHE_VERSION = 1
READ_TEXTS = 4096  # vectors read from the cache at a time
Batches = Iterator[tuple[list[int], list[NDArray[Any]]]]


@dataclass(frozen=True)
class Int8Encoder:
    """An encoder by 8-bit integers.

    Attributes:
        cosine: smallest cosine of its vectors with those in float32, on a sample of the texts.
        close: whether its vectors may take the place of those.
        label: of all that its vectors depend on beside encoder and text.
        pooled: as `TextEncoder.pooled`, of given layers.
    """

    cosine: float
    close: bool
    label: str
    pooled: Callable[[Sequence[str]], Batches]


Quantise = Callable[[EncoderFiles, TextConfig, Sequence[str], Console], Int8Encoder | None]


@dataclass(frozen=True)
class ItemText:
    """Text vectors of a catalogue.

    Attributes:
        embeddings: float32 [N, E], row i of text i; zero where the text is empty.
        encoder: the choice of `text.encoder` that was used.
        weights_sha256: of its weights file.
        skipped: why each earlier choice was not available.
        int8_cosine: smallest cosine of vectors by 8-bit integers with those in float32, if `text.precision` asked for
            them; they were taken if it is high enough.
    """

    embeddings: Float32Array
    encoder: str
    weights_sha256: str
    skipped: tuple[str, ...] = ()
    int8_cosine: float | None = None

    @property
    def dim(self) -> int:
        """E, the width of a vector."""
        return int(self.embeddings.shape[1])


def encode_items(
    texts: Sequence[str], config: TextConfig, console: Console | None = None, quantise: Quantise | None = None
) -> ItemText:
    """Encode the items' texts with the frozen encoder: masked mean pooling over `config.layers`.

    Each distinct text is encoded once, ever: vectors are kept in `config.cache_dir` while they are
    computed, keyed by the text, the encoder's weights and the settings that a vector depends on. After
    a kill the next call continues where this one stopped.

    Args:
        texts: of the items.
        config: which encoder, and how it is run.
        console: hears which encoder it is, and how far it is.
        quantise: makes the encoder of `precision: int8`; without it, or where there is none, that is as auto.

    Raises:
        TrainingError: no encoder is available or loadable, or the cache cannot be used.
        ConfigError: `config.layers` names a layer that the encoder does not have.
    """
    console = console or Console(stderr=True)
    files = choose_encoder(config, console)
    layers = layer_numbers(config.layers, files.n_layers)
    int8 = quantise(files, config, texts, console) if quantise and config.precision == "int8" else None

    def encode(some: Sequence[str]) -> Batches:
        return int8.pooled(some) if int8 and int8.close else TextEncoder(files, config).pooled(some, layers)

    precision = int8.label if int8 and int8.close else None
    cache = open_cache(files, config, f"mean-{'-'.join(map(str, layers))}", precision)
    try:
        keys = fill(cache, texts, encode, console)
        embeddings = np.zeros((len(texts), files.dim), np.float32)
        for start in range(0, len(keys), READ_TEXTS):
            values = cache.get([key for key in keys[start : start + READ_TEXTS] if key is not None])
            for row, key in enumerate(keys[start : start + READ_TEXTS], start):
                if key is not None:
                    embeddings[row] = np.frombuffer(values[key], np.float32)
    finally:
        cache.close()
    return ItemText(
        embeddings, files.name, files.weights_sha256, files.skipped, int8_cosine=int8.cosine if int8 else None
    )


def open_cache(files: EncoderFiles, config: TextConfig, output: str, precision: str | None = None) -> TextCache:
    """Open the cache of one kind of `output` of one encoder, in the `precision` of TensorFlow unless told another.

    The name of its file covers everything that a value depends on beside its text.
    """
    precision = precision or ("bfloat16" if uses_bfloat16(config.precision) else "float32")
    settings = [CACHE_VERSION, files.fingerprint, output, config.max_tokens, precision]
    digest = hashlib.sha256(json.dumps(settings).encode()).hexdigest()
    label = re.sub(r"[^A-Za-z0-9]+", "-", Path(files.name).name)[-40:].strip("-")
    return TextCache(config.cache_dir / f"{label}-{output}-{digest[:16]}.sqlite")


def fill(
    cache: TextCache,
    texts: Sequence[str],
    encode: Callable[[Sequence[str]], Batches],
    console: Console,
) -> list[bytes | None]:
    """Let `encode` compute what `cache` lacks of `texts` and return each text's key, None for an empty text.

    `encode` is called only where something is missing, with distinct texts.
    """
    keys = [text_key(text) if text.strip() else None for text in texts]
    distinct = {key: text for key, text in zip(keys, texts, strict=True) if key is not None}
    absent = cache.missing(list(distinct))
    if not absent:
        return keys
    todo = [(key, text) for key, text in distinct.items() if key in absent]
    with Step.alone(console) as step, step.bar("Texts", len(distinct), len(distinct) - len(todo)) as bar:
        for positions, values in encode([text for _, text in todo]):
            cache.put(
                {todo[i][0]: np.ascontiguousarray(value).tobytes() for i, value in zip(positions, values, strict=True)}
            )
            bar.advance(len(positions))
    return keys
