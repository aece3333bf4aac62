"""Bundles with a text encoder, without one, and with a damaged one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recsys.bundle import open_bundle
from recsys.bundle.reader import current_version
from recsys.core.errors import BundleError
from recsys.encoding import CatalogueEntry
from recsys.encoding.files import ENCODER_FOLDER, ITEM_INPUTS_FILE, MODEL_FILE, NOTES_FILE, TOKENIZER_FILE
from tests.support.bundles import make_bundle
from tests.support.item_encoders import make_item_encoder_parts

N_ITEMS, DIM = 40, 8


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("bundles"), N_ITEMS, item_encoder=True)


def test_a_new_item_like_one_of_the_catalogue_borrows_from_it(bundles: Path) -> None:
    with open_bundle(bundles) as bundle:
        encoder, embeddings = bundle.item_encoder, bundle.item_embeddings
        assert bundle.item_encoder is encoder
        assert encoder is not None
        (card,) = bundle.catalogue.items([7])
        entry = CatalogueEntry(card.title or "", card.brand or "", card.categories, 3.0, card.description or "")
        texts = encoder.encode_texts([encoder.text_of(entry), "", "  "])
        new = encoder.new_items([entry, CatalogueEntry(), CatalogueEntry()], texts)
    assert texts.shape == (3, encoder.dim)
    assert not texts[1:].any()
    assert new.vectors.shape == (3, DIM)
    assert new.lenders[0, 0] == 7  # the same text
    assert (new.lenders[1:] == -1).all()
    learned = embeddings[new.lenders[0], : DIM // 2].astype(np.float64)
    mean = new.weights[0] @ learned
    length = new.weights[0] @ np.linalg.norm(learned, axis=1)
    np.testing.assert_allclose(new.vectors[0, : DIM // 2], mean / np.linalg.norm(mean) * length, rtol=2e-3, atol=2e-3)
    # The hand-made item tower gives the first numbers of the text.
    np.testing.assert_allclose(new.vectors[0, DIM // 2 :], texts[0, DIM // 2 : DIM], rtol=1e-3, atol=1e-3)


def test_versions_share_the_files_of_the_text_encoder(tmp_path: Path) -> None:
    source, first, second = (tmp_path / name for name in ("source", "first", "second"))
    for folder in (source, first, second):
        folder.mkdir()
    parts = make_item_encoder_parts(source, [], np.zeros(0, np.bool_), 4)
    parts.save(first)
    parts.save(second)
    for name in (MODEL_FILE, TOKENIZER_FILE):
        assert (first / name).samefile(second / name)
        assert not (first / name).is_symlink()


def test_a_bundle_without_a_text_encoder_says_why(tmp_path: Path) -> None:
    with open_bundle(make_bundle(tmp_path, 20)) as bundle:
        assert bundle.item_encoder is None
        assert bundle.manifest.no_item_encoder == "the bundle was written without a text encoder"


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


def _other_dim(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"dim": 17}))


def _much_learned(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"learned_dim": DIM + 1}))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        (f"{ENCODER_FOLDER}/{MODEL_FILE}", _cut),
        (f"{ENCODER_FOLDER}/{TOKENIZER_FILE}", _cut),
        (f"{ENCODER_FOLDER}/{MODEL_FILE}", Path.unlink),
        (f"{ENCODER_FOLDER}/{NOTES_FILE}", _cut),
        (f"{ENCODER_FOLDER}/{NOTES_FILE}", _other_dim),
        (f"{ENCODER_FOLDER}/{NOTES_FILE}", _much_learned),
        (f"{ENCODER_FOLDER}/lender_rows.npy", Path.unlink),
        (ITEM_INPUTS_FILE, _cut),
        ("onnx/item_tower.onnx", _cut),
    ],
)
def test_what_is_damaged_is_named(bundles: Path, tmp_path: Path, name: str, damage: Callable[[Path], None]) -> None:
    folder = tmp_path / "version"
    shutil.copytree(bundles / current_version(bundles), folder)
    with open_bundle(folder, verify="quick") as bundle:
        damage(folder / name)
        with pytest.raises(BundleError, match=Path(name).stem):
            encode_one(bundle)


def encode_one(bundle: object) -> None:
    encoder = bundle.item_encoder  # type: ignore[attr-defined]
    encoder.new_items([CatalogueEntry("A")], encoder.encode_texts(["A"]))
