"""Tiny encoders with random weights, in the layout of Transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import recsys  # noqa: F401 - sets TF_USE_LEGACY_KERAS before TensorFlow is imported

import tensorflow as tf  # isort: skip
from transformers import BertConfig, DistilBertConfig, TFBertModel, TFDistilBertModel

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
