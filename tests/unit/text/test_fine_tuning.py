"""The trainable top of an encoder over cached hidden states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from recsys.config import TextConfig
from recsys.core.errors import ConfigError
from recsys.text import FineTunedText, build_fine_tuned_text, encode_items, fine_tuning

import tensorflow as tf  # isort: skip

Config = Callable[..., TextConfig]
QUIET = Console(quiet=True)
TEXTS = ["red shoe for men, size ten.", "", "lamp", "blue soft warm shirt with oak desk", "lamp", "green green."]
HALF = 2e-3  # what float16 inputs of order 1 may move an output


def train(layer: FineTunedText, steps: int = 1) -> None:
    """Push the vectors of some rows towards zero."""
    optimizer = tf.keras.optimizers.Adam(1e-2)

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(layer(tf.constant([0, 3, 4]), training=True) ** 2)
        variables = layer.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    for _ in range(steps):
        step()


@pytest.mark.parametrize("settings", [{"trainable_layers": 1}, {"trainable_layers": 2, "layers": [-1, -2, 0]}])
def test_untrained_output_is_that_of_the_frozen_encoder(
    encoder_folder: Path, text_config: Config, settings: dict[str, Any]
) -> None:
    config = text_config(encoder_folder, batch_tokens=32, **settings)
    unseen = ["dark oak lamp", "", "kids shirt"]
    frozen = encode_items(TEXTS + unseen, config, QUIET)
    layer = build_fine_tuned_text(TEXTS, config, QUIET)
    assert (layer.encoder, layer.weights_sha256, layer.dim) == (frozen.encoder, frozen.weights_sha256, 16)

    rows = tf.constant([3, 1, 0, 5])
    vectors = tf.function(layer)(rows)
    assert vectors.dtype == tf.float32
    np.testing.assert_allclose(vectors, frozen.embeddings[[3, 1, 0, 5]], atol=HALF)
    np.testing.assert_allclose(layer.embeddings(), frozen.embeddings[: len(TEXTS)], atol=HALF)
    np.testing.assert_allclose(layer.encode(unseen), frozen.embeddings[len(TEXTS) :], atol=HALF)
    assert not layer.embeddings()[1].any()
    assert (layer(rows, training=True).numpy() == layer(rows, training=False).numpy()).all()


def test_gradients_reach_the_last_layers_only(encoder_folder: Path, text_config: Config) -> None:
    layer = build_fine_tuned_text(TEXTS, text_config(encoder_folder, trainable_layers=1), QUIET)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(tf.constant([0, 3, 5]), training=True)[:, 0])
    gradients = tape.gradient(loss, layer.trainable_variables)
    assert all(gradient is not None for gradient in gradients)
    reached = {
        number
        for number in range(2)
        for variable, gradient in zip(layer.trainable_variables, gradients, strict=True)
        if f"layer_._{number}/" in variable.name and np.abs(gradient).max() > 1e-6
    }
    assert reached == {1}
    assert {id(v) for v in layer.trainable_variables} == {id(v) for block in layer.blocks for v in block.variables}
    assert not any("embeddings" in variable.name for variable in layer.variables)


def test_training_changes_catalogue_and_unseen_texts_alike(bert: Path, text_config: Config) -> None:
    layer = build_fine_tuned_text(TEXTS, text_config(bert, trainable_layers=1), QUIET)
    before = layer.embeddings()
    train(layer, 5)
    after = layer.embeddings()
    assert np.square(after[[0, 3, 4]]).mean() < 0.9 * np.square(before[[0, 3, 4]]).mean()
    assert not after[1].any()
    np.testing.assert_allclose(layer.encode(TEXTS), after, atol=1e-5)
    np.testing.assert_allclose(layer(tf.range(len(TEXTS))), after, atol=1e-5)
    assert layer.embeddings().shape == after.shape  # texts encoded meanwhile are no part of the catalogue


def test_checkpoint_restores_the_trained_layers(distilbert: Path, text_config: Config, tmp_path: Path) -> None:
    config = text_config(distilbert, trainable_layers=1)
    trained = build_fine_tuned_text(TEXTS, config, QUIET)
    train(trained)
    path = tf.train.Checkpoint(text=trained).save(str(tmp_path / "checkpoint"))
    fresh = build_fine_tuned_text(TEXTS, config, QUIET)
    assert np.abs(fresh.embeddings() - trained.embeddings()).max() > 1e-3
    tf.train.Checkpoint(text=fresh).restore(path).assert_existing_objects_matched()
    assert (fresh.embeddings() == trained.embeddings()).all()


def test_layers_below_are_computed_once(distilbert: Path, text_config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    config = text_config(distilbert, trainable_layers=1)
    first = build_fine_tuned_text(TEXTS, config, QUIET).embeddings()
    monkeypatch.setattr(fine_tuning, "TextEncoder", lambda *_: pytest.fail("ran the layers below again"))
    assert (build_fine_tuned_text(TEXTS, config, QUIET).embeddings() == first).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"trainable_layers": 3}, "trainable_layers between 1 and"),
        ({"trainable_layers": 0}, "trainable_layers between 1 and"),
        ({"trainable_layers": 1, "layers": [-1, 0]}, "none below 1"),
        ({"trainable_layers": 2, "layers": [1]}, "with the last layer"),
    ],
)
def test_settings_that_do_not_go_together(
    distilbert: Path, text_config: Config, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        build_fine_tuned_text(TEXTS, text_config(distilbert, **settings), QUIET)
