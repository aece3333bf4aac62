"""The frozen text encoder as an ONNX file beside its tokenizer, made once for each of its weights and kept."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import tensorflow as tf

from recsys.config import TextConfig
from recsys.encoding.files import MODEL_FILE, TOKENIZER_FILE
from recsys.models.onnx_graph import OPSET
from recsys.text.choices import EncoderFiles
from recsys.text.encoder import TextEncoder, layer_numbers
from recsys.train.encoder_graph import encoder_graph
from recsys.train.onnx_export import export_onnx

EXPORT_VERSION = 2
_COMPARED_FILE = "compared.json"
_PACKAGES = ("tensorflow", "transformers", "tf2onnx")
_LONGEST_REASON = 500
_EXAMPLE_SHAPE = 8, 32  # texts and tokens on which the file is compared with its source


class NotExportable(Exception):  # noqa: N818 - a reason to leave the encoder out, no error
    """The text encoder cannot be run without TensorFlow and Transformers; the message says why."""


@dataclass(frozen=True)
class ExportedEncoder:
    """Files of a text encoder that need no TensorFlow.

    Attributes:
        model, tokenizer: the files.
        difference: largest difference of the model from TensorFlow's, relative to the largest output.
    """

    model: Path
    tokenizer: Path
    difference: float


def export_encoder(files: EncoderFiles, config: TextConfig) -> ExportedEncoder:
    """The encoder in single precision, pooled over `config.layers`; from `config.cache_dir`, if it was made before.

    Raises:
        NotExportable: its tokenizer is none of the library tokenizers, or its graph cannot be converted exactly.
        ConfigError: the encoder has no such layers.
        TrainingError: it cannot be loaded.
        OSError: a file cannot be written.
    """
    layers = layer_numbers(config.layers, files.n_layers)
    folder = config.cache_dir / _folder_name(files, layers)
    make_once(folder, lambda made: _export(files, config, layers, made))
    difference = json.loads((folder / _COMPARED_FILE).read_text("utf8"))["difference"]
    return ExportedEncoder(folder / MODEL_FILE, folder / TOKENIZER_FILE, float(difference))


def make_once(folder: Path, make: Callable[[Path], None]) -> None:
    """Have `make` fill a folder that becomes `folder`, unless that is there."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        made = Path(temporary) / "made"
        made.mkdir()
        make(made)
        try:
            made.rename(folder)
        except OSError:  # another process was faster: its files are the same
            if not folder.is_dir():
                raise


def _export(files: EncoderFiles, config: TextConfig, layers: tuple[int, ...], folder: Path) -> None:
    # A GPU would round products, and the comparison be one with its rounding.
    with tf.device("/CPU:0"):
        _export_on_cpu(files, config, layers, folder)


def _export_on_cpu(files: EncoderFiles, config: TextConfig, layers: tuple[int, ...], folder: Path) -> None:
    encoder = TextEncoder(files, config.model_copy(update={"precision": "float32"}))
    tokenizer = encoder.tokenizer_json()
    if tokenizer is None:
        raise NotExportable("its tokenizer is one that only Transformers runs")
    (folder / TOKENIZER_FILE).write_text(tokenizer, "utf8")
    rng = np.random.default_rng(0)
    ids = rng.integers(0, encoder.vocabulary_size, _EXAMPLE_SHAPE, np.int32)
    mask = (np.arange(ids.shape[1]) < rng.integers(1, ids.shape[1] + 1, (len(ids), 1))).astype(np.int32)
    try:
        graph = encoder_graph(encoder.model, layers)
        difference = export_onnx(encoder.pooling(layers), folder / MODEL_FILE, {"ids": ids, "mask": mask}, graph)
    except OSError:
        raise
    except Exception as error:  # the converter raises many kinds
        raise NotExportable(" ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_REASON]) from error
    (folder / _COMPARED_FILE).write_text(json.dumps({"difference": difference}), "utf8")


def _folder_name(files: EncoderFiles, layers: tuple[int, ...]) -> str:
    """Of all that the files depend on."""
    versions = [metadata.version(name) for name in _PACKAGES]
    digest = hashlib.sha256(json.dumps([EXPORT_VERSION, files.fingerprint, layers, OPSET, versions]).encode())
    label = re.sub(r"[^A-Za-z0-9]+", "-", Path(files.name).name)[-40:].strip("-")
    return f"{label}-onnx-{digest.hexdigest()[:16]}"
