"""Encoders and configs for the tests of texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recsys.config import TextConfig
from tests.support.encoders import write_encoder


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
