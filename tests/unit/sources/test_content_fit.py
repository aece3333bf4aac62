from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from recsys.core.queries import NO_ITEM
from recsys.sources.content import fit as content_fit
from recsys.sources.content import text_neighbours
from recsys.sources.content.fit import fit_text_vectors, fit_tfidf
from tests.support.bundles import HALF

TEXTS = [
    "red velvet lipstick",
    "red matte lipstick",
    "hair dryer for travel",
    "ionic hair dryer",
    "",
    "a lone thing",
]


def test_tfidf_finds_texts_that_share_words() -> None:
    model = fit_tfidf(TEXTS, k=3, decay=0.4)
    assert (model.name, model.decay) == ("content_tfidf", 0.4)
    assert model.neighbours.tolist() == [
        [1, NO_ITEM, NO_ITEM],
        [0, NO_ITEM, NO_ITEM],
        [3, NO_ITEM, NO_ITEM],
        [2, NO_ITEM, NO_ITEM],
        [NO_ITEM] * 3,
        [NO_ITEM] * 3,
    ]


def test_tfidf_cosines_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    words = np.array([f"word{number}" for number in range(30)])
    texts = [" ".join(random.choice(words, 12)) for _ in range(40)]
    vectors = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit_transform(texts)
    cosines = (vectors @ vectors.T).toarray()
    np.fill_diagonal(cosines, 0)
    model = fit_tfidf(texts, k=7)
    np.testing.assert_allclose(model.similarities, -np.sort(-cosines, axis=1)[:, :7], rtol=HALF)
    np.testing.assert_allclose(
        np.take_along_axis(cosines, model.neighbours.astype(np.int64), axis=1), model.similarities, rtol=2 * HALF
    )


def test_terms_of_too_many_texts_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["shampoo mint", "shampoo rose", "shampoo mint", "shampoo rose"]
    assert (fit_tfidf(texts, k=3).neighbours != NO_ITEM).all()
    monkeypatch.setattr(content_fit, "_COMMON_LEAST", 2)
    only_the_second_word = fit_tfidf(texts, k=3).neighbours
    assert only_the_second_word[:, 0].tolist() == [2, 3, 0, 1]
    assert (only_the_second_word[:, 1:] == NO_ITEM).all()


def test_same_texts_are_neighbours_of_cosine_one() -> None:
    model = fit_tfidf(["blue soap"] * 4 + ["green tea", "green tea"], k=10)
    np.testing.assert_allclose(model.similarities[:4, :3], 1, rtol=1e-6)
    assert [set(row) - {NO_ITEM} for row in model.neighbours.tolist()] == [
        {1, 2, 3}, {0, 2, 3}, {0, 1, 3}, {0, 1, 2}, {5}, {4},
    ]  # fmt: skip


@pytest.mark.parametrize("texts", [["", ""], ["?!", "...", ""], ["one of a kind", "nothing else"], []])
def test_texts_that_share_nothing_have_no_neighbours(texts: list[str]) -> None:
    model = fit_tfidf(texts, k=5)
    assert model.neighbours.shape == (len(texts), 5)
    assert (model.neighbours == NO_ITEM).all()


def test_vectors_are_compared_by_their_cosine_after_centring() -> None:
    vectors = np.random.default_rng(0).normal(loc=3, size=(30, 8)).astype(np.float32)
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    units = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    cosines = units @ units.T
    np.fill_diagonal(cosines, 0)
    model = fit_text_vectors(vectors, k=6, decay=0.4)
    assert (model.name, model.decay) == ("content_encoder", 0.4)
    np.testing.assert_allclose(
        model.similarities, np.maximum(-np.sort(-cosines, axis=1)[:, :6], 0), rtol=HALF, atol=1e-6
    )
    own = np.take_along_axis(cosines, np.maximum(model.neighbours, 0), axis=1)
    np.testing.assert_allclose(model.similarities, np.where(model.neighbours == NO_ITEM, 0, own), rtol=HALF, atol=1e-6)


def test_items_without_text_neither_have_neighbours_nor_shift_the_mean() -> None:
    vectors = np.random.default_rng(0).normal(loc=3, size=(20, 8)).astype(np.float32)
    alone = fit_text_vectors(vectors, k=5)
    with_empty = fit_text_vectors(np.concatenate([vectors, np.zeros((9, 8), np.float32)]), k=5)
    np.testing.assert_array_equal(with_empty.neighbours[:20], alone.neighbours)
    assert (with_empty.neighbours[20:] == NO_ITEM).all()
    assert with_empty.neighbours.max() < 20


def test_vectors_that_are_all_the_same_tell_nothing() -> None:
    vectors = np.tile(np.random.default_rng(0).normal(size=(1, 384)), (50, 1)).astype(np.float32)
    assert (fit_text_vectors(vectors, k=5).neighbours == NO_ITEM).all()
    assert (fit_text_vectors(np.zeros((3, 4)), k=5).neighbours == NO_ITEM).all()


def test_fewer_items_than_neighbours_wanted() -> None:
    model = fit_text_vectors(np.array([[1.0, 0.1], [1.0, 0.2], [-2.0, 0.0]]), k=5)
    assert model.neighbours.tolist() == [[1, *[NO_ITEM] * 4], [0, *[NO_ITEM] * 4], [NO_ITEM] * 5]


def clustered(n_items: int, seed: int) -> np.ndarray:
    """Text vectors that lie around thirty subjects, and a tenth of the items without any."""
    random = np.random.default_rng(seed)
    subjects = random.normal(size=(30, 16))
    vectors = subjects[random.integers(30, size=n_items)] + 0.4 * random.normal(size=(n_items, 16))
    vectors[::10] = 0
    return vectors.astype(np.float32)


def test_a_large_catalogue_is_searched_by_an_index_whose_recall_is_told() -> None:
    vectors = clustered(1200, 0)
    exact = fit_text_vectors(vectors, k=20, exact_items=1200)
    found = fit_text_vectors(vectors, k=20, exact_items=1199)
    assert exact.measured == {}
    assert 0.95 <= found.measured["recall@100"] <= 1
    assert found.with_decay(0.5).measured == found.measured
    shared = [len(set(a) & set(b)) for a, b in zip(exact.neighbours[1::10], found.neighbours[1::10], strict=True)]
    assert np.mean(shared) >= 0.95 * 20
    assert not (found.neighbours == np.arange(1200)[:, None]).any()
    assert (found.neighbours[::10] == NO_ITEM).all()
    assert not np.isin(found.neighbours, np.arange(0, 1200, 10)).any()
    # Similarities are rounded to half precision where the index scores what it finds.
    same = found.neighbours == exact.neighbours
    np.testing.assert_allclose(found.similarities[same], exact.similarities[same], atol=2e-3)


def test_lists_that_the_index_would_miss_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = clustered(1200, 1)
    exact = fit_text_vectors(vectors, k=20)
    monkeypatch.setattr(text_neighbours, "build_index", lambda *_: (None, 0.949))
    fallen_back = fit_text_vectors(vectors, k=20, exact_items=100)
    assert fallen_back.measured == {"recall@100 of an index that was not used": 0.949}
    np.testing.assert_array_equal(fallen_back.neighbours, exact.neighbours)
    np.testing.assert_array_equal(fallen_back.similarities, exact.similarities)


def test_a_catalogue_without_texts_needs_no_index() -> None:
    assert (fit_text_vectors(np.zeros((1200, 4)), k=5, exact_items=1).neighbours == NO_ITEM).all()
