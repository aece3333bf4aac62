"""Tiny encoders with random weights, in the layout of Transformers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import recsys  # noqa: F401 - sets TF_USE_LEGACY_KERAS before TensorFlow is imported

import tensorflow as tf  # isort: skip
from transformers import BertConfig, DistilBertConfig, TFBertModel, TFDistilBertModel

from recsys.config import TextConfig

COLOURS = ["red", "blue", "green", "light", "dark", "soft", "warm"]
WORDS = [*COLOURS, "shoe", "shirt", "lamp", "oak", "desk", "for", "with", "and", "men", "women", "kids", "size", "ten"]
N_LAYERS = 2
DIM = 16


def write_encoder(folder: Path, kind: str, *, safetensors: bool, seed: int = 0) -> Path:
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, ".", ","]
    tf.keras.utils.set_random_seed(seed)
    # An initialiser ten times the usual: random layers must change their input visibly.
    common = {"vocab_size": len(vocabulary), "max_position_embeddings": 64, "initializer_range": 0.2}
    if kind == "distilbert":
        model: Any = TFDistilBertModel(DistilBertConfig(dim=DIM, n_layers=N_LAYERS, n_heads=4, hidden_dim=32, **common))
    else:
        sizes = {"num_hidden_layers": N_LAYERS, "num_attention_heads": 4, "intermediate_size": 32}
        model = TFBertModel(BertConfig(hidden_size=DIM, **sizes, **common))
    model(tf.constant([[2, 3]]))
    model.save_pretrained(folder, safe_serialization=safetensors)
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", "utf8")
    tokenizer = {"tokenizer_class": "DistilBertTokenizer" if kind == "distilbert" else "BertTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer | {"do_lower_case": True}), "utf8")
    return folder


@pytest.fixture(scope="session")
def distilbert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny DistilBERT as tf_model.h5."""
    return write_encoder(tmp_path_factory.mktemp("distilbert"), "distilbert", safetensors=False)


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT as model.safetensors."""
    return write_encoder(tmp_path_factory.mktemp("bert"), "bert", safetensors=True)


@pytest.fixture(params=["distilbert", "bert"])
def encoder_folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


@pytest.fixture
def text_config(tmp_path: Path) -> Callable[..., TextConfig]:
    """A float32 config with a cache of its own: text_config(folder, **settings)."""

    def make(*encoder: Path | str, **settings: Any) -> TextConfig:
        defaults: dict[str, Any] = {"precision": "float32", "cache_dir": tmp_path / "cache", "max_tokens": 16}
        return TextConfig(encoder=[str(name) for name in encoder], **(defaults | settings))

    return make
