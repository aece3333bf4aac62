from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from recsys.bundle import open_bundle
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.pipeline.attributes import NO_VALUE, ItemAttributes
from recsys.pipeline.features import CandidateFeatures
from recsys.sources.item_to_item import ItemToItem
from recsys.sources.lending import Loans
from recsys.sources.popularity import Popularity
from recsys.sources.two_tower import TwoTowerSource
from tests.support.bundles import HALF, SCORERS, START, make_bundle

NAN = float("nan")
LOG2_3 = np.log2(3)


def queries_of(*histories: list[int]) -> Queries:
    rows = np.repeat(np.arange(len(histories)), [len(items) for items in histories])
    items = np.array([item for items in histories for item in items], int)
    known = Histories.from_rows(len(histories), rows, items, START + np.arange(len(rows)))
    return Queries(known, np.full(len(histories), -1, np.int32), np.zeros(len(histories), np.int64))


def lists(name: str, decay: float, neighbours: list[dict[int, float]]) -> ItemToItem:
    """Neighbour lists from one dict of neighbour -> similarity an item."""
    width = max(map(len, neighbours))
    items = [[*row, *[NO_ITEM] * (width - len(row))] for row in neighbours]
    values = [[*row.values(), *[0.0] * (width - len(row))] for row in neighbours]
    return ItemToItem(name, np.array(items, np.int32), np.array(values, np.float32), decay)


@dataclass
class RatingOfItem:
    """Predicts 4 + row / 10 of every item."""

    statistics: SimpleNamespace

    def predict(self, vectors: np.ndarray, histories: Histories, items: np.ndarray) -> np.ndarray:
        return np.where(items == NO_ITEM, np.nan, 4 + items / 10).astype(np.float32)


@dataclass
class GivenVectors:
    """A query tower of which the user vectors are given."""

    vectors: np.ndarray

    def encode(self, queries: Queries, item_embeddings: np.ndarray) -> np.ndarray:
        assert self.vectors.shape == (len(queries), item_embeddings.shape[1])
        return self.vectors


def two_tower(embeddings: np.ndarray, vectors: np.ndarray | None = None) -> TwoTowerSource:
    return TwoTowerSource(GivenVectors(vectors), embeddings, None)  # nobody searches here


def compute(features: CandidateFeatures, queries: Queries, vectors: np.ndarray, items: np.ndarray) -> np.ndarray:
    """The features of items for users of the given vectors."""
    features = replace(features, primary=two_tower(features.primary.item_embeddings, vectors))
    return features.compute(features.read(queries), items)


@pytest.fixture(scope="module")
def hand_made() -> CandidateFeatures:
    return CandidateFeatures(
        two_tower(np.array([[1, 0], [0, 1], [1, 1], [2, 0], [0, 0.5], [-1, 0]], np.float32)),
        {"transitions": lists("transitions", 0.5, [{2: 0.5, 3: 0.2}, {3: 0.4}, {}, {}, {}, {}])},
        ItemAttributes(
            log_price=np.log(np.array([10, 20, 40, NAN, 5, 20], np.float32)),
            brand=np.array([1, 2, 1, NO_VALUE, 2, NO_VALUE], np.int32),
            categories=np.array([[1, 2], [2, 0], [1, 3], [0, 0], [2, 0], [0, 0]], np.int32),
            log_count=np.array([1, 2, 3, 4, 5, 6], np.float32),
            trend=np.array([-1, -2, -3, -4, -5, -6], np.float32),
            loans=Loans.none(6),
        ),
        RatingOfItem(SimpleNamespace(global_mean=3.5)),
        {"two_tower": 2.0, "transitions": 10.0, "popularity": 0.1},
        {"popularity": Popularity(np.array([1, 2, 3, 4, 5, 6], np.float32))},
    )


HABIT = (0.8 * np.log(10) + np.log(20)) / 1.8
EXPECTED = {
    # Of the user who took item 0, then item 1, and whose vector is (1, 2); candidates 2, 3, 4.
    "two_tower_score": [3, 2, 1],
    "two_tower_gap": [0, -1, -2],
    "two_tower_rank": [1, 1 / LOG2_3, 1 / 2],
    "transitions_score": np.log([1 + 0.5 * 0.5, 1 + 0.5 * 0.2 + 0.4, 1]),
    "transitions_share": [0.5, 1, 0],
    "transitions_rank": [1 / LOG2_3, 1, 0],
    "transitions_last_item": [0, 1, 0],
    "log_count": [3, 4, 5],
    "trend": [-3, -4, -5],
    "price_known": [1, 0, 1],
    "price_difference": [np.log(40) - HABIT, 0, np.log(5) - HABIT],
    "price_distance": [np.log(40) - HABIT, 0, HABIT - np.log(5)],
    "brand_share": [0.8 / 1.8, 0, 1 / 1.8],
    "brand_of_last_item": [0, 0, 1],
    "category_share": [(0.8 / 1.8 + 0) / 2, 0, 1],
    "category_of_last_item": [0, 0, 1],
    "log_history_length": [np.log(3)] * 3,
    "predicted_rating": [0.7, 0.8, 0.9],
    "hybrid_score": [2 * 3 + 10 * 0.25 + 0.3, 2 * 2 + 10 * 0.5 + 0.4, 2 * 1 + 0.5],
}


def test_every_feature_by_hand(hand_made: CandidateFeatures) -> None:
    queries, items = queries_of([0, 1]), np.array([[2, 3, 4, NO_ITEM]], np.int32)
    found = compute(hand_made, queries, np.array([[1, 2]], np.float32), items)
    assert hand_made.names == tuple(EXPECTED)
    assert found.shape == (1, 4, len(EXPECTED))
    assert found.dtype == np.float32
    for place, (name, expected) in enumerate(EXPECTED.items()):
        np.testing.assert_allclose(found[0, :3, place], expected, rtol=HALF, atol=1e-6, err_msg=name)
    assert not found[0, 3].any(), "beside padding everything is 0"


def test_the_groups_part_the_features(hand_made: CandidateFeatures) -> None:
    names = [name for group in hand_made.groups.values() for name in group]
    assert sorted(names) == sorted(EXPECTED)
    assert "rating" in hand_made.groups
    without = replace(hand_made, predictor=None)
    kept = [place for place, name in enumerate(hand_made.names) if name != "predicted_rating"]
    assert without.names == tuple(hand_made.names[place] for place in kept)
    queries, items = queries_of([0, 1]), np.array([[2, 3]], np.int32)
    vectors = np.array([[1, 2]], np.float32)
    np.testing.assert_array_equal(
        compute(without, queries, vectors, items), compute(hand_made, queries, vectors, items)[..., kept]
    )


def test_an_empty_history_says_nothing_of_habits(hand_made: CandidateFeatures) -> None:
    found = compute(hand_made, queries_of([]), np.zeros((1, 2), np.float32), np.array([[2, 4]], np.int32))
    spoken = ("log_count", "trend", "predicted_rating", "two_tower_rank", "hybrid_score")
    silent = [name for name in EXPECTED if name not in spoken]
    assert not found[0][:, [hand_made.names.index(name) for name in silent]].any()
    assert found[0, :, hand_made.names.index("trend")].tolist() == [-3, -5]


def test_two_unknown_brands_or_categories_are_not_the_same(hand_made: CandidateFeatures) -> None:
    found = compute(hand_made, queries_of([3]), np.zeros((1, 2), np.float32), np.array([[5, 3]], np.int32))
    for name in ("brand_share", "brand_of_last_item", "category_share", "category_of_last_item", "price_known"):
        assert not found[0, :, hand_made.names.index(name)].any(), name


def test_scores_below_zero_stay_in_bounds(hand_made: CandidateFeatures) -> None:
    dislikes = lists("ease", 1.0, [{1: -0.4, 2: 0.1, 3: -0.05}, {3: -0.1}, {}, {}, {}, {}])
    features = replace(hand_made, scorers={"ease": dislikes}, hybrid={})
    found = compute(features, queries_of([0], [1]), np.zeros((2, 2), np.float32), np.array([[1, 2, 3]] * 2, np.int32))

    def values(name: str) -> np.ndarray:
        return found[..., features.names.index(name)]

    np.testing.assert_allclose(values("ease_score"), [[0, np.log(1.1), 0], [0, 0, 0]], rtol=HALF)
    np.testing.assert_allclose(values("ease_share"), [[-1, 1, -0.5], [0, 0, 0]], rtol=2 * HALF)
    assert values("ease_rank").tolist() == [[0, 1, 0], [0, 0, 0]]


def test_an_item_that_nobody_chose_yet_borrows_its_scores(hand_made: CandidateFeatures) -> None:
    loans = Loans(6, np.array([4]), np.array([[2, 3]], np.int32), np.array([[0.75, 0.25]], np.float32))
    features = replace(hand_made, attributes=replace(hand_made.attributes, loans=loans))
    queries, vectors, items = queries_of([0, 1]), np.array([[1, 2]], np.float32), np.array([[2, 3, 4]], np.int32)
    found, before = compute(features, queries, vectors, items)[0], compute(hand_made, queries, vectors, items)[0]
    borrowed = 0.75 * (0.5 * 0.5) + 0.25 * (0.5 * 0.2 + 0.4)
    place = features.names.index("transitions_score")
    np.testing.assert_allclose(found[:, place], np.log([1.25, 1.5, 1 + borrowed]), rtol=HALF)
    np.testing.assert_allclose(found[2, -1], before[2, -1] + 10 * borrowed, rtol=HALF)
    np.testing.assert_array_equal(found[:, :place], before[:, :place])


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> CandidateFeatures:
    """The features of a whole small bundle."""
    with open_bundle(make_bundle(tmp_path_factory.mktemp("bundle"), 80, 25)) as bundle:
        assert bundle.ranker is not None
        return bundle.ranker.features


def random_case(n_queries: int, width: int, seed: int) -> tuple[Queries, np.ndarray, np.ndarray]:
    """Queries of 0 to 8 items, vectors and candidates with padding."""
    random = np.random.default_rng(seed)
    histories = [random.integers(0, 80, random.integers(0, 9)).tolist() for _ in range(n_queries)]
    vectors = random.normal(size=(n_queries, 8)).astype(np.float32)
    items = random.permuted(np.tile(np.arange(80, dtype=np.int32), (n_queries, 1)), axis=1)[:, :width]
    items[np.arange(width) >= random.integers(1, width + 1, n_queries)[:, None]] = NO_ITEM
    return queries_of(*histories), vectors, items


def test_a_batch_has_the_features_of_its_queries_alone(fitted: CandidateFeatures) -> None:
    queries, vectors, items = random_case(20, 30, seed=1)
    together = compute(fitted, queries, vectors, items)
    assert np.isfinite(together).all()
    assert not together[items == NO_ITEM].any()
    for row in range(20):
        count = int((items[row] != NO_ITEM).sum())
        alone = compute(fitted, queries.select([row]), vectors[row : row + 1], items[row : row + 1, :count])
        np.testing.assert_allclose(alone[0], together[row, :count], rtol=1e-5, atol=1e-6)


def test_neither_others_nor_the_users_number_nor_the_moment_matter(fitted: CandidateFeatures) -> None:
    queries, vectors, items = random_case(12, 30, seed=2)
    before = compute(fitted, queries, vectors, items)
    known = queries.histories
    rows = np.repeat(np.arange(12), known.lengths)
    # Users 6 to 11 go on to take what the first six are offered, who themselves take no further item.
    later_rows = np.repeat(np.arange(6, 12), 5)
    later = Histories.from_rows(
        12,
        np.concatenate([rows, later_rows]),
        np.concatenate([known.items, np.maximum(items[:6, :5].ravel(), 0)]),
        np.concatenate([known.timestamps, np.full(len(later_rows), START + 10**6)]),
        np.concatenate([known.ratings, np.full(len(later_rows), 5, np.float32)]),
    )
    after = compute(fitted, Queries(later, np.arange(12, dtype=np.int32), np.full(12, START + 10**7)), vectors, items)
    np.testing.assert_allclose(after[:6], before[:6], rtol=1e-6, atol=1e-7)
    assert (after[6:] != before[6:]).any(), "what is added must matter to those who took it"


def renumbered(features: CandidateFeatures, new_row: np.ndarray) -> CandidateFeatures:
    """The same features of a catalogue in which item i stands in row `new_row[i]`."""
    old_row = np.argsort(new_row)
    scorers = {}
    for name, scorer in features.scorers.items():
        if isinstance(scorer, ItemToItem):
            neighbours = np.where(scorer.neighbours == NO_ITEM, NO_ITEM, new_row[scorer.neighbours]).astype(np.int32)
            scorers[name] = ItemToItem(name, neighbours[old_row], scorer.similarities[old_row], scorer.decay)
        else:
            scorers[name] = replace(scorer, item_factors=scorer.item_factors[old_row])
    attributes = features.attributes
    names = ("log_price", "brand", "categories", "log_count", "trend")
    predictor = features.predictor
    assert predictor is not None
    statistics = predictor.statistics
    statistics = replace(
        statistics, item_sums=statistics.item_sums[old_row], item_counts=statistics.item_counts[old_row]
    )
    embeddings, loans = features.primary.item_embeddings[old_row], attributes.loans
    moved_loans = replace(loans, borrowers=new_row[loans.borrowers], lenders=new_row[loans.lenders])
    return CandidateFeatures(
        two_tower(embeddings),
        scorers,
        ItemAttributes(**{name: getattr(attributes, name)[old_row] for name in names}, loans=moved_loans),
        replace(predictor, statistics=statistics, item_parts=predictor.item_parts[old_row]),
        features.hybrid,
        features.members,
    )


def test_the_numbering_of_the_items_is_no_feature(fitted: CandidateFeatures) -> None:
    assert set(fitted.scorers) == set(SCORERS)
    assert len(fitted.attributes.loans.borrowers)
    assert set(fitted.hybrid) == {"two_tower", *fitted.scorers} - {"bpr"}
    queries, vectors, items = random_case(15, 30, seed=3)
    new_row = np.random.default_rng(4).permutation(80).astype(np.int32)
    known = queries.histories
    moved = Histories(known.indptr, new_row[known.items], known.timestamps, known.ratings, known.weights)
    found = compute(
        renumbered(fitted, new_row),
        Queries(moved, queries.users, queries.now),
        vectors,
        np.where(items == NO_ITEM, NO_ITEM, new_row[items]),
    )
    np.testing.assert_allclose(found, compute(fitted, queries, vectors, items), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(0, 5), (3, 0)])
def test_no_queries_or_no_candidates(fitted: CandidateFeatures, shape: tuple[int, int]) -> None:
    queries = queries_of(*([1, 2] for _ in range(shape[0])))
    items = np.full(shape, NO_ITEM, np.int32)
    found = compute(fitted, queries, np.zeros((shape[0], 8), np.float32), items)
    assert found.shape == (*shape, len(fitted.names))


def test_features_of_a_closed_bundle_stay_usable(tmp_path: Path) -> None:
    with open_bundle(make_bundle(tmp_path, 30, 8, ratings=False)) as bundle:
        assert bundle.ranker is not None
        features = bundle.ranker.features
    found = compute(features, queries_of([1]), np.ones((1, 8), np.float32), np.array([[0, 2]], np.int32))
    assert "predicted_rating" not in features.names
    assert np.isfinite(found).all()
