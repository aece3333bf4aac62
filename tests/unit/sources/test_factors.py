from __future__ import annotations

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from threadpoolctl import threadpool_limits

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import Float32Array, Float64Array, Int32Array
from recsys.sources.factors.fold_in import FoldIn
from recsys.sources.factors.source import ImplicitFactors

RANDOM = np.random.default_rng(5)
N_ITEMS, DIM = 30, 6
FACTORS = RANDOM.normal(size=(N_ITEMS, DIM)).astype(np.float32)


def histories(*lists: list[int], weights: list[float] | None = None) -> Histories:
    rows = np.repeat(np.arange(len(lists)), [len(items) for items in lists])
    items = np.array([item for items in lists for item in items], np.int32)
    return Histories.from_rows(
        len(lists), rows, items, np.arange(len(rows)), weights=None if weights is None else np.array(weights)
    )


def queries(known: Histories, users: Int32Array | None = None) -> Queries:
    unknown = np.full(len(known), -1, np.int32)
    return Queries(known, unknown if users is None else users, np.zeros(len(known), np.int64))


def als(regularization: float = 0.1, alpha: float = 4.0, factors: Float32Array = FACTORS) -> ImplicitFactors:
    gram = factors.T.astype(np.float64) @ factors
    return ImplicitFactors("als", factors, fold_in=FoldIn(gram, regularization, alpha))


def by_the_paper(items: list[int], weights: list[float], regularization: float, alpha: float) -> Float64Array:
    """x_u of Hu, Koren & Volinsky with whole matrices over the catalogue."""
    confidence, preference = np.ones(N_ITEMS), np.zeros(N_ITEMS)
    confidence[items] = alpha * np.array(weights)
    preference[items] = 1
    factors = FACTORS.astype(np.float64)
    system = factors.T @ np.diag(confidence) @ factors + regularization * np.eye(DIM)
    return np.linalg.solve(system, factors.T @ (confidence * preference))


@pytest.mark.parametrize(
    "items", [[3], [3, 9], list(range(5)), list(range(6)), list(range(7)), list(range(20)), list(range(30))]
)
@pytest.mark.parametrize("alpha", [0.3, 1.0, 20.0])
def test_the_fold_in_solves_the_equation_of_the_paper(items: list[int], alpha: float) -> None:
    weights = [1 + 0.5 * (item % 3) for item in items]
    vector = als(0.1, alpha).encode(queries(histories(items, weights=weights)))[0]
    np.testing.assert_allclose(vector, by_the_paper(items, weights, 0.1, alpha), rtol=1e-5, atol=1e-6)


def test_the_fold_in_agrees_with_implicit() -> None:
    lists = [[1], [2, 4, 8], list(range(5, 11)), list(range(25))]
    known = histories(*lists)
    matrix = sparse.csr_matrix((np.ones(len(known.items), np.float32), known.items, known.indptr), (4, N_ITEMS))
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(factors=DIM, regularization=0.5, alpha=7.0)
        model.item_factors = FACTORS
        expected = model.recalculate_user(np.arange(4), matrix)
    ours = als(0.5, 7.0)
    np.testing.assert_allclose(ours.encode(queries(known)), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.score(queries(known)), expected @ FACTORS.T, rtol=1e-4, atol=1e-5)


def test_the_confidence_of_a_repeated_item_is_the_sum_of_its_weights() -> None:
    repeated, once = histories([3, 9, 3], weights=[1.0, 1.0, 2.5]), histories([9, 3], weights=[1.0, 3.5])
    np.testing.assert_allclose(als().encode(queries(repeated)), als().encode(queries(once)), rtol=1e-6)


def test_a_long_history_beside_a_short_one_changes_nothing() -> None:
    together = als().encode(queries(histories([3, 9, 4], list(range(30)), [], [7])))
    for row, items in enumerate(([3, 9, 4], list(range(30)), [], [7])):
        np.testing.assert_allclose(together[row], als().encode(queries(histories(items)))[0], rtol=1e-5, atol=1e-6)


def test_known_and_unknown_users_are_treated_alike() -> None:
    known = histories([3, 9])
    stranger, customer = queries(known), queries(known, np.array([0], np.int32))
    np.testing.assert_array_equal(als().score(stranger), als().score(customer))


def test_an_event_raises_the_score_of_its_item() -> None:
    before, after = als().score(queries(histories([3, 9], [3, 9, 14])))
    assert after[14] > before[14] + 0.1


def test_without_regularisation_fewer_items_than_factors_can_be_solved() -> None:
    few = np.zeros((N_ITEMS, DIM), np.float32)
    few[:3] = FACTORS[:3]
    scores = als(0.0, 10.0, few).score(queries(histories([0], [0, 1, 2])))
    assert np.isfinite(scores[:, :3]).all()
    assert scores[0, 0] == pytest.approx(1, abs=0.01)  # three items are fitted exactly by six factors
    np.testing.assert_allclose(scores[0, 1:3], 0, atol=0.01)


def test_an_item_training_never_saw_has_no_score() -> None:
    factors = FACTORS.copy()
    factors[[4, 5]] = 0
    retriever = als(factors=factors)
    scores = retriever.score(queries(histories([3], [4, 5], [4, 3])))
    assert (scores[:, [4, 5]] == -np.inf).all()
    assert (scores[1] == -np.inf).all(), "nothing is known of this history"
    others = np.delete(np.arange(N_ITEMS), [4, 5])
    assert np.isfinite(scores[np.ix_([0, 2], others)]).all()
    assert (retriever.propose(queries(histories([4, 5])), 3).items == NO_ITEM).all()


def test_without_fold_in_the_user_is_the_weighted_mean_of_the_history() -> None:
    factors = np.array([[1, 0], [0, 2], [1, 1]], np.float32)
    bpr = ImplicitFactors("bpr", factors, item_bias=np.array([0.5, 0, -1], np.float32))
    known = histories([0, 1], [1, 0, 1], [], weights=[1, 3, 1, 1, 1])
    # Means: (1 * (1, 0) + 3 * (0, 2)) / 4 and ((0, 2) + (1, 0) + (0, 2)) / 3.
    np.testing.assert_allclose(bpr.encode(queries(known)), [[0.25, 1.5], [1 / 3, 4 / 3], [0, 0]], rtol=1e-6)
    scores = bpr.score(queries(known))
    np.testing.assert_allclose(scores[0], [0.25 + 0.5, 3.0, 1.75 - 1], rtol=1e-6)
    assert (scores[2] == -np.inf).all()


def test_retrieval_in_blocks_gives_what_scores_give(monkeypatch: pytest.MonkeyPatch) -> None:
    many = queries(histories(*([item, (item * 7) % N_ITEMS] for item in range(N_ITEMS))))
    whole = als().propose(many, 5)
    monkeypatch.setattr("recsys.sources.exact.BLOCK_ENTRIES", 4 * N_ITEMS)
    in_blocks = als().propose(many, 5)
    np.testing.assert_array_equal(in_blocks.items, whole.items)
    scores = als().score(many)
    for row in range(len(many)):
        scores[row, many.histories.items[2 * row : 2 * row + 2]] = -np.inf
    np.testing.assert_allclose(whole.scores, -np.sort(-scores, axis=1)[:, :5], rtol=1e-5)


@pytest.mark.parametrize("items", [[3], [3, 9, 3], list(range(30))])
def test_shares_are_the_terms_of_the_equation_of_the_paper(items: list[int]) -> None:
    weights = [1 + 0.5 * (position % 3) for position in range(len(items))]
    wanted = np.array([[0, 7, 29]], np.int32)
    shares = als(0.1, 4.0).why(queries(histories(items, weights=weights)), wanted)
    confidence = np.ones(N_ITEMS)
    for item in set(items):
        confidence[item] = 4.0 * sum(w for other, w in zip(items, weights, strict=True) if other == item)
    factors = FACTORS.astype(np.float64)
    inverse = np.linalg.inv(factors.T @ np.diag(confidence) @ factors + 0.1 * np.eye(DIM))
    for position, (item, weight) in enumerate(zip(items, weights, strict=True)):
        expected = factors[wanted[0]] @ inverse @ factors[item] * 4.0 * weight
        np.testing.assert_allclose(shares.by_position[0, :, position], expected, rtol=1e-6, atol=1e-9)
    assert not shares.rest.any()


def test_shares_of_the_mean_are_by_weight_and_the_bias_is_the_rest() -> None:
    factors = np.array([[1, 0], [0, 1], [2, 2], [0, 0]], np.float32)
    bpr = ImplicitFactors("bpr", factors, np.array([0.1, 0.2, 0.3, 0.4], np.float32))
    shares = bpr.why(queries(histories([0, 1], weights=[3, 1])), np.array([[2, 0, 3, NO_ITEM]], np.int32))
    np.testing.assert_allclose(shares.by_position[0], [[0.75 * 2, 0.25 * 2], [0.75, 0], [0, 0], [0, 0]])
    np.testing.assert_allclose(shares.rest[0], [0.3, 0.1, 0, 0], rtol=1e-6)
