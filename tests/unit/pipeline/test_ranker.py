from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from recsys.bundle import open_bundle
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.pipeline import ranker_tables as module
from recsys.pipeline.finalists import ScoredCandidates
from recsys.pipeline.ranker import Ranker
from recsys.pipeline.ranker_tables import RankerTables
from tests.support.bundles import RANKER_WEIGHTS, make_bundle
from tests.support.ranking import described


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
    ranker = Ranker(SimpleNamespace(), SimpleNamespace(), FirstFeature(), repeat_log_odds=-100.0, finalists=4)
    found = ranker.score(queries_of([5, 8, 5], [3], []), features, items)
    expected = [[0, 2 - 100, 4, -np.inf], [8, 10 - 100, -np.inf, -np.inf], [16, 18, 20, 22]]
    assert found.tolist() == expected
    assert found.dtype == np.float32


def test_those_of_the_highest_sums_are_finalists() -> None:
    items = np.array([[5, 3, 9, 7], [2, 4, NO_ITEM, NO_ITEM]], np.int32)
    sums = np.array([[0.5, 2, -1, 0.5], [-3, -2, 0, 0]], np.float32)
    scored = ScoredCandidates(("two_tower",), items, np.arange(8, dtype=np.float32).reshape(1, 2, 4), sums)
    found = scored.best(3)
    assert found.items.tolist() == [[3, 5, 7], [4, 2, NO_ITEM]]
    assert found.sums[:, :2].tolist() == [[2, 0.5], [-2, -3]]
    assert found.scores[0, 0].tolist() == [1, 0, 3]
    assert found.scores[0, 1, :2].tolist() == [5, 4]
    first = scored.best(2, np.array([[0.5, 2, np.inf, 0.5], [-3, -2, 0, 0]], np.float32))
    assert first.items[0].tolist() == [9, 3]  # one that was viewed, then the highest sum
    assert first.items[1].tolist() == [4, 2]


def test_repeats_come_last_where_they_are_the_exception() -> None:
    items = np.array([[5, 3, 9, 7]], np.int32)
    scored = ScoredCandidates(
        (), items, np.zeros((0, *items.shape), np.float32), np.array([[0.5, 2, -1, 0]], np.float32)
    )
    scorer = SimpleNamespace(weights={"two_tower": 1.0})

    def finals(odds: float, k: int = 1, scorer: object = scorer, *, knows_repeats: bool = False) -> list[int]:
        ranker = Ranker(scorer, SimpleNamespace(), FirstFeature(), odds, knows_repeats, finalists=2)
        return ranker.choose_finalists(queries_of([3, 8]), scored, k).items[0].tolist()

    assert finals(-2.0) == [5, 7]
    assert finals(0.0) == [3, 5]
    assert finals(-2.0, k=3) == [5, 7, 9]
    assert finals(-2.0, k=9) == [5, 3, 9, 7]
    assert finals(0.0, scorer=SimpleNamespace(weights={})) == [5, 3, 9, 7]
    # A model of a shop where people buy the same again knows how likely that is, whatever they lack on validation.
    assert finals(-2.0, knows_repeats=True) == [3, 5]


@pytest.mark.parametrize("shape", [(0, 4), (2, 0)])
def test_no_candidates_need_no_model(shape: tuple[int, int]) -> None:
    items, features = np.full(shape, NO_ITEM, np.int32), np.zeros((*shape, 3), np.float32)
    ranker = Ranker(SimpleNamespace(), SimpleNamespace(), SimpleNamespace(), 1.0, finalists=4)
    assert ranker.score(queries_of(*([] for _ in range(shape[0]))), features, items).shape == shape


def random_model(hidden: tuple[int, ...]) -> RankerTables:
    """Of 3 features in 4 bins; the second has two values alone and so empty bins, the third is constant."""
    random = np.random.default_rng(0)
    edges = np.array([[-1, -0.5, 0, 0.25, 2], [0, 1, 1, 1, 1], [3, 3, 3, 3, 3]], np.float32)
    sizes = (12, *hidden, 1)
    weights = [random.normal(size=size).astype(np.float32) for size in itertools.pairwise(sizes)]
    biases = [random.normal(size=size).astype(np.float32) for size in sizes[1:]]
    return RankerTables(edges, weights, biases, random.normal(size=12).astype(np.float32), sum_weight=0.5, sum_column=1)


def scored_by_definition(model: RankerTables, features: np.ndarray) -> np.ndarray:
    """Bin by bin: how far each feature has come, then the layers."""
    scores = np.empty(features.shape[:-1])
    for position in np.ndindex(scores.shape):
        encoded = []
        for value, edges in zip(features[position], model.edges, strict=True):
            for low, high in itertools.pairwise(edges):
                encoded.append(min(max((value - low) / (high - low), 0), 1) if high > low else 0)
        hidden = np.array(encoded)
        for weight, bias in zip(model.weights[:-1], model.biases[:-1], strict=True):
            hidden = np.maximum(hidden @ weight + bias, 0)
        scores[position] = hidden @ model.weights[-1][:, 0] + model.biases[-1][0] + np.array(encoded) @ model.linear
    return scores + 0.5 * features[..., 1]


@pytest.mark.parametrize("hidden", [(5,), (6, 4)])
def test_scores_follow_the_definition_however_they_are_blocked(
    hidden: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = random_model(hidden)
    random = np.random.default_rng(1)
    features = random.normal(size=(11, 6, 3)).astype(np.float32)
    features[..., 1] = random.choice([-1, 0, 0.5, 1, 7], (11, 6))
    features[0] = [[-1, 0, 3], [2, 1, 3], [-0.5, 1, 3], [0.25, 0, 2], [9, 1, 4], [-9, 0, 3]]  # on edges and outside
    expected = scored_by_definition(model, features)
    np.testing.assert_allclose(model.score(features), expected, rtol=1e-4, atol=1e-5)
    for most in (1, 13, 40):
        monkeypatch.setattr(module, "_BLOCK_CANDIDATES", most)
        np.testing.assert_allclose(model.score(features), expected, rtol=1e-4, atol=1e-5)


def test_load_gives_back_what_was_saved(tmp_path: Path) -> None:
    model, features = random_model((6, 4)), np.random.default_rng(2).normal(size=(2, 3, 3)).astype(np.float32)
    model.save(tmp_path / "ranker.npz")
    read = RankerTables.load(tmp_path / "ranker.npz", features.shape[-1])
    assert read.score(features).tolist() == model.score(features).tolist()


def test_a_bundles_ranker_reads_the_features_it_was_written_with(tmp_path: Path) -> None:
    with open_bundle(make_bundle(tmp_path, 60, 15)) as bundle:
        ranker = bundle.ranker
        assert ranker is not None
        assert list(ranker.scorer.scorers) == bundle.manifest.ranker.scorers
        users = np.arange(15, dtype=np.int32)
        queries = Queries(bundle.histories, users, np.zeros(15, np.int64))
    items = np.random.default_rng(0).permuted(np.tile(np.arange(60, dtype=np.int32), (15, 1)), axis=1)[:, :20]
    features = described(ranker.scorer, ranker.features, queries, items)
    weights = np.array([RANKER_WEIGHTS.get(name, 0.0) for name in ranker.features.names])
    seen = [np.isin(row, bundle.histories.select([user]).items) for user, row in enumerate(items)]
    expected = features @ weights + bundle.manifest.ranker.repeat_log_odds * np.array(seen)
    np.testing.assert_allclose(ranker.score(queries, features, items), expected, rtol=1e-4, atol=1e-4)
