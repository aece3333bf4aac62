from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from recsys.bundle import open_bundle
from recsys.dataset.histories import Histories
from recsys.ranking import ranker as module
from recsys.ranking.ranker import CandidateRanker, RankerModel
from recsys.retrieval.base import NO_ITEM, Queries
from tests.bundle_factory import RANKER_WEIGHTS, make_bundle, write_ranker


class FirstFeature:
    """A model whose score is the first feature."""

    def score(self, features: np.ndarray) -> np.ndarray:
        return features[..., 0].copy()


def queries_of(*histories: list[int]) -> Queries:
    rows = np.repeat(np.arange(len(histories)), [len(items) for items in histories])
    known = Histories.from_rows(
        len(histories), rows, np.array([item for items in histories for item in items], int), np.arange(len(rows))
    )
    return Queries(known, np.arange(len(histories), dtype=np.int32), np.zeros(len(histories), np.int64))


def test_what_the_history_holds_gets_the_log_odds_of_a_repeat() -> None:
    items = np.array([[3, 5, 7, NO_ITEM], [5, 3, NO_ITEM, NO_ITEM], [3, 5, 7, 9]], np.int32)
    features = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
    ranker = CandidateRanker(SimpleNamespace(), FirstFeature(), repeat_log_odds=-100.0)
    found = ranker.score(queries_of([5, 8, 5], [3], []), features, items)
    expected = [[0, 2 - 100, 4, -np.inf], [8, 10 - 100, -np.inf, -np.inf], [16, 18, 20, 22]]
    assert found.tolist() == expected
    assert found.dtype == np.float32


@pytest.mark.parametrize("shape", [(0, 4), (2, 0)])
def test_no_candidates_need_no_model(shape: tuple[int, int]) -> None:
    items, features = np.full(shape, NO_ITEM, np.int32), np.zeros((*shape, 3), np.float32)
    ranker = CandidateRanker(SimpleNamespace(), SimpleNamespace(), 1.0)
    assert ranker.score(queries_of(*([] for _ in range(shape[0]))), features, items).shape == shape


def test_blocks_of_candidates_join_to_the_same_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("a", *RANKER_WEIGHTS)
    write_ranker(tmp_path / "ranker.onnx", names)
    model = RankerModel(tmp_path / "ranker.onnx")
    features = np.random.default_rng(0).normal(size=(11, 6, len(names))).astype(np.float32)
    expected = features @ np.array([0, *RANKER_WEIGHTS.values()])
    np.testing.assert_allclose(model.score(features), expected, rtol=1e-4, atol=1e-5)
    for most in (1, 13, 40):
        monkeypatch.setattr(module, "_BLOCK_CANDIDATES", most)
        np.testing.assert_allclose(model.score(features), expected, rtol=1e-4, atol=1e-5)


def test_a_bundles_ranker_reads_the_features_it_was_written_with(tmp_path: Path) -> None:
    with open_bundle(make_bundle(tmp_path, 60, 15)) as bundle:
        ranker = bundle.ranker
        assert ranker is not None
        assert list(ranker.features.scorers) == bundle.manifest["ranker"]["scorers"]
        users = np.arange(15, dtype=np.int32)
        queries = Queries(bundle.histories, users, np.zeros(15, np.int64))
        vectors = bundle.two_tower().encode(queries)
    items = np.random.default_rng(0).permuted(np.tile(np.arange(60, dtype=np.int32), (15, 1)), axis=1)[:, :20]
    features = ranker.features.compute(queries, vectors, items)
    weights = np.array([RANKER_WEIGHTS.get(name, 0.0) for name in ranker.features.names])
    seen = [np.isin(row, bundle.histories.select([user]).items) for user, row in enumerate(items)]
    expected = features @ weights + bundle.manifest["ranker"]["repeat_log_odds"] * np.array(seen)
    np.testing.assert_allclose(ranker.score(queries, features, items), expected, rtol=1e-4, atol=1e-4)
