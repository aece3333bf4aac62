from __future__ import annotations

import itertools
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.bundle import open_bundle
from recsys.core.queries import NO_ITEM, Queries
from recsys.explain import contributions as module
from recsys.explain.coalitions import coalition_scores, players_of
from recsys.explain.contributions import OTHERS, Finalist, by_ranker
from recsys.explain.evidence import Contributions
from recsys.pipeline.ranker import Ranker
from recsys.pipeline.trace import Trace
from recsys.sources.registry import RESERVED
from tests.support.bundles import make_bundle
from tests.support.rankers import ITEM, PRIMARY, REFERENCE, Pair, by_all_orders, random_pair, random_ranker

HEADINGS = {PRIMARY: 3, "transitions": 2, "bpr": 1, "popularity": 2, "price": 1, "history": 1}
WEIGHTS = {PRIMARY: 0.5, "transitions": 2.0, "ease": 1.5, "popularity": 0.25, "recent_popularity": 0.125}
GROUPS = {
    PRIMARY: [PRIMARY],
    "transitions": ["transitions"],
    "popularity": ["popularity", "recent_popularity"],
    "price": ["price"],
    "history": ["history"],
    "ease": ["ease"],
}
seeds = st.integers(0, 2**32 - 1)
extremes = st.sampled_from([-3.4e38, -1e30, -1e6, -1.0, -1e-38, 0.0, 1e-38, 0.5, 1.0, 1e6, 1e30, 3.4e38])


def by_group(found: Contributions) -> dict[str, float]:
    assert len({one.group for one in found.groups}) == len(found.groups)
    return {one.group: one.value for one in found.groups}


@st.composite
def rankers(draw: st.DrawFn) -> Ranker:
    """Of at most 12 groups: some headings, the members of the source sum that have none, and popularity."""
    chosen = draw(st.lists(st.sampled_from([*HEADINGS, "brand", "category", "rating"]), min_size=1, unique=True))
    headings = {PRIMARY: draw(st.integers(1, 4)), **{name: draw(st.integers(1, 4)) for name in chosen}}
    weights = draw(st.dictionaries(st.sampled_from(list(WEIGHTS)), st.floats(0.001, 10), max_size=5))
    return random_ranker(
        np.random.default_rng(draw(seeds)),
        headings,
        weights,
        hidden=draw(st.lists(st.integers(1, 20), max_size=3)),
        bins=draw(st.integers(1, 8)),
        sum_at=draw(st.integers(0, len(headings))),
        repeat_log_odds=draw(st.floats(-20, 20)),
    )


@st.composite
def pairs(draw: st.DrawFn, ranker: Ranker) -> Pair:
    """Of features on edges, between and far beyond them, some of which both share."""
    random = np.random.default_rng(draw(seeds))
    features = random.normal(size=(2, len(ranker.features.names))).astype(np.float32)
    features[:, ::2] = random.choice(ranker.model.edges[::2].ravel(), features[:, ::2].shape)
    for column, value in draw(st.dictionaries(st.integers(0, features.shape[1] - 1), extremes)).items():
        features[random.integers(2), column] = value
    features[1] = np.where(random.random(features.shape[1]) < draw(st.floats(0, 1)), features[0], features[1])
    scores = random.normal(0, draw(st.sampled_from([0, 1, 30])), (len(ranker.scorer.names), 2)).astype(np.float32)
    return Pair.of(ranker, features, scores, draw(st.tuples(st.booleans(), st.booleans())))


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_groups_add_up_to_the_difference_of_the_final_scores(data: st.DataObject) -> None:
    ranker = data.draw(rankers())
    pair = data.draw(pairs(ranker))
    for reference in (pair.reference, None):
        found = by_ranker(ranker, pair.item, reference)
        total = sum(one.value for one in found.groups)
        scale = max(1, abs(found.score), abs(found.reference_score))
        assert abs(total - (found.score - found.reference_score)) <= 1e-4 * scale
        assert found.additivity_error == pytest.approx(abs(total - (found.score - found.reference_score)))
        assert all(np.isfinite(one.value) for one in found.groups)
        assert [abs(one.value) for one in found.groups] == sorted(
            (abs(one.value) for one in found.groups), reverse=True
        )
    assert found.score == pair.ranked.scores[0, ITEM]


@pytest.mark.parametrize("repeated", [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("hidden", [(), (7,), (6, 4)])
@pytest.mark.parametrize("sum_at", [0, 3, 6])
def test_values_are_the_mean_over_all_orders_of_the_groups(
    hidden: tuple[int, ...], sum_at: int, repeated: tuple[bool, bool]
) -> None:
    random = np.random.default_rng([sum_at, len(hidden), *repeated])
    headings = {name: count for name, count in HEADINGS.items() if name != "bpr"}
    ranker = random_ranker(random, headings, WEIGHTS, hidden=hidden, sum_at=sum_at)
    pair = random_pair(random, ranker, repeated)
    found = by_group(by_ranker(ranker, pair.item, pair.reference))
    assert found == pytest.approx(by_all_orders(ranker, pair, GROUPS), abs=2e-5)
    assert sum(abs(value) > 1e-3 for value in found.values()) >= 5  # a table may be flat, where edges coincide


@pytest.mark.parametrize("repeated", [(False, False), (True, False), (False, True), (True, True)])
def test_nobody_has_the_references_score_and_all_together_have_the_items(repeated: tuple[bool, bool]) -> None:
    random = np.random.default_rng(7)
    ranker = random_ranker(random, HEADINGS, WEIGHTS)
    pair = random_pair(random, ranker, repeated)
    scores = coalition_scores(ranker, players_of(ranker), pair.item.numbers, pair.reference.numbers)
    assert scores[0] == pytest.approx(pair.ranked.scores[0, REFERENCE], abs=1e-5)
    assert scores[-1] == pytest.approx(pair.ranked.scores[0, ITEM], abs=1e-5)


def test_a_finalist_is_repeated_where_repeats_are_ranked() -> None:
    random = np.random.default_rng(8)
    pair = random_pair(random, random_ranker(random, HEADINGS, WEIGHTS), (True, False))
    known = pair.ranked, pair.queries.histories, 0
    assert Finalist.of(*known, ITEM).numbers.repeated
    assert not Finalist.of(*known, REFERENCE).numbers.repeated
    assert not Finalist.of(*known, ITEM, repeats=False).numbers.repeated


def test_a_source_without_a_weight_is_in_the_sum_of_no_coalition() -> None:
    random = np.random.default_rng(1)
    ranker = random_ranker(random, {PRIMARY: 1, "bpr": 1}, {PRIMARY: 0.0, "bpr": 1.0})
    pair = random_pair(random, ranker)
    found = by_group(by_ranker(ranker, pair.item, pair.reference))
    expected = by_all_orders(ranker, pair, {PRIMARY: [PRIMARY], "bpr": ["bpr"], "history": []})
    assert found == pytest.approx(expected, abs=2e-5)


def test_a_group_in_which_both_are_alike_gives_exactly_nothing() -> None:
    random = np.random.default_rng(2)
    ranker = random_ranker(random, HEADINGS, WEIGHTS)
    features, scores = random.normal(size=(2, 2, 11)).astype(np.float32)[0], np.ones((5, 2), np.float32)
    alike = [name.split(".")[0] in ("price", "popularity", "bpr") for name in ranker.features.names]
    features[1, alike] = features[0, alike]
    scores[ranker.scorer.names.index("ease"), 0] = 2
    pair = Pair.of(ranker, features, scores)
    found = by_ranker(ranker, pair.item, pair.reference)
    assert {one.group for one in found.groups if one.value == 0} == {"price", "popularity", "bpr"}
    assert by_group(found).keys() == {*HEADINGS, "ease"}


def like(ranker: Ranker, heading: str, other: str | None) -> Ranker:
    """The ranker in which the one feature of a heading has the tables of another's; None: tables of zeros."""
    names, model = ranker.features.names, ranker.model
    bins = model.edges.shape[1] - 1
    edges, linear = model.edges.copy(), model.linear.reshape(-1, bins).copy()
    first = model.weights[0].reshape(len(names), bins, -1).copy()
    row = names.index(f"{heading}.0")
    for table in (edges, linear, first):
        table[row] = 0 if other is None else table[names.index(f"{other}.0")]
    edges[row] = model.edges[row] if other is None else edges[row]
    weights = [first.reshape(model.weights[0].shape), *model.weights[1:]]
    return replace(ranker, model=replace(model, edges=edges, weights=weights, linear=linear.ravel()))


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_groups_that_do_the_same_get_the_same_and_one_that_does_nothing_gets_nothing(seed: int) -> None:
    random = np.random.default_rng(seed)
    ranker = random_ranker(random, {PRIMARY: 2, "price": 1, "brand": 1, "rating": 1}, {PRIMARY: 1.0})
    ranker = like(like(ranker, "brand", "price"), "rating", None)
    features, scores = random.normal(size=(2, 6)).astype(np.float32), random.normal(size=(1, 2)).astype(np.float32)
    names = ranker.features.names
    features[:, names.index("brand.0")] = features[:, names.index("price.0")]
    pair = Pair.of(ranker, features, scores)
    found = by_group(by_ranker(ranker, pair.item, pair.reference))
    assert found["brand"] == pytest.approx(found["price"], abs=1e-9)
    assert found["rating"] == 0
    assert found[PRIMARY] != 0


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_item_and_reference_in_turn_change_all_signs(seed: int) -> None:
    random = np.random.default_rng(seed)
    ranker = random_ranker(random, HEADINGS, WEIGHTS)
    pair = random_pair(random, ranker, (True, False))
    there, back = by_ranker(ranker, pair.item, pair.reference), by_ranker(ranker, pair.reference, pair.item)
    assert by_group(there) == pytest.approx({group: -value for group, value in by_group(back).items()}, abs=1e-5)
    assert (there.reference, back.reference) == (REFERENCE, ITEM)


@pytest.mark.parametrize("seed", range(10))
def test_shuffled_weights_change_the_contributions(seed: int) -> None:
    """Adebayo et al., "Sanity checks for saliency maps" (2018): explanations must depend on what a model learned."""
    random = np.random.default_rng(seed)
    ranker = random_ranker(random, HEADINGS, WEIGHTS)
    model = ranker.model
    shuffled = replace(
        model, weights=[random.permuted(weight) for weight in model.weights], linear=random.permuted(model.linear)
    )
    features = random.normal(size=(2, len(ranker.features.names))).astype(np.float32)
    scores = random.normal(size=(5, 2)).astype(np.float32)

    def values(ranker: Ranker) -> dict[str, float]:
        pair = Pair.of(ranker, features, scores)
        return by_group(by_ranker(ranker, pair.item, pair.reference))

    before, after = values(ranker), values(replace(ranker, model=shuffled))
    changes = [abs(before[group] - after[group]) for group in before]
    assert max(changes) > 0.1 * max(map(abs, before.values()))


def test_the_same_numbers_twice() -> None:
    random = np.random.default_rng(3)
    ranker = random_ranker(random, HEADINGS, WEIGHTS, hidden=(64, 32), bins=32)
    pair = random_pair(random, ranker)
    first, second = (by_ranker(ranker, pair.item, pair.reference) for _ in range(2))
    assert msgspec.json.encode(first) == msgspec.json.encode(second)


def test_without_a_reference_the_item_is_compared_with_one_of_which_nothing_is_known() -> None:
    random = np.random.default_rng(4)
    ranker = random_ranker(random, HEADINGS, WEIGHTS)
    pair = random_pair(random, ranker, (True, False))
    features, scores = pair.ranked.features[0].copy(), pair.ranked.finalists.scores[:, 0].copy()
    features[1], scores[:, 1] = 0, 0
    blank = Pair.of(ranker, features, scores, (True, False))
    expected = by_ranker(ranker, blank.item, blank.reference)
    assert by_ranker(ranker, pair.item, None) == replace(expected, reference=None)
    assert expected.reference_score == blank.ranked.scores[0, REFERENCE]


@pytest.mark.parametrize("odds", [-5.0, -0.25])
def test_where_too_many_groups_differ_the_weakest_play_as_one(odds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    ranker = random_ranker(random, HEADINGS, WEIGHTS, repeat_log_odds=odds)
    pair = random_pair(random, ranker, (True, False))
    exact = by_ranker(ranker, pair.item, pair.reference)
    groups = {**GROUPS, "bpr": ["bpr"]}

    def alone(group: str) -> float:
        return abs(by_all_orders(ranker, pair, {group: groups[group]})[group])

    strongest = sorted(groups, key=alone)[-3:]
    assert ("history" in strongest) == (odds == -5)
    others = {OTHERS: [name for group, names in groups.items() if group not in strongest for name in names]}
    expected = by_all_orders(ranker, pair, {group: groups[group] for group in strongest} | others)
    monkeypatch.setattr(module, "MOST_PLAYERS", 4)
    found = by_ranker(ranker, pair.item, pair.reference)
    assert by_group(found) == pytest.approx(expected, abs=2e-5)
    assert (exact.exact, found.exact) == (True, False)
    assert found.additivity_error < 1e-4


def test_eighteen_groups_that_differ_are_too_many() -> None:
    random = np.random.default_rng(6)
    headings = {PRIMARY: 1, "price": 1, **{f"source_{n}": 1 for n in range(16)}}
    ranker = random_ranker(random, headings, {PRIMARY: 1.0, **{f"source_{n}": 1.0 for n in range(16)}})
    pair = random_pair(random, ranker)
    found = by_ranker(ranker, pair.item, pair.reference)
    assert not found.exact
    assert sum(one.value != 0 for one in found.groups) == 16
    assert OTHERS in by_group(found)
    assert OTHERS in RESERVED  # no source can bear the name
    assert found.additivity_error < 1e-4


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ranker, Trace]:
    """The ways of 30 users' lists through a bundle, in which prices and brands of many items are unknown."""
    folder = make_bundle(tmp_path_factory.mktemp("bundle"), 120, 30)
    with open_bundle(folder) as bundle:
        recommender = bundle.recommender()
        assert recommender.ranker is not None
        users = np.arange(30)
        queries = Queries(bundle.histories.select(users), users.astype(np.int32), np.zeros(30, np.int64))
        return recommender.ranker, recommender.trace(queries, 5)


def test_of_a_bundles_lists_they_are_finite_and_add_up(traced: tuple[Ranker, Trace]) -> None:
    ranker, trace = traced
    assert trace.ranked is not None
    assert np.isfinite(trace.ranked.features).all()
    ranking, explained = trace.ranking.items, 0
    for query, column in itertools.product(range(30), (0, 4, 9)):
        if NO_ITEM in (item := ranking[query, column], reference := ranking[query, 5]):
            continue
        both = [Finalist.of(trace.ranked, trace.queries.histories, query, one) for one in (item, reference)]
        for compared in (both[1], None):
            found = by_ranker(ranker, both[0], compared)
            assert np.isfinite([one.value for one in found.groups]).all()
            assert found.additivity_error < 1e-4
            assert found.exact
            explained += 1
    assert explained > 100


def test_only_a_finalist_has_contributions_to_a_final_score(traced: tuple[Ranker, Trace]) -> None:
    ranked, histories = traced[1].ranked, traced[1].queries.histories
    assert ranked is not None
    left = next(item for item in range(120) if item not in ranked.finalists.items[0])
    for item in (left, NO_ITEM):
        with pytest.raises(ValueError, match=f"a finalist of query 0, got item {item}"):
            Finalist.of(ranked, histories, 0, item)
