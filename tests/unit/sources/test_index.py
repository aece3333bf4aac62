from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from recsys.core.errors import BundleError
from recsys.core.queries import NO_ITEM
from recsys.sources import exact
from recsys.sources.two_tower import index_building
from recsys.sources.two_tower.index import ScannIndex, build_index
from recsys.sources.two_tower.index_parameters import IndexParameters, choose_parameters
from recsys.sources.two_tower.settings import IndexConfig
from tests.support.bundles import make_embeddings

TREE = IndexConfig(exact_below=0, target_recall=0)
NARROW = IndexConfig(exact_below=0, leaves=50, leaves_to_search=1, reorder=100, min_recall=0.9)


@pytest.fixture(scope="module")
def embeddings() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(3000, 16)).astype(np.float16).astype(np.float32)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(200, 16)).astype(np.float32)


class TestChoiceOfParameters:
    def test_small_catalogues_are_searched_exactly(self) -> None:
        assert choose_parameters(4999, IndexConfig(exact_below=5000)).exact
        assert not choose_parameters(5000, IndexConfig(exact_below=5000)).exact

    def test_a_tree_needs_a_thousand_items_whatever_the_config_says(self) -> None:
        assert choose_parameters(999, IndexConfig(exact_below=0)).exact
        assert not choose_parameters(1000, IndexConfig(exact_below=0)).exact

    @pytest.mark.parametrize(
        ("n_items", "expected"),
        [(65_000, (500, 150, 300)), (500_000, (1500, 75, 800)), (2_000_000, (3000, 90, 500))],
    )
    def test_measured_sizes_get_what_was_measured(self, n_items: int, expected: tuple[int, int, int]) -> None:
        assert choose_parameters(n_items, IndexConfig()) == IndexParameters(*expected)

    def test_sizes_between_get_parameters_between(self) -> None:
        between = choose_parameters(180_000, IndexConfig())
        assert 500 < between.leaves < 1500
        assert 75 < between.leaves_to_search < 150
        assert 300 < between.reorder < 800

    def test_the_config_has_the_last_word(self) -> None:
        config = IndexConfig(leaves=700, leaves_to_search=33, reorder=444)
        assert choose_parameters(65_000, config) == IndexParameters(700, 33, 444)

    def test_but_not_beyond_what_there_is(self) -> None:
        config = IndexConfig(exact_below=0, leaves=10_000, leaves_to_search=9000, reorder=8000)
        assert choose_parameters(1200, config) == IndexParameters(600, 600, 1200)


class TestSearch:
    @pytest.mark.parametrize("size", [1, 2, 15, 16, 100, 999, 1000])
    def test_any_size_of_catalogue_can_be_indexed(self, size: int, embeddings: np.ndarray, vectors: np.ndarray) -> None:
        index = ScannIndex.build(embeddings[:size], TREE)
        candidates = index.search(vectors[:5], size)
        truth = exact.search(vectors[:5], embeddings[:size], size)
        np.testing.assert_array_equal(np.sort(candidates.items), np.sort(truth.items))  # rounding may swap neighbours
        np.testing.assert_allclose(candidates.scores, truth.scores, rtol=1e-4, atol=1e-5)
        own = np.einsum("bd,bkd->bk", vectors[:5], embeddings[candidates.items])
        np.testing.assert_allclose(candidates.scores, own, rtol=1e-5, atol=1e-6)

    def test_an_odd_number_of_dimensions(self, vectors: np.ndarray, embeddings: np.ndarray) -> None:
        index = ScannIndex.build(embeddings[:, :7], TREE)
        assert index.measure_recall(embeddings[:, :7], vectors[:, :7], 10) > 0.95

    def test_tree_search_finds_nearly_all(self, embeddings: np.ndarray, vectors: np.ndarray) -> None:
        index = ScannIndex.build(embeddings, TREE)
        candidates, truth = index.search(vectors, 100), exact.search(vectors, embeddings, 100)
        overlap = [len(np.intersect1d(f, t)) / 100 for f, t in zip(candidates.items, truth.items, strict=True)]
        assert np.mean(overlap) > 0.9
        assert index.measure_recall(embeddings, vectors) == pytest.approx(np.mean(overlap))

    @pytest.mark.parametrize("queries", [1, 3])
    @pytest.mark.parametrize("k", [2000, 3000, 3005])
    def test_k_beyond_what_the_searched_partitions_hold(
        self, embeddings: np.ndarray, vectors: np.ndarray, queries: int, k: int
    ) -> None:
        candidates = ScannIndex.build(embeddings, NARROW).search(vectors[:queries], k)
        assert candidates.items.shape == (queries, k)
        assert ((candidates.items != NO_ITEM).sum(axis=1) == min(k, 3000)).all()

    def test_partitions_that_hold_fewer_than_k_pad(self, embeddings: np.ndarray, vectors: np.ndarray) -> None:
        # One of 50 partitions has about 60 items; k = 14 widens to one partition, 4 * 14 < 60.
        candidates = ScannIndex.build(embeddings, NARROW).search(vectors, 14)
        np.testing.assert_array_equal(candidates.items == NO_ITEM, candidates.scores == -np.inf)
        assert not np.isnan(candidates.scores).any()

    def test_one_query_and_a_batch_agree(self, embeddings: np.ndarray, vectors: np.ndarray) -> None:
        index = ScannIndex.build(embeddings, TREE)
        batch = index.search(vectors[:20], 30)
        for row in range(20):
            np.testing.assert_array_equal(index.search(vectors[row : row + 1], 30).items[0], batch.items[row])

    def test_no_queries(self, embeddings: np.ndarray) -> None:
        assert ScannIndex.build(embeddings, TREE).search(embeddings[:0], 5).items.shape == (0, 5)

    def test_the_same_embeddings_give_the_same_index(self, embeddings: np.ndarray, vectors: np.ndarray) -> None:
        first, second = (ScannIndex.build(embeddings, NARROW).search(vectors, 50) for _ in range(2))
        np.testing.assert_array_equal(first.items, second.items)

    def test_what_is_added_in_blocks_is_found_as_well(
        self, embeddings: np.ndarray, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        wide = IndexConfig(exact_below=0, leaves=50, leaves_to_search=50, reorder=300)
        whole = ScannIndex.build(embeddings, wide).measure_recall(embeddings, vectors)
        monkeypatch.setattr(index_building, "BUILT_AT_ONCE", 1200)
        monkeypatch.setattr(index_building, "_TREE_TRAINING_ITEMS", 1000)
        monkeypatch.setattr(index_building, "_ADDED_AT_ONCE", 700)
        blocks: list[int] = []
        added = ScannIndex.build(embeddings, wide, blocks.append)
        assert blocks == [1000, 700, 700, 600]
        assert added.measure_recall(embeddings, vectors) > whole - 0.01
        added.save(tmp_path)
        found = added.search(vectors, 100).items
        loaded = ScannIndex.load(tmp_path, embeddings.astype(np.float16))
        np.testing.assert_array_equal(loaded.search(vectors, 100).items, found)
        again = ScannIndex.build(embeddings, wide)
        np.testing.assert_array_equal(again.search(vectors, 100).items, found)


class TestQuality:
    def test_recall_below_the_floor_is_refused_with_a_way_out(
        self, embeddings: np.ndarray, vectors: np.ndarray
    ) -> None:
        with pytest.raises(BundleError, match=r"recall@100 of at least 0\.9.*") as error:
            build_index(embeddings, vectors, NARROW)
        assert "50 leaves, 1 searched, 100 reordered" in error.value.got
        assert "index.leaves_to_search" in error.value.remedy

    def test_the_search_widens_until_the_target_is_reached(self, embeddings: np.ndarray, vectors: np.ndarray) -> None:
        narrow = IndexConfig(exact_below=0, leaves=1500, target_recall=0.999, min_recall=0)
        start = ScannIndex.build(embeddings, narrow)
        assert start.measure_recall(embeddings, vectors) < 0.999
        index, recall = build_index(embeddings, vectors, narrow)
        assert recall >= 0.999
        assert recall == pytest.approx(index.measure_recall(embeddings, vectors))
        assert index.parameters.leaves_to_search > start.parameters.leaves_to_search

    def test_the_search_narrows_as_far_as_the_target_allows(self, embeddings: np.ndarray, vectors: np.ndarray) -> None:
        config = IndexConfig(exact_below=0, target_recall=0.8, min_recall=0)
        start = ScannIndex.build(embeddings, config)
        index, recall = build_index(embeddings, vectors, config)
        assert start.measure_recall(embeddings, vectors) > recall >= 0.8
        chosen = index.parameters
        assert chosen.leaves == start.parameters.leaves
        assert chosen.cost(len(embeddings)) < 0.8 * start.parameters.cost(len(embeddings))
        # A step further comes too close to the target.
        candidates = index.with_parameters(chosen.of_fewer_partitions()).search(vectors, 100).items
        truth = exact.search(vectors, embeddings, 100).items
        shares = [len(np.intersect1d(f, t)) / 100 for f, t in zip(candidates, truth, strict=True)]
        assert np.mean(shares) - 2 * np.std(shares) / np.sqrt(len(shares)) < 0.8

    def test_narrower_searches_end_and_cost_less(self) -> None:
        wide = IndexParameters(500, 10, 120)
        assert wide.of_fewer_partitions() == IndexParameters(500, 8, 120)
        assert wide.of_fewer_items() == IndexParameters(500, 10, 100)
        assert wide.cost(65_000) == 10 * 130 / 30 + 120  # codes of 10 partitions, and items
        for end in (IndexParameters(500, 1, 100), IndexParameters(500, 1, 40)):
            assert end.of_fewer_partitions() == end.of_fewer_items() == end

    @pytest.mark.parametrize("fixed", [{"leaves_to_search": 50}, {"reorder": 3000}])
    def test_what_the_config_fixes_is_neither_widened_nor_narrowed(
        self, fixed: dict[str, int], embeddings: np.ndarray, vectors: np.ndarray
    ) -> None:
        narrow = NARROW.model_copy(update={"min_recall": 0.0})
        assert build_index(embeddings, vectors, narrow)[0].parameters == IndexParameters(50, 1, 100)
        wide = IndexConfig(exact_below=0, target_recall=0.5, min_recall=0, **fixed)
        assert build_index(embeddings, vectors, wide)[0].parameters == choose_parameters(len(embeddings), wide)

    def test_an_unreachable_target_ends_with_the_widest_search(
        self, embeddings: np.ndarray, vectors: np.ndarray
    ) -> None:
        config = IndexConfig(exact_below=0, target_recall=1.0, min_recall=0.9)
        _, recall = build_index(embeddings, vectors, config)
        assert recall > 0.999

    def test_exact_search_has_full_recall(self, embeddings: np.ndarray, vectors: np.ndarray) -> None:
        assert build_index(embeddings[:500], vectors, IndexConfig())[1] == 1.0

    def test_the_sample_of_queries_is_seeded_and_may_exceed_the_users(
        self, embeddings: np.ndarray, vectors: np.ndarray
    ) -> None:
        config = NARROW.model_copy(update={"min_recall": 0.0, "sample_queries": 20})
        first, same, other = (build_index(embeddings, vectors, config, seed)[1] for seed in (0, 0, 1))
        assert first == same != other
        build_index(embeddings, vectors[:3], config)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -7e4])
    def test_embeddings_that_are_not_finite_are_refused(self, value: float) -> None:
        broken = make_embeddings(20, 4)
        broken[7, 2] = value
        with pytest.raises(BundleError, match="row 7"):
            ScannIndex.build(broken, IndexConfig())

    def test_an_empty_catalogue_is_refused(self) -> None:
        with pytest.raises(BundleError, match="none"):
            ScannIndex.build(np.zeros((0, 4), np.float32), IndexConfig())


class TestFiles:
    @pytest.mark.parametrize("config", [TREE, IndexConfig()])
    def test_a_moved_index_searches_as_before(
        self, config: IndexConfig, embeddings: np.ndarray, vectors: np.ndarray, tmp_path: Path
    ) -> None:
        index = ScannIndex.build(embeddings, config)
        (tmp_path / "a").mkdir()
        index.save(tmp_path / "a")
        shutil.move(tmp_path / "a", tmp_path / "b")
        loaded = ScannIndex.load(tmp_path / "b", embeddings)
        assert loaded.parameters == index.parameters
        np.testing.assert_array_equal(loaded.search(vectors, 40).items, index.search(vectors, 40).items)

    def test_a_widened_search_is_what_gets_saved(
        self, embeddings: np.ndarray, vectors: np.ndarray, tmp_path: Path
    ) -> None:
        index = ScannIndex.build(embeddings, NARROW).widened().widened().widened()
        index.save(tmp_path)
        loaded = ScannIndex.load(tmp_path, embeddings)
        assert loaded.parameters == index.parameters == IndexParameters(50, 5, 338)
        assert loaded.measure_recall(embeddings, vectors) == index.measure_recall(embeddings, vectors)

    def test_an_index_of_other_embeddings_is_refused(self, embeddings: np.ndarray, tmp_path: Path) -> None:
        ScannIndex.build(embeddings, TREE).save(tmp_path)
        with pytest.raises(BundleError, match="index of"):
            ScannIndex.load(tmp_path, embeddings[:-1])

    def test_the_embeddings_are_saved_once(self, embeddings: np.ndarray, tmp_path: Path) -> None:
        ScannIndex.build(embeddings, TREE).save(tmp_path)
        assert sum(file.stat().st_size for file in tmp_path.iterdir()) < embeddings.nbytes / 2

    def test_a_missing_or_damaged_index_says_so(self, embeddings: np.ndarray, tmp_path: Path) -> None:
        with pytest.raises(BundleError, match=r"nowhere/index\.json"):
            ScannIndex.load(tmp_path / "nowhere", embeddings)
        ScannIndex.build(embeddings, TREE).save(tmp_path)
        (tmp_path / "scann_assets.pbtxt").unlink()
        with pytest.raises(BundleError, match="scann_assets"):
            ScannIndex.load(tmp_path, embeddings)
        (tmp_path / "index.json").write_text(json.dumps({"n_items": 3}))
        with pytest.raises(BundleError):
            ScannIndex.load(tmp_path, embeddings)
