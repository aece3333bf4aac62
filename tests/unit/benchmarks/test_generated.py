"""A generated bundle is one that the product reads, of the size of a trained one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from benchmarks.generated import PROPOSERS, make_bundle
from recsys.bundle import Bundle, open_bundle
from recsys.config import RankingConfig
from recsys.core.queries import NO_ITEM, Queries
from recsys.sources.item_to_item.source import ItemToItem

N_ITEMS, N_USERS = 2000, 300


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    with open_bundle(make_bundle(tmp_path_factory.mktemp("generated"), N_ITEMS, N_USERS)) as bundle:
        yield bundle


def test_the_pipeline_rescores_more_than_200_candidates_of_a_query(bundle: Bundle) -> None:
    rows = np.arange(64)
    queries = Queries(bundle.histories.select(rows), rows.astype(np.int32), np.zeros(64, np.int64))
    recommender = bundle.recommender()
    candidates = recommender.candidates(recommender.read(queries))
    assert (candidates != NO_ITEM).sum(axis=1).mean() > 200
    answer = recommender.recommend(queries, 10)
    assert not answer.fallback.any()
    assert np.isfinite(answer.scores).all()
    assert answer.ratings is not None
    assert np.isfinite(answer.ratings).all()


def test_models_have_the_default_sizes(bundle: Bundle) -> None:
    """Widths by hand: 64 learned + 128 of text; 2 heads; 35 features in 16 bins; layers of 64 and 32, and of 32."""
    assert bundle.item_embeddings.shape == (N_ITEMS, 192)
    assert bundle.ranker is not None
    assert [weight.shape for weight in bundle.ranker.model.weights] == [(35 * 16, 64), (64, 32), (32, 1)]
    assert bundle.ranker.model.edges.shape == (35, 17)
    assert {(192, 2 * 32), (32, 32), (4, 32)} <= matrices(bundle.path / "onnx/ranking_head.onnx")
    assert bundle.rating_predictor is not None
    assert bundle.rating_predictor.item_parts.shape == (N_ITEMS, 32)
    assert {(64, 2 * 64), (2 * 64, 64), (64, 64)} <= matrices(bundle.path / "onnx/query_tower.onnx")


def matrices(path: Path) -> set[tuple[int, ...]]:
    """Shapes of the weights."""
    return {tuple(tensor.dims) for tensor in onnx.load(path).graph.initializer}


def test_neighbours_are_others_of_falling_similarity(bundle: Bundle) -> None:
    for name in PROPOSERS:
        retriever = bundle.source(name)
        assert isinstance(retriever, ItemToItem)
        lists, similarities = retriever.neighbours, retriever.similarities
        assert lists.shape[1] >= RankingConfig().retriever_candidates
        assert not (lists == np.arange(N_ITEMS)[:, None]).any()
        assert (np.diff(similarities, axis=1) <= 0).all()
        assert ((similarities > 0) == (lists != NO_ITEM)).all()
        ordered = np.sort(lists, axis=1)
        assert ((np.diff(ordered, axis=1) > 0) | (ordered[:, 1:] == NO_ITEM)).all(), "no item twice"


def test_what_nobody_chose_is_known_by_its_content_alone(bundle: Bundle) -> None:
    ranker = bundle.ranker
    assert ranker is not None
    unknown = ranker.scorer.loans.borrowers
    assert len(unknown) == 6  # 0.3 % of 2000
    assert not np.isin(bundle.histories.items, unknown).any()
    behaviour, content = bundle.source("transitions"), bundle.source("content_tfidf")
    assert isinstance(behaviour, ItemToItem)
    assert isinstance(content, ItemToItem)
    assert not np.isin(behaviour.neighbours, unknown).any()
    assert np.isin(content.neighbours, unknown).any()


def test_the_catalogue_says_what_the_ranker_reads(bundle: Bundle) -> None:
    ranker = bundle.ranker
    assert ranker is not None
    groups: dict[str, Any] = ranker.features.groups
    brands, categories, prices = groups["brand"].brand, groups["category"].categories, groups["price"].log_price
    for record in bundle.catalogue.items(np.arange(50)):
        brand = brands[record.row]
        assert record.brand == (f"Brand {brand}" if brand else None)
        assert len(record.categories) == (categories[record.row] > 0).sum()
        if record.price is not None:
            assert np.log(record.price) == pytest.approx(prices[record.row], abs=0.01)
    assert bundle.catalogue.n_users == N_USERS
    assert 6 < bundle.histories.lengths.mean() < 12
