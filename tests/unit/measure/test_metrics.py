from __future__ import annotations

import math

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.measure import metrics as m

CUTOFFS = (1, 3, 5, 10)
TREC_NAMES = {"recall": "recall", "ndcg": "ndcg_cut", "hit_rate": "success", "precision": "P", "map": "map_cut"}


def relevant(*users: list[int]) -> m.Relevant:
    indptr = np.cumsum([0, *map(len, users)])
    return m.Relevant(indptr.astype(np.int64), np.array([i for user in users for i in user], np.int32))


def trec(ranked: np.ndarray, wanted: m.Relevant) -> list[dict[str, float]]:
    """The figures of pytrec_eval, in this package's names."""
    names = {f"{name}.{','.join(map(str, CUTOFFS))}" for name in TREC_NAMES.values()} | {"recip_rank"}
    users = range(len(ranked))
    truth = {str(u): {f"i{i}": 1 for i in wanted.items[wanted.indptr[u] : wanted.indptr[u + 1]]} for u in users}
    run = {
        str(u): {f"i{i}": float(-rank) for rank, i in enumerate(ranked[u]) if i >= 0} | {"none": -1e9} for u in users
    }
    scores = pytrec_eval.RelevanceEvaluator(truth, names).evaluate(run)
    results = []
    for u in users:
        result = {
            f"{ours}@{k}": scores[str(u)][f"{theirs}_{k}"] for ours, theirs in TREC_NAMES.items() for k in CUTOFFS
        }
        reciprocal = scores[str(u)]["recip_rank"]
        result |= {f"mrr@{k}": reciprocal if reciprocal * k >= 1 - 1e-9 else 0.0 for k in CUTOFFS}
        results.append(result)
    return results


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, m.Relevant]:
    catalogue = draw(st.integers(1, 25))
    width = draw(st.integers(1, catalogue))
    users = draw(st.integers(1, 4))
    ranked = np.full((users, width), -1, np.int32)
    wanted = []
    for row in ranked:
        length = draw(st.integers(0, width))
        row[:length] = draw(st.permutations(range(catalogue)))[:length]
        wanted.append(draw(st.lists(st.integers(0, catalogue - 1), min_size=1, unique=True)))
    return ranked, relevant(*wanted)


@settings(max_examples=150, deadline=None)
@given(cases())
def test_agrees_with_trec_eval(case: tuple[np.ndarray, m.Relevant]) -> None:
    ranked, wanted = case
    ours = m.ranking_metrics(ranked, wanted, CUTOFFS)
    for user, expected in enumerate(trec(ranked, wanted)):
        assert ours.keys() == expected.keys()
        for name, figure in expected.items():
            assert ours[name][user] == pytest.approx(figure, abs=1e-6), name


def test_by_hand() -> None:
    # Ranks 2 and 4 are relevant, a third relevant item is missing from the list.
    figures = m.ranking_metrics(np.array([[7, 3, 9, 5, 8]]), relevant([3, 5, 6]), [1, 3, 5])
    ideal = [1, 1 + 1 / math.log2(3), 1 + 1 / math.log2(3) + 0.5]
    expected = {
        "recall@1": 0, "recall@3": 1 / 3, "recall@5": 2 / 3,
        "precision@1": 0, "precision@3": 1 / 3, "precision@5": 2 / 5,
        "hit_rate@1": 0, "hit_rate@3": 1, "hit_rate@5": 1,
        "mrr@1": 0, "mrr@3": 0.5, "mrr@5": 0.5,
        "map@1": 0, "map@3": (1 / 2) / 3, "map@5": (1 / 2 + 2 / 4) / 3,
        "ndcg@1": 0,
        "ndcg@3": (1 / math.log2(3)) / ideal[2],
        "ndcg@5": (1 / math.log2(3) + 1 / math.log2(5)) / ideal[2],
    }  # fmt: skip
    assert {name: figure[0] for name, figure in figures.items()} == pytest.approx(expected)


def test_a_full_list_of_relevant_items_is_perfect_up_to_its_length() -> None:
    figures = m.ranking_metrics(np.array([[4, 2]]), relevant([2, 4]), [2, 10])
    assert figures["ndcg@2"][0] == figures["ndcg@10"][0] == figures["recall@10"][0] == figures["map@10"][0] == 1
    assert figures["precision@10"][0] == pytest.approx(0.2)


def test_rows_are_not_mixed_up() -> None:
    # Each user is shown what the other one wanted.
    ranked = np.array([[1, 2], [0, 3]])
    figures = m.ranking_metrics(ranked, relevant([0, 3], [1, 2]), [2])
    assert not figures["recall@2"].any()


def test_empty_lists_are_worth_nothing_and_users_without_relevant_items_have_no_figure() -> None:
    ranked = np.array([[-1, -1], [0, 1]])
    figures = m.ranking_metrics(ranked, relevant([0], []), [1, 5])
    for figure in figures.values():
        assert figure[0] == 0
        assert np.isnan(figure[1])
    assert m.ranking_metrics(np.empty((1, 0), np.int32), relevant([0]), [3])["ndcg@3"][0] == 0


def test_relevant_subsets() -> None:
    wanted = relevant([5, 6], [], [7, 8, 9])
    kept = wanted.keep(np.isin(wanted.items, [6, 8, 9]))
    assert kept.indptr.tolist() == [0, 1, 1, 3]
    assert kept.items.tolist() == [6, 8, 9]
    chosen = wanted.select(np.array([2, 0]))
    assert chosen.indptr.tolist() == [0, 3, 5]
    assert chosen.items.tolist() == [7, 8, 9, 5, 6]
    assert chosen.owners.tolist() == [0, 0, 0, 1, 1]


def test_overlap_is_the_share_of_the_reference_that_was_found() -> None:
    reference = np.array([[1, 2, 3, 4], [1, 2, -1, -1], [-1, -1, -1, -1]])
    ranked = np.array([[4, 9, 1, -1], [2, 1, 8, 7], [1, 2, 3, 4]])
    share = m.overlap(ranked, reference)
    assert share[:2].tolist() == [0.5, 1.0]
    assert np.isnan(share[2])


def test_popularity_lift_by_hand() -> None:
    popularity = np.array([10, 20, 40])
    histories = (np.array([0, 2, 3, 3]), np.array([0, 1, 0]))  # means 15, 10, none
    lists = (np.array([0, 1, 3, 4]), np.array([2, 1, 2, 2]))  # means 40, 30, 40
    reference = m.mean_popularity(histories, popularity)
    recommended = m.mean_popularity(lists, popularity)
    assert reference[:2].tolist() == [15, 10]
    assert np.isnan(reference[2])
    assert m.popularity_lift(recommended, reference) == pytest.approx(35 / 12.5 - 1)
    assert m.popularity_lift(recommended, np.full(3, np.nan)) is None


def test_rating_errors_by_hand() -> None:
    predicted, actual = np.array([4.0, 2.0, 5.0]), np.array([5.0, 2.0, 3.0])
    assert m.rmse(predicted, actual) == pytest.approx(math.sqrt(5 / 3))
    assert m.mae(predicted, actual) == pytest.approx(1)


def test_bootstrap_interval_matches_the_normal_approximation() -> None:
    values = np.random.default_rng(1).exponential(size=(4000, 1))
    low, high = m.interval(m.bootstrap_means(values, 2000, seed=0)[:, 0])
    error = values.std() / math.sqrt(len(values))
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_bootstrap_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        low, high = m.interval(m.bootstrap_means(rng.normal(size=(60, 1)), 200, seed=trial)[:, 0])
        covered += low <= 0 <= high
    assert 0.88 <= covered / 200 <= 0.99  # three standard errors about 0.94


def test_bootstrap_is_seeded_and_pairs_its_columns() -> None:
    values = np.random.default_rng(2).normal(size=(50, 1))
    means = m.bootstrap_means(np.hstack([values, values + 0.25]), 100, seed=7)
    np.testing.assert_allclose(means[:, 1] - means[:, 0], 0.25)
    np.testing.assert_array_equal(means, m.bootstrap_means(np.hstack([values, values + 0.25]), 100, seed=7))
    assert not np.array_equal(means, m.bootstrap_means(np.hstack([values, values + 0.25]), 100, seed=8))
