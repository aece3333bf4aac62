"""Training lists, the ranker's fit and what its features are worth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from recsys.bundle import Bundle, open_bundle
from recsys.config import RankingConfig
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM
from recsys.measure.metrics import Relevant
from recsys.measure.protocol import HeldOut
from recsys.train import ranker_lists as module
from recsys.train.ranker_contributions import contributions
from recsys.train.ranker_fit import (
    SUM_SHARES,
    FittedRanker,
    batch_size,
    cross_fitted_ndcg,
    fit_ranker,
    repeat_offset,
    scores_of,
    served_ranker,
    with_sum,
)
from recsys.train.ranker_lists import CandidateLists, collect_lists, repeat_log_odds
from tests.support.bundles import make_bundle
from tests.support.ranking import described, held_out

N_ITEMS, N_USERS = 90, 40
QUIET = Console(quiet=True)
GROUPS = {"planted": ("near_half",), "noise": ("first_noise",), "sum": ("source_sum",)}
NAMES = tuple(name for names in GROUPS.values() for name in names)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(make_bundle(tmp_path_factory.mktemp("bundle"), N_ITEMS, N_USERS))


@pytest.fixture(scope="module")
def held(bundle: Bundle) -> HeldOut:
    """Each user goes on to choose one to five items, seen ones among them; the last user has no history."""
    random = np.random.default_rng(0)
    return held_out(
        bundle.histories.select(np.arange(N_USERS)),
        [random.permutation(N_ITEMS)[: random.integers(1, 6)].tolist() for _ in range(N_USERS)],
    )


def collected(bundle: Bundle, held: HeldOut, length: int | None, seed: int = 0) -> CandidateLists:
    assert bundle.ranker is not None
    scorer, features = bundle.ranker.scorer, bundle.ranker.features
    recommender = bundle.recommender(candidates=12)
    return collect_lists(recommender, scorer, features, held, finalists=90, length=length, seed=seed)


def chosen_by(held: HeldOut, query: int) -> set[int]:
    return set(held.relevant.items[held.relevant.indptr[query] : held.relevant.indptr[query + 1]].tolist())


def naive_candidates(bundle: Bundle, held: HeldOut, query: int) -> set[int]:
    """All unseen items that somebody proposes to one query."""
    one, recommender = held.queries.select([query]), bundle.recommender(candidates=12)
    found = [proposer.source.propose(one, proposer.depth) for proposer in recommender.proposers]
    return {item for candidates in found for item in candidates.items[0].tolist() if item != NO_ITEM}


def test_training_lists_hold_no_item_that_nobody_chose_before(bundle: Bundle, held: HeldOut) -> None:
    assert bundle.ranker is not None
    ranker, recommender = bundle.ranker, bundle.recommender(candidates=12)
    parts = ranker.scorer, ranker.features
    everything = collect_lists(recommender, *parts, held, finalists=90, length=None, seed=0)
    chosen = np.arange(N_ITEMS) % 3 != 0
    known = collect_lists(recommender, *parts, held, finalists=90, length=None, seed=0, fitted=chosen)
    assert (everything.items[everything.items != NO_ITEM] % 3 == 0).any()
    assert (known.items[known.items != NO_ITEM] % 3 != 0).all()
    assert (known.items[known.labels] % 3 != 0).all()
    assert not known.features[known.items == NO_ITEM].any()
    assert 0 < len(known) < len(everything)


def test_lists_hold_only_the_finalists(bundle: Bundle, held: HeldOut) -> None:
    assert bundle.ranker is not None
    ranker, recommender = bundle.ranker, bundle.recommender(candidates=12)
    parts = ranker.scorer, ranker.features
    all_lists = collect_lists(recommender, *parts, held, finalists=90, length=None, seed=0)
    cut = collect_lists(recommender, *parts, held, finalists=5, length=None, seed=0)
    kept = 0
    for items, values in zip(all_lists.items, all_lists.features, strict=True):
        best = items[np.argsort(np.where(items == NO_ITEM, np.inf, -values[:, -1]), kind="stable")[:5]]
        if any((row == best).all() for row in cut.items):
            kept += 1
    assert kept == len(cut) < len(all_lists), "those whose choice is no finalist are left out"
    assert cut.labels.any(axis=1).all()
    assert cut.candidate_recall == all_lists.candidate_recall
    assert (cut.items != NO_ITEM).all()
    np.testing.assert_array_equal(cut.features[..., 1].max(axis=1), 0)  # gaps to the best finalist


def test_lists_labels_and_candidate_recall_are_those_of_a_plain_loop(
    bundle: Bundle, held: HeldOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BLOCK_QUERIES", 7)
    lists = collected(bundle, held, None)
    shares, position = [], 0
    for query in range(N_USERS):
        candidates, chosen = naive_candidates(bundle, held, query), chosen_by(held, query)
        shares.append(len(candidates & chosen) / len(chosen))
        if not candidates & chosen:
            continue
        items = lists.items[position]
        real = items != NO_ITEM
        assert sorted(items[real].tolist()) == sorted(candidates)
        assert lists.labels[position].tolist() == [item in chosen for item in items]
        one = held.queries.select([query])
        expected = described(bundle.ranker.scorer, bundle.ranker.features, one, items[None, real])
        np.testing.assert_allclose(lists.features[position, real], expected[0], rtol=1e-5, atol=1e-6)
        assert not lists.features[position, ~real].any()
        relevant = lists.relevant.items[lists.relevant.indptr[position] : lists.relevant.indptr[position + 1]]
        assert set(relevant.tolist()) == chosen, "what is no candidate counts in the figures too"
        position += 1
    assert 5 < position == len(lists) < N_USERS
    assert lists.queries == N_USERS
    assert lists.candidate_recall == pytest.approx(np.mean(shares))


def test_a_shorter_list_keeps_what_was_chosen_and_draws_the_rest(bundle: Bundle, held: HeldOut) -> None:
    whole, short = collected(bundle, held, None), collected(bundle, held, 6)
    assert short.items.shape[1] == 6
    assert short.candidate_recall == whole.candidate_recall
    for row in range(len(whole)):
        chosen = set(whole.items[row, whole.labels[row]].tolist())
        assert set(short.items[row, short.labels[row]].tolist()) == chosen
        assert len(set(short.items[row].tolist())) == 6
        for position, item in enumerate(short.items[row]):
            before = whole.items[row].tolist().index(item)
            np.testing.assert_allclose(short.features[row, position], whole.features[row, before], rtol=1e-6)
    np.testing.assert_array_equal(collected(bundle, held, 6).items, short.items)
    assert (collected(bundle, held, 6, seed=1).items != short.items).any()


def test_more_chosen_than_a_list_holds(bundle: Bundle) -> None:
    everything = held_out(bundle.histories.select(np.arange(8)), [list(range(N_ITEMS))] * 8)
    lists = collected(bundle, everything, 5)
    assert lists.items.shape == (8, 5)
    assert lists.labels.all()


def test_nobody_chose_a_candidate(bundle: Bundle) -> None:
    known = bundle.histories.select(np.arange(8))
    seen = held_out(known, [known.select([user]).items[:1].tolist() for user in range(8)])
    lists = collected(bundle, seen, 5)
    assert len(lists) == 0
    assert (lists.queries, lists.candidate_recall) == (8, 0)


def test_ndcg_is_that_of_a_plain_loop() -> None:
    random = np.random.default_rng(3)
    items = np.stack([random.permutation(60)[:25] for _ in range(12)]).astype(np.int32)
    items[np.arange(25) >= random.integers(4, 26, 12)[:, None]] = NO_ITEM
    scores = random.normal(size=items.shape).astype(np.float32)
    scores[items == NO_ITEM] = 99  # padding never counts
    chosen = [random.permutation(60)[: random.integers(1, 15)].tolist() for _ in range(12)]
    relevant = Relevant(np.cumsum([0, *map(len, chosen)]), np.array([i for row in chosen for i in row], np.int32))
    figures = []
    for row in range(12):
        candidates = [(score, item) for score, item in zip(scores[row], items[row], strict=True) if item != NO_ITEM]
        first = [item for _, item in sorted(candidates, reverse=True)][:10]
        gain = sum(1 / np.log2(rank + 1) for rank, item in enumerate(first, start=1) if item in chosen[row])
        figures.append(gain / sum(1 / np.log2(rank + 1) for rank in range(1, min(len(chosen[row]), 10) + 1)))
    labels = np.array([[item in row for item in listed] for listed, row in zip(items, chosen, strict=True)])
    lists = CandidateLists(
        items, np.zeros((12, 25, 1), np.float32), NAMES[-1:], labels, relevant, queries=20, candidate_recall=0.5
    )
    # Eight queries of twenty had no candidate that was chosen: they count as 0.
    assert lists.ndcg(scores) == pytest.approx(sum(figures) / 20, rel=1e-5)


def test_log_odds_of_a_repeat_by_hand() -> None:
    known = Histories.from_rows(3, np.array([0, 0, 1]), np.array([4, 5, 5]), np.arange(3))
    # Chosen again: item 4 by the first user. Others chose what they, though not others, had not taken.
    assert repeat_log_odds(held_out(known, [[4, 6], [4], [5]])) == pytest.approx(np.log(1.5 / 3.5))
    assert repeat_log_odds(held_out(known, [[1], [2], [3]])) == pytest.approx(np.log(0.5 / 3.5))


def planted(count: int, seed: int) -> CandidateLists:
    """Of up to twenty candidates the one whose first feature is nearest to 0.5 was chosen; no line could say so."""
    random = np.random.default_rng(seed)
    items = np.stack([random.permutation(500)[:20] for _ in range(count)]).astype(np.int32)
    items[np.arange(20) >= random.integers(5, 21, count)[:, None]] = NO_ITEM
    features = random.random((count, 20, 3)).astype(np.float32)
    features[items == NO_ITEM] = 0
    distance = np.where(items == NO_ITEM, np.inf, np.abs(features[..., 0] - 0.5))
    best = distance.argmin(axis=1)
    labels = np.arange(20) == best[:, None]
    relevant = Relevant(np.arange(count + 1), items[np.arange(count), best])
    return CandidateLists(items, features, NAMES, labels, relevant, count, 1.0)


def config_of(**settings: Any) -> RankingConfig:
    return RankingConfig(**{"hidden": [16], "epochs": 15, "batch_size": 32, "learning_rate": 0.02, **settings})


@pytest.fixture(scope="module")
def fitted() -> FittedRanker:
    return fit_ranker(planted(400, 1), planted(150, 2), config_of(), 0, QUIET)


def test_a_planted_rule_is_learned(fitted: FittedRanker) -> None:
    unseen = planted(150, 3)
    by_chance = unseen.ndcg(np.random.default_rng(0).random(unseen.items.shape).astype(np.float32))
    assert by_chance < 0.5
    assert unseen.ndcg(scores_of(fitted.ranker, unseen.features)) > 0.9


def test_the_best_weights_on_validation_are_kept(fitted: FittedRanker) -> None:
    figures = [record["ndcg@10"] for record in fitted.curve]
    validation = planted(150, 2)
    assert validation.ndcg(scores_of(fitted.ranker, validation.features)) == pytest.approx(max(figures), abs=1e-6)
    assert validation.ndcg(scores_of(fitted, validation.features)) == pytest.approx(fitted.best, abs=1e-6)
    assert fitted.best >= max(figures)
    assert [record["epoch"] for record in fitted.curve] == list(range(1, len(figures) + 1))
    assert fitted.curve[-1]["loss"] < fitted.curve[0]["loss"]


def test_a_single_fold_is_judged_as_the_ranker_chooses(fitted: FittedRanker) -> None:
    figures = cross_fitted_ndcg(fitted, planted(150, 2), np.zeros(150, int))
    assert figures.mean() == pytest.approx(fitted.best, abs=1e-6)


def test_each_list_is_judged_with_the_epoch_that_suits_the_others(fitted: FittedRanker) -> None:
    """Of two candidates the first was chosen; epoch 1 knows that of the lists of fold 0, epoch 2 of those of fold 1."""
    items = np.array([[1, 2]] * 4, np.int32)
    labels = np.array([[True, False]] * 4)
    lists = CandidateLists(
        items, np.zeros((4, 2, 1), np.float32), ("source_sum",), labels, Relevant(np.arange(5), items[:, 0]), 4, 1.0
    )
    right, wrong = [2.0, 1.0], [1.0, 2.0]
    epochs = np.array([[right, right, wrong, wrong], [wrong, wrong, right, right]], np.float32)
    two = replace(fitted, epoch_scores=tuple(epochs), sum_column=0)
    second = 1 / np.log2(3)
    np.testing.assert_allclose(cross_fitted_ndcg(two, lists, np.array([0, 0, 1, 1])), second, rtol=1e-6)
    # Either epoch knows one of the two lists of the others: of equals the first is taken.
    np.testing.assert_allclose(cross_fitted_ndcg(two, lists, np.array([0, 1, 0, 1])), [1, 1, second, second], rtol=1e-6)


def test_a_sum_that_knows_better_gets_a_share() -> None:
    lists, validation = planted(60, 1), planted(300, 2)
    trained = fit_ranker(lists, None, config_of(epochs=1), 0, QUIET)
    assert (trained.sum_weight, trained.sum_share) == (0, 0)
    noise = with_sum(trained, validation)
    informed = replace(validation, features=validation.features.copy())
    informed.features[..., -1] = np.where(informed.labels, 5, informed.features[..., -1]).astype(np.float32)
    mixed = with_sum(trained, informed)
    own, sums = scores_of(trained.ranker, informed.features), informed.features[..., -1]
    figures = {}
    for share in SUM_SHARES:  # both at a standard deviation of one over all candidates
        real = informed.items != NO_ITEM
        figures[share] = informed.ndcg((1 - share) * own / own[real].std() + share * sums / sums[real].std())
    assert mixed.sum_share == max(figures, key=figures.__getitem__) > noise.sum_share
    assert mixed.best == pytest.approx(max(figures.values()), abs=1e-6)
    np.testing.assert_allclose(scores_of(mixed, informed.features), own + mixed.sum_weight * sums, rtol=1e-4, atol=1e-5)


def test_items_of_the_history_get_what_they_lack(fitted: FittedRanker) -> None:
    lists = planted(200, 5)
    assert repeat_offset(fitted, lists) == 0  # no history holds any
    chosen_again = replace(lists, repeated=lists.labels)
    never_again = replace(lists, repeated=~lists.labels)
    assert repeat_offset(fitted, chosen_again) > 0 > repeat_offset(fitted, never_again)
    assert repeat_offset(fitted, replace(lists, repeated=np.zeros_like(lists.labels))) == 0


@pytest.mark.parametrize(
    ("lists", "most", "batch"),
    [(10, 128, 32), (2_048, 128, 32), (6_400, 128, 100), (8_192, 128, 128), (50_000, 128, 128), (50_000, 16, 16)],
)
def test_few_lists_make_an_epoch_of_64_steps(lists: int, most: int, batch: int) -> None:
    assert batch_size(lists, most) == batch


def test_training_stops_when_validation_no_longer_gains() -> None:
    # Validation prefers the candidate furthest from the middle: every epoch makes it worse, the first was the best.
    against = planted(60, 4)
    labels = np.where(against.items == NO_ITEM, -1, np.abs(against.features[..., 0] - 0.5)).argmax(axis=1)
    against = CandidateLists(
        against.items,
        against.features,
        NAMES,
        np.arange(20) == labels[:, None],
        Relevant(against.relevant.indptr, against.items[np.arange(60), labels]),
        60,
        1.0,
    )
    result = fit_ranker(planted(400, 1), against, config_of(patience=2), 0, QUIET)
    figures = [record["ndcg@10"] for record in result.curve]
    assert len(figures) == int(np.argmax(figures)) + 1 + 2 < 15
    assert against.ndcg(scores_of(result.ranker, against.features)) == pytest.approx(max(figures), abs=1e-6)


NO_LISTS = CandidateLists(
    np.zeros((0, 5), np.int32),
    np.zeros((0, 5, 3), np.float32),
    NAMES,
    np.zeros((0, 5), bool),
    Relevant(np.zeros(1, np.int64), np.zeros(0, np.int32)),
    queries=9,
    candidate_recall=0.0,
)


@pytest.mark.parametrize("validation", [None, NO_LISTS])
def test_without_validation_the_weights_of_the_lowest_loss_are_kept(validation: CandidateLists | None) -> None:
    lists = planted(100, 1)
    result = fit_ranker(lists, validation, config_of(epochs=3), 0, QUIET)
    assert -result.best == min(record["loss"] for record in result.curve)
    assert all(set(record) == {"epoch", "loss"} for record in result.curve)
    assert lists.ndcg(scores_of(result.ranker, lists.features)) > 0.5


def test_the_same_seed_gives_the_same_ranker() -> None:
    def weights(seed: int) -> list[np.ndarray]:
        config = config_of(epochs=2, dropout=0.3)
        return fit_ranker(planted(80, 1), planted(40, 2), config, seed, QUIET).ranker.get_weights()

    first = weights(5)
    for one, two in zip(first, weights(5), strict=True):
        np.testing.assert_array_equal(one, two)
    assert any((one != two).any() for one, two in zip(first, weights(6), strict=True))


def test_the_planted_feature_contributes_most(fitted: FittedRanker) -> None:
    validation = planted(150, 2)
    report = contributions(fitted, validation, GROUPS, seed=0)
    features = {entry["name"]: entry["ndcg@10_drop"] for entry in report["features"]}
    groups = {entry["group"]: entry["ndcg@10_drop"] for entry in report["groups"]}
    assert list(features) == ["near_half", "first_noise", "source_sum"]
    assert [entry["features"] for entry in report["groups"]] == [list(names) for names in GROUPS.values()]
    assert features["near_half"] == groups["planted"] > 0.3
    for noise in (features["first_noise"], groups["noise"], groups["sum"]):
        assert abs(noise) < 0.1
    again = contributions(fitted, validation, GROUPS, seed=0)
    assert again == report


def test_the_served_ranker_scores_as_the_trained_one_does(fitted: FittedRanker) -> None:
    lists = planted(50, 9)
    model, difference = served_ranker(replace(fitted, sum_weight=0.25), lists.features[:4])
    assert difference < 1e-4
    expected = scores_of(fitted, lists.features) + (0.25 - fitted.sum_weight) * lists.features[..., -1]
    np.testing.assert_allclose(model.score(lists.features), expected, rtol=1e-4, atol=1e-4)
