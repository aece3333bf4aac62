"""Batches, layers, precision and loading."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recsys.config import TextConfig
from recsys.core.errors import ConfigError, TrainingError
from recsys.encoding.text_encoder import batches_by_length, pad
from recsys.text import encoder
from recsys.text.choices import describe
from recsys.text.encoder import TextEncoder, layer_numbers, load_model, masked_mean
from tests.support import text_oracle as oracle

import tensorflow as tf  # isort: skip

Config = Callable[..., TextConfig]
TEXTS = ["red shoe for men, size ten.", "lamp", "blue soft warm shirt with oak desk and light lamp", "green green."]


@pytest.mark.parametrize("budget", [1, 7, 20, 1000])
def test_batches_hold_each_text_once_within_the_budget(budget: int) -> None:
    lengths = [5, 2, 9, 9, 3, 5, 1, 8, 2, 2]
    batches = list(batches_by_length(lengths, budget))
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[position] for position in batch) <= budget
    in_order = [lengths[position] for batch in batches for position in batch]
    assert in_order == sorted(lengths, reverse=True)


def test_budget_is_used_up() -> None:
    assert [len(batch) for batch in batches_by_length([4] * 10, 16)] == [4, 4, 2]


def test_padding_is_on_the_right_and_masked() -> None:
    ids, mask = pad([[7, 8, 9], [5]])
    assert ids.tolist() == [[7, 8, 9], [5, 0, 0]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_masked_mean_counts_tokens_only() -> None:
    hidden = tf.constant([[[1.0, 2.0], [3.0, 6.0], [100.0, 100.0]], [[5.0, 5.0], [9.0, 9.0], [9.0, 9.0]]])
    mask = tf.constant([[1, 1, 0], [0, 0, 0]])
    assert masked_mean(hidden, mask).numpy().tolist() == [[2.0, 4.0], [0.0, 0.0]]


def test_layers_count_from_both_ends() -> None:
    assert layer_numbers([-1], 6) == (6,)
    assert layer_numbers([0, 6, -1, -7, 3], 6) == (0, 3, 6)
    with pytest.raises(ConfigError, match="7, -8"):
        layer_numbers([1, 7, -8], 6)


def test_hidden_states_come_without_padding(distilbert: Path, text_config: Config) -> None:
    text_encoder = TextEncoder(describe("tiny", distilbert), text_config("tiny"))
    states_of = {
        position: states
        for positions, values in text_encoder.hidden(TEXTS, 1)
        for position, states in zip(positions, values, strict=True)
    }
    assert len(states_of) == len(TEXTS)
    for position, text in enumerate(TEXTS):
        assert states_of[position].dtype == np.float16
        expected = oracle.pooled(distilbert, [text], [1])[0]
        np.testing.assert_allclose(states_of[position].astype(float).mean(axis=0), expected, atol=2e-3)


def test_bfloat16_of_a_gpu_stays_near_float32_and_restores_the_policy(
    encoder_folder: Path, text_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "_has_gpu", lambda: True)
    monkeypatch.setattr(encoder, "_gpus_have_bfloat16", lambda: True)
    text_encoder = TextEncoder(describe("tiny", encoder_folder), text_config("tiny", precision="auto"))
    assert tf.keras.mixed_precision.global_policy().name == "float32"
    expected = oracle.pooled(encoder_folder, TEXTS)
    largest = 0.0
    for positions, values in text_encoder.pooled(TEXTS, [2]):
        difference = np.abs(np.stack(values) - expected[positions]).max()
        assert difference < 0.1
        largest = max(largest, difference)
    assert largest > 1e-4  # or nothing was computed in bfloat16


def test_float32_under_a_training_run_with_mixed_precision(bert: Path, text_config: Config) -> None:
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        text_encoder = TextEncoder(describe("tiny", bert), text_config("tiny"))
        assert tf.keras.mixed_precision.global_policy().name == "mixed_bfloat16"
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    for positions, values in text_encoder.pooled(TEXTS, [2]):
        np.testing.assert_allclose(np.stack(values), oracle.pooled(bert, TEXTS)[positions], atol=1e-5)


def test_bfloat16_is_refused_where_the_hardware_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "_has_gpu", lambda: False)
    monkeypatch.setattr(encoder, "_cpu_has_bfloat16", lambda: False)
    assert not encoder.uses_bfloat16("auto")
    assert not encoder.uses_bfloat16("float32")
    with pytest.raises(ConfigError, match="bfloat16"):
        encoder.uses_bfloat16("bfloat16")
    monkeypatch.setattr(encoder, "_cpu_has_bfloat16", lambda: True)
    assert encoder.uses_bfloat16("auto")
    assert not encoder.uses_bfloat16("float32")


@pytest.mark.parametrize("kind", ["distilbert", "bert"])
def test_damaged_weights_are_named(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(request.getfixturevalue(kind), folder)
    weights = folder / ("tf_model.h5" if kind == "distilbert" else "model.safetensors")
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(TrainingError, match="damaged"):
        load_model(describe("damaged", folder))
