"""Numbers of customers in sentences, counted anew from what the sources were fitted on, in shops of all kinds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.bundle import Bundle, open_bundle
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.explain.cheap import CheapReasons
from recsys.explain.explainer import Explainer
from recsys.explain.fact import OF_BEHAVIOUR, Kind
from recsys.explain.facts import Past, facts_of
from recsys.explain.text.phrases import Phrases
from recsys.explain.text.rule_text import sentence
from recsys.pipeline.propose import Proposer
from recsys.pipeline.recommender import Recommender
from recsys.sources.hybrid import Hybrid
from recsys.sources.item_to_item.ease_fit import fit_ease
from recsys.sources.item_to_item.neighbours_fit import fit_neighbours
from recsys.sources.item_to_item.transitions_fit import WINDOW, fit_transitions
from tests.support import bundles
from tests.support.bundles import START, make_bundle
from tests.support.counting import both, later
from tests.support.fact_bases import fact_base
from tests.support.fact_oracle import falsehoods
from tests.support.serving import query_of

N_ITEMS, N_USERS = 14, 20
PHRASES = Phrases.load("en"), Phrases.load("de")


def shop(n_users: int, n_items: int, seed: int) -> Histories:
    """Histories of up to 12 items, chosen again or not, many of them at one moment; the last user has none."""
    random = np.random.default_rng(seed)
    rows = np.repeat(np.arange(n_users - 1), random.integers(1, 13, n_users - 1))
    items = random.choice(n_items, len(rows), p=random.dirichlet(np.ones(n_items)))
    times = START + 86_400 * np.sort(random.integers(0, 40, len(rows)))
    return Histories.from_rows(n_users, rows, items, times, random.integers(1, 6, len(rows)))


def queries_of(histories: Histories) -> Queries:
    return Queries(histories, np.full(len(histories), NO_ITEM, np.int32), np.full(len(histories), START + 10**8))


def assert_true(histories: Histories, kind: Kind, count: int, chosen: int, item: int) -> None:
    """What is told of two items and so many customers; a co-purchase of one may be one of several, see `told_by`."""
    together, after = both(histories, chosen, item), later(histories, chosen, item, WINDOW)
    if kind is Kind.NEXT_PURCHASE:
        assert count == after >= 1
    elif not (count == 1 and after == 0 and together >= 1):
        assert count == together >= 1


@given(st.integers(0, 10_000), st.sampled_from((0.0, 0.5, 1.0)), st.booleans())
@settings(max_examples=40, deadline=None)
def test_reasons_of_lists_count_what_users_did(seed: int, reverse: float, repeats: bool) -> None:
    histories = shop(N_USERS, N_ITEMS, seed)
    sources = (
        fit_transitions(histories, N_ITEMS, reverse=reverse, k=6, itself=repeats),
        fit_neighbours(histories, N_ITEMS, k=4),
        fit_ease(histories, N_ITEMS, l2=0.5, k=N_ITEMS),
    )
    made = Hybrid({source.name: source for source in sources}, {"transitions": 3.0, "neighbours_bm25": 0.1, "ease": 3})
    queries = queries_of(histories)
    lists = Recommender([Proposer(made, N_ITEMS)], made).recommend(queries, 6, exclude_seen=not repeats)
    found = CheapReasons.of_source(made).of(queries, lists)
    for row, column in np.argwhere(found.items != NO_ITEM).tolist():
        kind, count = found.kinds[found.sources[row, column]], int(found.counts[row, column])
        assert kind in OF_BEHAVIOUR
        told = (kind, count) if count else (Kind.CO_PURCHASE, 1)
        chosen, item = int(found.items[row, column]), int(lists.items[row, column])
        if item in histories.select([row]).items:  # the user may be one of them, and no number is told
            after = kind is Kind.NEXT_PURCHASE
            supporters = later(histories, chosen, item, WINDOW) if after else both(histories, chosen, item)
            assert supporters > count == 1
        else:
            assert_true(histories, *told, chosen, item)


@pytest.fixture(scope="module", params=range(3))
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundles, "make_histories", shop)
        folder: Path = tmp_path_factory.mktemp("shop")
        with open_bundle(make_bundle(folder, n_items=40, n_users=30, seed=request.param)) as opened:
            yield opened


def test_facts_count_what_users_did_and_sentences_tell_it(bundle: Bundle) -> None:
    recommender, base = bundle.recommender(), fact_base(bundle)
    explainer, kinds = Explainer(recommender, bundle.source), set()
    for user in range(29):
        query = query_of(bundle, user)
        for item in recommender.recommend(query, 6).items[0].tolist():
            evidence = explainer.explain(query, item, 6, depth="cheap")
            facts = [fact for fact in facts_of(evidence, base, Past.of(query.histories)) if fact.kind in OF_BEHAVIOUR]
            assert falsehoods(facts, bundle, query, evidence) == []
            for fact in facts:
                assert fact.history_item is not None
                assert_true(bundle.histories, fact.kind, fact.count, fact.history_item, item)
                kinds.add((fact.kind, fact.count > 1))
                for phrases in PHRASES if fact.polarity == "for" else ():
                    told = {tuple(re.findall(r"\d+", _untitled(sentence(fact, phrases, n)))) for n in range(3)}
                    assert told == {(str(fact.count),) if fact.count > 1 else ()}
    assert {(kind, several) for kind in OF_BEHAVIOUR for several in (False, True)} == kinds


def _untitled(text: str) -> str:
    return re.sub("[“„].*?[”“]", "", text)
