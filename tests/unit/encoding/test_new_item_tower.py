"""What new items get of a hand-made item tower and of their lenders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from recsys.core.errors import BundleError
from recsys.core.queries import NO_ITEM
from recsys.encoding import CatalogueEntry
from recsys.encoding.new_item_tower import NewItemTower
from recsys.encoding.price_scale import PriceScale
from recsys.encoding.vocabulary import ItemVocabulary
from recsys.sources.onnx_session import OnnxModel
from recsys.sources.text_lenders import TextLenders

LEARNED = 2
# Texts of the catalogue at length 1, whose mean is zero: the first and the second lend, the third was never chosen.
TEXTS = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)
CHOSEN = np.array([True, True, False, False])
EMBEDDINGS = np.array([[3, 4, 0, 0, 0, 0], [0, 5, 0, 0, 0, 0], [9, 9, 0, 0, 0, 0], [9, 9, 0, 0, 0, 0]], np.float16)


def write_tower(path: Path) -> None:
    """[brand row, sum of category rows, price, has price, text] of each item: what it reads is what it gives."""
    inputs = [
        helper.make_tensor_value_info("text", TensorProto.FLOAT, [None, 2]),
        helper.make_tensor_value_info("brand", TensorProto.INT32, [None]),
        helper.make_tensor_value_info("categories", TensorProto.INT32, [None, None]),
        helper.make_tensor_value_info("price", TensorProto.FLOAT, [None, 2]),
    ]
    axis = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
    nodes = [
        helper.make_node("Cast", ["brand"], ["brands"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["brands", "axis"], ["a"]),
        helper.make_node("Cast", ["categories"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["floats", "axis"], ["b"], keepdims=1),
        helper.make_node("Concat", ["a", "b", "price", "text"], ["item_embedding"], axis=1),
    ]
    output = helper.make_tensor_value_info("item_embedding", TensorProto.FLOAT, [None, 6])
    graph = helper.make_graph(nodes, "tower", inputs, [output], [axis])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)


@pytest.fixture
def tower(tmp_path: Path) -> NewItemTower:
    write_tower(tmp_path / "item_tower.onnx")
    return NewItemTower(
        OnnxModel(tmp_path / "item_tower.onnx"),
        ItemVocabulary(("Holm", "Alba"), ("Shop", "Tea", "Cup")),
        PriceScale(mean=1.0, std=2.0),
        TextLenders.of(TEXTS, CHOSEN).rounded(),
        EMBEDDINGS,
        LEARNED,
    )


def test_an_item_without_a_text_is_what_the_tower_reads(tower: NewItemTower) -> None:
    entries = [
        CatalogueEntry(brand="Alba", categories=("Shop", "Nowhere", "Cup"), price=float(np.e**3 - 1)),
        CatalogueEntry(brand="Nobody"),
    ]
    new = tower.new_items(entries, np.zeros((2, 2), np.float32))
    assert new.vectors.dtype == np.float16
    # Rows of brands and categories count from 1; log(1 + price) is 3.
    np.testing.assert_array_equal(new.vectors, [[2, 1 + 3, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0]])
    assert (new.lenders == NO_ITEM).all()
    assert not new.weights.any()


def test_the_learned_part_is_the_mean_direction_of_the_lenders_at_their_mean_length(tower: NewItemTower) -> None:
    # The first is alike to one lender alone, and hardly anything is borrowed of the other; the second to neither.
    text = np.array([[5, 0], [0, 2]], np.float32)
    new = tower.new_items([CatalogueEntry(), CatalogueEntry()], text)
    np.testing.assert_array_equal(new.lenders, [[0, 1], [0, 1]])
    np.testing.assert_allclose(new.weights, [[1, 1e-6], [0.5, 0.5]], atol=1e-5)
    np.testing.assert_allclose(new.vectors[0], [3, 4, 0, 0, 5, 0], atol=1e-2)
    # Both are 5 long; halfway between [3, 4] and [0, 5] lies [1.5, 4.5].
    direction = np.array([1.5, 4.5]) / np.hypot(1.5, 4.5)
    np.testing.assert_allclose(new.vectors[1], [*(5 * direction), 0, 0, 0, 2], atol=1e-2)


def test_more_categories_than_any_item_had_are_read(tower: NewItemTower) -> None:
    (vector,) = tower.new_items(
        [CatalogueEntry(categories=("Cup", "Tea", "Shop"))], np.zeros((1, 2), np.float32)
    ).vectors
    assert vector[1] == 6


def test_no_items(tower: NewItemTower) -> None:
    new = tower.new_items([], np.zeros((0, 2), np.float32))
    assert new.vectors.shape == (0, 6)


def test_lenders_are_read_back_in_half_precision(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    text = rng.normal(size=(30, 8)).astype(np.float32)
    lenders = TextLenders.of(text, rng.random(30) < 0.6)
    lenders.save(tmp_path)
    read = TextLenders.load(tmp_path, 30, 8)
    for ours, theirs in zip(lenders.rounded().nearest(text[:5]), read.nearest(text[:5]), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(BundleError, match="lender_rows"):
        TextLenders.load(tmp_path, 3, 8)
    with pytest.raises(BundleError, match="lender_directions"):
        TextLenders.load(tmp_path, 30, 9)
