"""Orders by weighted sums, as they are judged and as they are served."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.bundle import Bundle, open_bundle
from recsys.core.queries import NO_ITEM
from recsys.measure.metrics import ranking_metrics
from recsys.measure.protocol import HeldOut
from recsys.pipeline.features.source_sum import SOURCE_SUM
from recsys.pipeline.ranker import Ranker
from recsys.train import order_figures as module
from recsys.train.order_figures import order_figures
from recsys.train.ranker_fit import sum_alone
from tests.support.bundles import make_bundle
from tests.support.ranking import held_out

N_ITEMS, N_USERS = 90, 40


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(make_bundle(tmp_path_factory.mktemp("bundle"), N_ITEMS, N_USERS))


@pytest.fixture(scope="module")
def held(bundle: Bundle) -> HeldOut:
    """Each user goes on to choose one to five items, seen ones among them."""
    random = np.random.default_rng(0)
    chosen = [random.permutation(N_ITEMS)[: random.integers(1, 6)].tolist() for _ in range(N_USERS)]
    return held_out(bundle.histories.select(np.arange(N_USERS)), chosen)


def ranker_of(bundle: Bundle) -> Ranker:
    assert bundle.ranker is not None
    return bundle.ranker


def by_sum(bundle: Bundle, weights: dict[str, float], unit: float, odds: float, *, repeats: bool) -> Ranker:
    """The bundle's ranker, ordering by a sum alone."""
    ranker = ranker_of(bundle)
    features = ranker.features
    model = sum_alone(len(features.names), features.column(SOURCE_SUM), unit)
    scorer = replace(ranker.scorer, weights=weights)
    return replace(ranker, scorer=scorer, model=model, repeat_log_odds=odds, knows_repeats=repeats, finalists=90)


def test_orders_are_judged_as_they_are_served(bundle: Bundle, held: HeldOut, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_QUERIES", 7)
    recommender, scorer = bundle.recommender(candidates=12), ranker_of(bundle).scorer
    first, second, *_ = scorer.names
    orders = {"one": {first: 1.0}, "both": {first: 0.3, second: 2.0}}
    figures = order_figures(recommender, scorer, held, orders, (0.0, 1.0))
    for name, weights in orders.items():
        assert figures[name].ndcg.shape == (1, N_USERS), "no item of the history is a candidate"
        ranker = by_sum(bundle, weights, figures[name].unit, -8.0, repeats=False)
        lists = replace(recommender, ranker=ranker).recommend(held.queries, 10).personal_items
        expected = ranking_metrics(lists, held.relevant, [10])["ndcg@10"]
        np.testing.assert_allclose(figures[name].ndcg[0], expected, rtol=1e-6)
        assert 0 < expected.mean() < 1
    assert (figures["one"].ndcg != figures["both"].ndcg).any()


def test_what_is_added_to_repeats_is_judged_too(bundle: Bundle, held: HeldOut) -> None:
    recommender, scorer = bundle.recommender(candidates=12), ranker_of(bundle).scorer
    weights = dict.fromkeys(scorer.names, 1.0)
    repeats = replace(held, repeats=True)
    (figures,) = order_figures(recommender, scorer, repeats, {"all": weights}, (0.0, 50.0, -50.0)).values()
    assert figures.ndcg.shape == (3, N_USERS)
    for row, offset in enumerate((0.0, 50.0, -50.0)):
        ranker = by_sum(bundle, weights, figures.unit, offset, repeats=True)
        lists = replace(recommender, ranker=ranker).recommend(held.queries, 10, exclude_seen=False).personal_items
        expected = ranking_metrics(lists, held.relevant, [10])["ndcg@10"]
        np.testing.assert_allclose(figures.ndcg[row], expected, rtol=1e-6)
    assert len({round(float(mean), 6) for mean in figures.ndcg.mean(axis=1)}) == 3


def test_the_unit_is_the_spread_of_a_query(bundle: Bundle, held: HeldOut) -> None:
    recommender, scorer = bundle.recommender(candidates=12), ranker_of(bundle).scorer
    name = scorer.names[0]
    (figures,) = order_figures(recommender, scorer, held, {"one": {name: 2.0}}, (0.0,)).values()
    readings = scorer.read(held.queries)
    items = recommender.candidates(readings)
    scored = scorer.score(readings, items).of(name)
    spreads = [row[real].std() for row, real in zip(scored, items != NO_ITEM, strict=True) if real.any()]
    assert figures.unit == pytest.approx(2 * np.mean(spreads), rel=1e-5)
