"""The served graphs compute what TensorFlow does, whatever the towers are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.config import parse_config
from recsys.core.errors import BundleError
from recsys.models import ItemFeatures, TwoTower
from recsys.models.exported import ExportedModel, exported_models
from recsys.pipeline.ratings.statistics import FEATURES
from recsys.sources.onnx_session import OnnxModel
from recsys.train.onnx_export import export_onnx
from recsys.train.steps.export_towers import text_match

MAX_HISTORY = 6
Arrays = dict[str, np.ndarray[Any, Any]]


def make_model(seed: int = 0, **model: Any) -> TwoTower:
    """A model in which every weight matters."""
    rng = np.random.default_rng(seed)
    sizes = {"dim": 8, "layers": 2, "heads": 2, "max_history": MAX_HISTORY, "text_match_dim": 4, "rating_hidden": [5]}
    tree = {"name": "tiny", "data": {"format": "events", "interactions": ["none.csv"]}, "model": sizes | model}
    text, numbers = rng.normal(size=(12, 10)).astype(np.float32), np.zeros((12, 2), np.int32)
    features = ItemFeatures(text, numbers[:, 0], numbers, np.ones((12, 2), np.float32), n_brands=1, n_categories=1)
    towers = TwoTower(features, np.ones(12), 6, parse_config(tree, "test"), rating_mean=4.0)
    towers.build_variables()
    for variable in towers.trainable_variables:
        variable.assign_add(rng.normal(scale=0.5, size=variable.shape))
    return towers


def exported(model: TwoTower) -> dict[str, ExportedModel]:
    return {one.signature.name: one for one in exported_models(model)}


def histories(dim: int, lengths: list[int], longest: int) -> Arrays:
    rng, filled = np.random.default_rng(1), np.arange(longest) < np.array(lengths)[:, None]
    return {
        "history": (rng.normal(size=(*filled.shape, dim)) * filled[..., None]).astype(np.float32),
        "lengths": np.array(lengths, np.int32),
        "gaps": (rng.random(filled.shape) * filled).astype(np.float32),
        "user": np.arange(len(lengths), dtype=np.int32) % 7,
    }


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"layers": 1},
        {"layers": 3, "heads": 4},
        {"heads": 1, "text_match": False},
        {"position": "time_gap"},
        {"position": "both", "use_user_id": True},
    ],
    ids=str,
)
@pytest.mark.parametrize(("lengths", "longest"), [([1], 1), ([3, 1, 5, 2], 5), ([0, MAX_HISTORY], MAX_HISTORY)])
def test_the_query_tower_gives_the_vector_after_the_last_event(
    tmp_path: Path, sections: dict[str, Any], lengths: list[int], longest: int
) -> None:
    model = make_model(**sections)
    example = histories(model.output_dim, lengths, longest)
    tower = exported(model)["query_tower"]
    assert export_onnx(tower.function, tmp_path / "m.onnx", example, tower.graph) < 1e-5


@pytest.mark.parametrize(("scale", "decay"), [(12.5, 0.4), (0.5, 0.95)])
def test_the_text_part_is_what_a_bundle_notes_of_it(tmp_path: Path, scale: float, decay: float) -> None:
    model, path = make_model(), tmp_path / "m.onnx"
    model.user_tower.set_match(scale, decay)
    graph, match = exported(model)["query_tower"].graph, text_match(model)
    assert graph is not None
    assert match is not None
    assert (match.scale, match.decay) == (pytest.approx(scale), pytest.approx(decay))
    path.write_bytes(graph.SerializeToString())
    lengths = [3, 1, 5, 2]
    inputs = histories(model.output_dim, lengths, 5)
    vectors = OnnxModel(path)(history=inputs["history"], lengths=inputs["lengths"])
    for vector, history, length in zip(vectors, inputs["history"], lengths, strict=True):
        expected = match.weights(length) @ history[:length, -match.dim :]
        np.testing.assert_allclose(vector[-match.dim :], expected, rtol=1e-5, atol=1e-6)


def test_a_model_without_a_text_part_notes_none() -> None:
    assert text_match(make_model(text_match=False)) is None


@pytest.mark.parametrize("hidden", [[5], [7, 3]])
def test_the_rating_head_rates_many_items_of_many_users(tmp_path: Path, hidden: list[int]) -> None:
    model = make_model(rating_hidden=hidden)
    rng = np.random.default_rng(2)
    example = {
        "user_embedding": rng.normal(size=(3, model.output_dim)).astype(np.float32),
        "item_part": rng.normal(size=(3, 4, hidden[0])).astype(np.float32),
        "features": rng.normal(size=(3, 4, len(FEATURES))).astype(np.float32),
    }
    head = exported(model)["ranking_head"]
    assert export_onnx(head.function, tmp_path / "m.onnx", example, head.graph) < 1e-5


def test_items_without_features_get_no_rating_and_change_no_other(tmp_path: Path) -> None:
    model, path = make_model(), tmp_path / "m.onnx"
    graph = exported(model)["ranking_head"].graph
    assert graph is not None
    path.write_bytes(graph.SerializeToString())
    rng = np.random.default_rng(3)
    inputs = {"user_embedding": rng.normal(size=(2, model.output_dim)), "item_part": rng.normal(size=(2, 3, 5))}
    inputs["features"] = rng.normal(size=(2, 3, len(FEATURES)))
    inputs = {name: values.astype(np.float32) for name, values in inputs.items()}
    rated = OnnxModel(path)(**inputs)
    inputs["features"][0, 1] = np.nan
    inputs["item_part"][0, 1] = 0
    expected = rated.copy()
    expected[0, 1] = np.nan
    np.testing.assert_allclose(OnnxModel(path)(**inputs), expected, rtol=1e-6)


def test_a_graph_of_other_weights_is_refused(tmp_path: Path) -> None:
    model, other = make_model(0), make_model(1)
    example = histories(model.output_dim, [3, 1], 3)
    tower, changed = exported(model)["query_tower"], exported(other)["query_tower"]
    with pytest.raises(BundleError, match=r"m\.onnx to compute what TensorFlow does"):
        export_onnx(tower.function, tmp_path / "m.onnx", example, changed.graph)


def test_unused_inputs_are_not_asked_for() -> None:
    def inputs(**sections: Any) -> list[str]:
        model = exported(make_model(**sections))["query_tower"].graph
        assert model is not None
        return [value.name for value in model.graph.input]

    assert inputs() == ["history", "lengths"]
    assert inputs(position="both", use_user_id=True) == ["history", "lengths", "gaps", "user"]


def test_without_a_rating_head_there_is_no_graph_of_one() -> None:
    model = make_model()
    model.rating_head = None
    assert set(exported(model)) == {"query_tower", "item_tower"}
