"""A bundle's text encoder, run by ONNX Runtime."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from recsys.core.errors import BundleError
from recsys.core.stored_arrays import REMEDY
from recsys.core.types import Float32Array, Int32Array
from recsys.encoding.files import MODEL_FILE, TOKENIZER_FILE
from recsys.sources.onnx_session import OnnxModel

BATCH_TOKENS = 2048  # padded, of the texts that are encoded at once: bounds the memory of a call
CHUNK_TEXTS = 4096  # texts tokenised at a time


class OnnxTextEncoder:
    """Texts to the means of their tokens' hidden states. Safe to call from several threads at once.

    Tokenizer and graph, which may take hundreds of megabytes, are read at the first call.

    Args:
        folder: `ENCODER_FOLDER` of a bundle.
        dim: E, width of a vector.
        max_tokens: tokens read of a text.
    """

    def __init__(self, folder: Path, dim: int, max_tokens: int) -> None:
        self._folder, self._dim, self._max_tokens = folder, dim, max_tokens
        self._loaded: tuple[Tokenizer, OnnxModel] | None = None
        self._loading = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Vectors float32 [M, E]; zero for a text without anything in it.

        Raises:
            BundleError: tokenizer or graph is missing or damaged.
        """
        vectors = np.zeros((len(texts), self._dim), np.float32)
        described = [row for row, text in enumerate(texts) if text.strip()]
        for start in range(0, len(described), CHUNK_TEXTS):
            chunk = described[start : start + CHUNK_TEXTS]
            token_ids = self.token_ids([texts[row] for row in chunk])
            for members in batches_by_length([len(ids) for ids in token_ids], BATCH_TOKENS):
                vectors[[chunk[member] for member in members]] = self._run([token_ids[member] for member in members])
        return vectors

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """What the graph reads of each text."""
        tokenizer, _ = self._parts()
        return tokenized(tokenizer, texts)

    def _run(self, token_ids: Sequence[Sequence[int]]) -> Float32Array:
        _, model = self._parts()
        ids, mask = pad(token_ids)
        vectors = model(ids=ids, mask=mask)
        model.require_output(vectors, (len(ids), self._dim))
        return vectors

    def _parts(self) -> tuple[Tokenizer, OnnxModel]:
        with self._loading:
            if self._loaded is None:
                self._loaded = (
                    read_tokenizer(self._folder / TOKENIZER_FILE, self._max_tokens),
                    OnnxModel(self._folder / MODEL_FILE),
                )
            return self._loaded


def read_tokenizer(path: Path, max_tokens: int) -> Tokenizer:
    """The tokenizer in a file, which cuts texts off after `max_tokens` and pads nothing.

    Raises:
        BundleError: no such file, or no tokenizer in it.
    """
    try:
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
    except Exception as error:  # the library raises this class itself
        raise BundleError(f"a tokenizer in {path}", str(error), REMEDY) from error
    return tokenizer


def tokenized(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """The ids of each text's tokens."""
    # A lone surrogate is no character: it cannot be tokenised.
    sound = [text.encode("utf8", "replace").decode("utf8") for text in texts]
    return [encoding.ids for encoding in tokenizer.encode_batch(sound)]


def batches_by_length(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Yield positions in batches of like lengths, longest first, each at most `batch_tokens` when padded.

    A text longer than `batch_tokens` is a batch of its own.
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    start = 0
    while start < len(order):
        size = max(1, batch_tokens // max(1, lengths[order[start]]))
        yield order[start : start + size]
        start += size


def pad(token_ids: Sequence[Sequence[int]]) -> tuple[Int32Array, Int32Array]:
    """Pad on the right to one length: ids and mask (1 = token), both int32 [B, L]."""
    width = max(map(len, token_ids))
    ids = np.zeros((len(token_ids), width), np.int32)
    mask = np.zeros_like(ids)
    for row, tokens in enumerate(token_ids):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return ids, mask
