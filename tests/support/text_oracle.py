"""Transformers called directly, one text at a time, pooled in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from transformers import AutoTokenizer, TFAutoModel

from recsys.core.types import Float64Array


def pooled(folder: Path, texts: Sequence[str], layers: Sequence[int] = (-1,), max_tokens: int = 16) -> Float64Array:
    """Mean over a text's tokens of the mean over `layers`, float64 [N, E]."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = TFAutoModel.from_pretrained(folder)
    vectors = []
    for text in texts:
        tokens = tokenizer(text, truncation=True, max_length=max_tokens, return_tensors="tf")
        states = model(**tokens, output_hidden_states=True).hidden_states
        vectors.append(np.mean([states[layer].numpy()[0].astype(np.float64).mean(axis=0) for layer in layers], axis=0))
    return np.stack(vectors)
