"""Explanations of live items: every fact is true of the catalogue as it is now."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from recsys.bundle import open_bundle
from recsys.bundle.overlay import LiveBundle
from recsys.core.item_changes import ItemChange
from recsys.core.queries import NO_ITEM, Queries
from recsys.explain.actions import Actions
from recsys.explain.cheap import CheapFacts, CheapReasons
from recsys.explain.cheap.facts import KINDS
from recsys.explain.evidence import Stage
from recsys.explain.explainer import Explainer
from recsys.explain.fact import Kind
from recsys.explain.facts import FactBase, Past, facts_of
from serve.bundles.facets import Facets
from tests.support import bundles
from tests.support.bundles import make_bundle
from tests.support.fact_bases import fact_base
from tests.support.fact_oracle import falsehoods
from tests.support.live import everyone, overlay

N, N_USERS, M = 120, 40, 15
WEIGHTS = {"two_tower_gap": 1.0, "transitions_share": 2.0, "brand_share": 1.0, "category_share": 1.0, "log_count": 0.4}
CHANGES = [
    *(ItemChange(f"item{row}", {"brand": f"Brand {row % 3}", "price": 10.0 + row}) for row in range(0, N, 7)),
    *(
        ItemChange(
            f"new{number}",
            {
                "title": f"New {number}",
                "brand": f"Brand {number % 5}",
                "categories": ("All", f"Group {number % 10}", f"Odd {number % 3}"),
                "price": 12.0 + number,
            },
        )
        for number in range(M)
    ),
]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveBundle]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundles, "RANKER_WEIGHTS", WEIGHTS)
        with open_bundle(make_bundle(tmp_path_factory.mktemp("live"), N, N_USERS, seed=3)) as bundle:
            yield overlay(bundle, CHANGES)


@pytest.fixture(scope="module")
def base(live: LiveBundle) -> FactBase:
    return fact_base(live)


@pytest.fixture(scope="module")
def queries(live: LiveBundle) -> Queries:
    """Everybody has had to do with two new items."""
    return everyone(live, N + 2, N + 9)


def test_evidence_and_facts_of_new_items_are_true(live: LiveBundle, base: FactBase, queries: Queries) -> None:
    explainer, listed, kinds = Explainer(live.recommender(), live.source), 0, set()
    for user in range(0, N_USERS, 5):
        query = queries.select([user])
        past = Past.of(query.histories, Actions.of(live).of_history(query.histories))
        found = explainer.recommender.recommend(query, 10).items[0].tolist()
        for item in {*(item for item in found if item != NO_ITEM), N, N + 1, N + 2, N + 14}:
            evidence = explainer.explain(query, item, 10, depth="cheap")
            for opinion in evidence.sources:
                shares = sum(share.shares[opinion.source] for share in evidence.history)
                assert shares + opinion.rest == pytest.approx(opinion.score, rel=1e-4, abs=1e-4)
            facts = facts_of(evidence, base, past)
            assert falsehoods(facts, live, query, evidence) == []
            if evidence.standing.stage is Stage.LISTED and item >= N:
                listed += 1
                kinds |= {fact.kind for fact in facts}
    assert listed > 3
    assert {Kind.SHARED_BRAND, Kind.SHARED_CATEGORY} & kinds


def test_a_full_explanation_of_a_new_item(live: LiveBundle, queries: Queries) -> None:
    explainer = Explainer(live.recommender(), live.source)
    evidence = explainer.explain(queries.select([3]), N + 1, 10)
    assert evidence.item == N + 1
    assert evidence.borrowed, "it tells from which items it borrows"


def test_cheap_facts_of_lists_with_new_items(live: LiveBundle, base: FactBase, queries: Queries) -> None:
    facets = Facets.of(live.facets)
    cheap, recommender = CheapFacts(base, facets.brands, facets.categories), live.recommender()
    lists = recommender.recommend(queries, 15)
    assert (lists.items >= N).any()
    facts = cheap.of(CheapReasons.of_recommender(recommender, base.sensitive), queries, lists)
    for row, column in np.argwhere(lists.items >= N).tolist():
        record = live.catalogue.items([int(lists.items[row, column])])[0]
        for kind, value, *_ in facts[row, column].tolist():
            if kind >= 0 and KINDS[kind] is Kind.SHARED_BRAND:
                assert cheap.shown(Kind.SHARED_BRAND, value, "") == record.brand
            if kind >= 0 and KINDS[kind] is Kind.SHARED_CATEGORY:
                assert cheap.shown(Kind.SHARED_CATEGORY, value, "") in record.categories
    told = {KINDS[kind] for kind in facts[..., 0][lists.items >= N].ravel().tolist() if kind >= 0}
    assert told
