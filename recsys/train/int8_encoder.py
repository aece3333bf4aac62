"""The frozen text encoder in 8-bit integers, for where its vectors stay those of single precision.

How far integers move vectors depends on encoder and texts, so it is measured on the shop's own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from importlib import metadata
from pathlib import Path

import numpy as np
import onnx
from rich.console import Console

from recsys.config import TextConfig
from recsys.core.disk import write_whole
from recsys.core.types import Float32Array
from recsys.encoding.files import MODEL_FILE
from recsys.encoding.text_encoder import pad, read_tokenizer, tokenized
from recsys.sources.onnx_session import OnnxModel
from recsys.text.choices import EncoderFiles
from recsys.text.encoder import token_batches
from recsys.text.items import Batches, Int8Encoder
from recsys.train.encoder_export import ExportedEncoder, NotExportable, export_encoder, make_once
from recsys.train.int8_graph import BLOCK, with_integers

LEAST_COSINE = 0.999
SAMPLE_TEXTS = 256


def int8_encoder(files: EncoderFiles, config: TextConfig, texts: Sequence[str], console: Console) -> Int8Encoder | None:
    """The encoder in 8-bit integers and how close it is on some of `texts`; None, which is printed, if there is none.

    Graph and cosine are made once, and kept in `config.cache_dir`.

    Raises:
        ConfigError: the encoder has no such layers.
        TrainingError: it cannot be loaded.
        OSError: a file cannot be written.
    """
    try:
        exported = export_encoder(files, config)
    except NotExportable as reason:
        console.print(f"Text precision int8 is not possible, auto is taken: {reason}", markup=False)
        return None
    label = f"int8-{BLOCK}-{metadata.version('onnxruntime')}"
    folder = exported.model.parent.with_name(f"{exported.model.parent.name}-{label}")
    make_once(folder, lambda made: _quantise(exported.model, made / MODEL_FILE))
    graph = _Graph(folder / MODEL_FILE, exported, config)
    cosine = _kept_cosine(folder, _sample(texts), graph, _Graph(exported.model, exported, config))
    close = cosine >= LEAST_COSINE
    verdict = "it is taken" if close else f"less than {LEAST_COSINE}: auto is taken"
    console.print(f"Text precision int8: smallest cosine with float32 {cosine:.5f}, {verdict}", markup=False)
    return Int8Encoder(cosine, close, f"{label}-{exported.model.parent.name}", graph.pooled)


class _Graph:
    """An exported graph over many texts, on all cores."""

    def __init__(self, path: Path, exported: ExportedEncoder, config: TextConfig) -> None:
        self._path, self._tokenizer, self._config = path, exported.tokenizer, config

    def pooled(self, texts: Sequence[str]) -> Batches:
        """As `TextEncoder.pooled`."""
        model, tokenizer = OnnxModel(self._path, threads=0), read_tokenizer(self._tokenizer, self._config.max_tokens)
        for positions, token_ids in token_batches(texts, partial(tokenized, tokenizer), self._config.batch_tokens):
            ids, mask = pad(token_ids)
            yield positions, list(model(ids=ids, mask=mask))

    def vectors(self, texts: Sequence[str]) -> Float32Array:
        """Of all texts [N, E]."""
        found = {at: row for positions, rows in self.pooled(texts) for at, row in zip(positions, rows, strict=True)}
        return np.stack([found[at] for at in range(len(texts))])


def _quantise(source: Path, target: Path) -> None:
    target.write_bytes(with_integers(onnx.load(source)).SerializeToString())


def _sample(texts: Sequence[str]) -> list[str]:
    """Some texts, the same of the same catalogue."""
    distinct = sorted({text for text in texts if text.strip()})
    chosen = np.random.default_rng(0).permutation(len(distinct))[:SAMPLE_TEXTS]
    return [distinct[at] for at in chosen]


def _kept_cosine(folder: Path, sample: Sequence[str], one: _Graph, other: _Graph) -> float:
    """The smallest cosine of both graphs' vectors of a text, 1 without texts; measured once for a sample."""
    if not sample:
        return 1.0
    settings = [list(sample), one._config.max_tokens]
    digest = hashlib.sha256(json.dumps(settings).encode()).hexdigest()
    path = folder / f"cosine-{digest[:16]}.json"
    if not path.is_file():
        write_whole(path, json.dumps({"cosine": smallest_cosine(one.vectors(sample), other.vectors(sample))}))
    return float(json.loads(path.read_text("utf8"))["cosine"])


def smallest_cosine(one: Float32Array, other: Float32Array) -> float:
    """Of rows [N, E] of one and the other; -1 where a row is zero or not finite."""
    products = np.einsum("ne,ne->n", one.astype(np.float64), other.astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = products / (np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1))
    return float(np.where(np.isfinite(cosines), cosines, -1.0).min())
