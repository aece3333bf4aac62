"""Text vectors by 8-bit integers: taken where they are close to those in float32, and told apart from them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from recsys.config import TextConfig
from recsys.text import encode_items
from recsys.text.choices import choose_encoder
from recsys.train import int8_encoder as module
from recsys.train.encoder_export import NotExportable
from recsys.train.int8_encoder import int8_encoder, smallest_cosine
from recsys.train.int8_graph import BLOCK, in_blocks
from tests.support.encoders import WORDS, write_encoder

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("bert"), "bert", safetensors=True)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder in which graphs stay from test to test."""
    return tmp_path_factory.mktemp("cache")


def config_of(encoder: Path, cache: Path, **settings: Any) -> TextConfig:
    defaults: dict[str, Any] = {"precision": "int8", "max_tokens": 16}
    return TextConfig(encoder=[str(encoder)], cache_dir=cache, **(defaults | settings))


def texts(count: int = 40, seed: int = 0) -> list[str]:
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(WORDS, random.integers(1, 12))) for _ in range(count)]


def encoded(config: TextConfig, some: list[str]) -> tuple[Any, str]:
    output = io.StringIO()
    console = Console(file=output, width=200)
    found = encode_items(some, config, console, int8_encoder)
    return found, output.getvalue()


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


def test_vectors_are_close_and_what_is_said_is_what_they_are(
    encoder: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEAST_COSINE", 0.9)
    some = texts()
    found, printed = encoded(config_of(encoder, exported), [*some, ""])
    exact = encode_items(some, config_of(encoder, exported, precision="float32"), QUIET).embeddings
    assert not found.embeddings[-1].any()
    measured = cosines(found.embeddings[:-1], exact)
    assert found.int8_cosine == pytest.approx(measured.min(), abs=1e-5)
    assert 0.9 < found.int8_cosine < 1
    assert not np.array_equal(found.embeddings[:-1], exact)
    assert f"smallest cosine with float32 {found.int8_cosine:.5f}, it is taken" in printed


def test_where_they_are_not_close_auto_is_taken_and_nothing_is_mixed(
    encoder: Path, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = texts(seed=1)
    monkeypatch.setattr(module, "LEAST_COSINE", 0.9)
    taken, _ = encoded(config_of(encoder, exported), some)
    monkeypatch.setattr(module, "LEAST_COSINE", 1.1)
    found, printed = encoded(config_of(encoder, exported), some)
    auto = encode_items(some, config_of(encoder, tmp_path, precision="auto"), QUIET).embeddings
    np.testing.assert_array_equal(found.embeddings, auto)
    assert not np.array_equal(taken.embeddings, auto)
    assert found.int8_cosine == taken.int8_cosine
    assert "less than 1.1: auto is taken" in printed


def test_graph_and_cosine_are_made_once(encoder: Path, exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, some = config_of(encoder, exported), texts(seed=2)
    files = choose_encoder(config, QUIET)
    first = int8_encoder(files, config, some, QUIET)

    def never(*_: object) -> None:
        raise AssertionError("again")

    monkeypatch.setattr(module, "_quantise", never)
    monkeypatch.setattr(module, "smallest_cosine", never)
    again = int8_encoder(files, config, some, QUIET)
    assert first is not None
    assert again is not None
    assert (again.cosine, again.close, again.label) == (first.cosine, first.close, first.label)
    with pytest.raises(AssertionError, match="again"):  # other texts may be farther away
        int8_encoder(files, config, texts(seed=3), QUIET)


def test_an_encoder_that_cannot_be_exported_is_run_as_before(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise NotExportable("its tokenizer is odd")

    monkeypatch.setattr(module, "export_encoder", fail)
    found, printed = encoded(config_of(encoder, tmp_path), ["red shoe"])
    auto = encode_items(["red shoe"], config_of(encoder, tmp_path / "other", precision="auto"), QUIET)
    np.testing.assert_array_equal(found.embeddings, auto.embeddings)
    assert found.int8_cosine is None
    assert "int8 is not possible, auto is taken: its tokenizer is odd" in printed


def test_without_texts_nothing_is_measured(encoder: Path, exported: Path) -> None:
    found, _ = encoded(config_of(encoder, exported), ["", " "])
    assert (found.int8_cosine, found.embeddings.any()) == (1.0, False)


def test_trained_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="trainable_layers to 0"):
        TextConfig(precision="int8", trainable_layers=1)


def test_the_smallest_cosine_by_hand() -> None:
    one = np.float32([[1, 0], [1, 1], [0, 2]])
    assert smallest_cosine(one, np.float32([[2, 0], [1, 0], [0, 1]])) == pytest.approx(0.5**0.5)
    assert smallest_cosine(one, np.float32([[2, 0], [0, 0], [0, 1]])) == -1.0
    assert smallest_cosine(one, np.float32([[2, 0], [np.nan, 0], [0, 1]])) == -1.0


def test_each_block_of_a_column_has_a_scale_of_its_own() -> None:
    kernel = np.zeros((BLOCK + 1, 2), np.float32)
    kernel[0, 0], kernel[1, 0], kernel[BLOCK, 0], kernel[3, 1] = 127.0, -63.4, 0.5, -1e-3
    numbers, scales = in_blocks(kernel, BLOCK)
    assert numbers.shape == (2, 2, BLOCK)
    assert scales.reshape(2, 2)[0].tolist() == pytest.approx([1.0, 0.5 / 127])
    assert numbers[0, 0, :3].tolist() == [255, 65, 128]
    assert numbers[0, 1, :2].tolist() == [255, 128]
    assert numbers[1, 0, 3] == 1
    restored = (numbers.astype(np.float32) - 128) * scales.reshape(2, 2, 1)
    np.testing.assert_allclose(restored.reshape(2, -1).T[: BLOCK + 1], kernel, atol=0.5)
