from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from recsys.bundle import open_bundle
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.features import CandidateFeatures
from recsys.pipeline.features.brand import BrandFeatures
from recsys.pipeline.features.category import CategoryFeatures
from recsys.pipeline.features.history import HistoryFeatures
from recsys.pipeline.features.names import NO_NAME
from recsys.pipeline.features.popularity import PopularityFeatures
from recsys.pipeline.features.price import PriceFeatures
from recsys.pipeline.features.primary import PrimaryFeatures
from recsys.pipeline.features.rating import RatingFeatures
from recsys.pipeline.features.registry import GROUPS
from recsys.pipeline.features.source_scores import SourceScoreFeatures
from recsys.pipeline.features.source_sum import SourceSumFeatures
from recsys.pipeline.ranker import Ranker
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.lending import Loans
from recsys.sources.popularity.source import Popularity
from recsys.sources.two_tower.source import TwoTowerSource
from tests.support.bundles import HALF, SCORERS, START, make_bundle
from tests.support.ranking import described

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

    def estimate(self, vectors: np.ndarray, histories: Histories, items: np.ndarray) -> np.ndarray:
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


@dataclass(frozen=True)
class Inputs:
    """What a ranker reads: scorer and features."""

    scorer: CandidateScorer
    features: CandidateFeatures

    def compute(self, queries: Queries, vectors: np.ndarray, items: np.ndarray) -> np.ndarray:
        """The features of items for users of the given vectors."""
        primary = two_tower(self.scorer.primary.item_embeddings, vectors)
        return described(replace(self.scorer, primary=primary), self.features, queries, items)

    def column(self, name: str) -> int:
        return self.features.column(name)

    def but(self, features: dict[str, Any] | None = None, **scorer: Any) -> Inputs:
        """The same with other groups of features, and other fields of the scorer."""
        groups = {**self.features.groups, **(features or {})}
        return Inputs(replace(self.scorer, **scorer), CandidateFeatures(groups))


@pytest.fixture(scope="module")
def hand_made() -> Inputs:
    scorer = CandidateScorer(
        two_tower(np.array([[1, 0], [0, 1], [1, 1], [2, 0], [0, 0.5], [-1, 0]], np.float32)),
        {"transitions": lists("transitions", 0.5, [{2: 0.5, 3: 0.2}, {3: 0.4}, {}, {}, {}, {}])},
        Loans.none(6),
        {"two_tower": 2.0, "transitions": 10.0, "popularity": 0.1},
        {"popularity": Popularity(np.array([1, 2, 3, 4, 5, 6], np.float32))},
    )
    groups = {
        "primary": PrimaryFeatures("two_tower"),
        "source_scores": SourceScoreFeatures(("transitions",)),
        "popularity": PopularityFeatures(
            np.array([1, 2, 3, 4, 5, 6], np.float32), np.array([-1, -2, -3, -4, -5, -6], np.float32)
        ),
        "price": PriceFeatures(np.log(np.array([10, 20, 40, NAN, 5, 20], np.float32))),
        "brand": BrandFeatures(np.array([1, 2, 1, NO_NAME, 2, NO_NAME], np.int32)),
        "category": CategoryFeatures(np.array([[1, 2], [2, 0], [1, 3], [0, 0], [2, 0], [0, 0]], np.int32)),
        "history": HistoryFeatures(),
        "rating": RatingFeatures(RatingOfItem(SimpleNamespace(global_mean=3.5))),
        "source_sum": SourceSumFeatures(),
    }
    assert list(groups) == list(GROUPS)
    return Inputs(scorer, CandidateFeatures(groups))


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
    "source_sum": [2 * 3 + 10 * 0.25 + 0.3, 2 * 2 + 10 * 0.5 + 0.4, 2 * 1 + 0.5],
}


def test_every_feature_by_hand(hand_made: Inputs) -> None:
    queries, items = queries_of([0, 1]), np.array([[2, 3, 4, NO_ITEM]], np.int32)
    found = hand_made.compute(queries, np.array([[1, 2]], np.float32), items)
    assert hand_made.features.names == tuple(EXPECTED)
    assert found.shape == (1, 4, len(EXPECTED))
    assert found.dtype == np.float32
    for position, (name, expected) in enumerate(EXPECTED.items()):
        np.testing.assert_allclose(found[0, :3, position], expected, rtol=HALF, atol=1e-6, err_msg=name)
    assert not found[0, 3].any(), "beside padding everything is 0"


def test_the_groups_part_the_features(hand_made: Inputs) -> None:
    headings = hand_made.features.headings
    assert [name for names in headings.values() for name in names] == list(EXPECTED)
    assert headings["transitions"] == tuple(name for name in EXPECTED if name.startswith("transitions"))
    assert "rating" in headings
    without = hand_made.but({"rating": RatingFeatures(None)})
    kept = [column for column, name in enumerate(EXPECTED) if name != "predicted_rating"]
    assert without.features.names == tuple(name for name in EXPECTED if name != "predicted_rating")
    queries, items = queries_of([0, 1]), np.array([[2, 3]], np.int32)
    vectors = np.array([[1, 2]], np.float32)
    np.testing.assert_array_equal(
        without.compute(queries, vectors, items), hand_made.compute(queries, vectors, items)[..., kept]
    )


def test_an_empty_history_says_nothing_of_habits(hand_made: Inputs) -> None:
    found = hand_made.compute(queries_of([]), np.zeros((1, 2), np.float32), np.array([[2, 4]], np.int32))
    spoken = ("log_count", "trend", "predicted_rating", "two_tower_rank", "source_sum")
    silent = [name for name in EXPECTED if name not in spoken]
    assert not found[0][:, [hand_made.column(name) for name in silent]].any()
    assert found[0, :, hand_made.column("trend")].tolist() == [-3, -5]


def test_two_unknown_brands_or_categories_are_not_the_same(hand_made: Inputs) -> None:
    found = hand_made.compute(queries_of([3]), np.zeros((1, 2), np.float32), np.array([[5, 3]], np.int32))
    for name in ("brand_share", "brand_of_last_item", "category_share", "category_of_last_item", "price_known"):
        assert not found[0, :, hand_made.column(name)].any(), name


def test_scores_below_zero_stay_in_bounds(hand_made: Inputs) -> None:
    dislikes = lists("ease", 1.0, [{1: -0.4, 2: 0.1, 3: -0.05}, {3: -0.1}, {}, {}, {}, {}])
    features = hand_made.but({"source_scores": SourceScoreFeatures(("ease",))}, scorers={"ease": dislikes}, weights={})
    found = features.compute(queries_of([0], [1]), np.zeros((2, 2), np.float32), np.array([[1, 2, 3]] * 2, np.int32))

    def values(name: str) -> np.ndarray:
        return found[..., features.column(name)]

    np.testing.assert_allclose(values("ease_score"), [[0, np.log(1.1), 0], [0, 0, 0]], rtol=HALF)
    np.testing.assert_allclose(values("ease_share"), [[-1, 1, -0.5], [0, 0, 0]], rtol=2 * HALF)
    assert values("ease_rank").tolist() == [[0, 1, 0], [0, 0, 0]]


def test_an_item_that_nobody_chose_yet_borrows_its_scores(hand_made: Inputs) -> None:
    loans = Loans(6, np.array([4]), np.array([[2, 3]], np.int32), np.array([[0.75, 0.25]], np.float32))
    features = hand_made.but(loans=loans)
    queries, vectors, items = queries_of([0, 1]), np.array([[1, 2]], np.float32), np.array([[2, 3, 4]], np.int32)
    found, before = features.compute(queries, vectors, items)[0], hand_made.compute(queries, vectors, items)[0]
    borrowed = 0.75 * (0.5 * 0.5) + 0.25 * (0.5 * 0.2 + 0.4)
    position = features.column("transitions_score")
    np.testing.assert_allclose(found[:, position], np.log([1.25, 1.5, 1 + borrowed]), rtol=HALF)
    np.testing.assert_array_equal(found[:, :position], before[:, :position])
    np.testing.assert_array_equal(found[:, -1], before[:, -1], err_msg="what is borrowed is in no sum")


def test_finalists_keep_what_they_borrow_apart(hand_made: Inputs) -> None:
    loans = Loans(6, np.array([4]), np.array([[2, 3]], np.int32), np.array([[0.75, 0.25]], np.float32))
    primary = two_tower(hand_made.scorer.primary.item_embeddings, np.array([[1, 2]], np.float32))
    scorer = hand_made.but(loans=loans, primary=primary).scorer
    queries, items = queries_of([0, 1]), np.array([[2, 3, 4]], np.int32)
    scored = scorer.score(scorer.read(queries), items)
    transitions = scorer.names.index("transitions")
    np.testing.assert_allclose(scored.scores[transitions, 0], [0.25, 0.5, 0.3125], rtol=HALF)
    np.testing.assert_allclose(scored.own[transitions, 0], [0.25, 0.5, 0], rtol=HALF)
    best = scored.best(2, order=np.array([[1, 2, 3]], np.float32))
    assert best.items.tolist() == [[4, 3]]
    np.testing.assert_array_equal(best.scores, scored.scores[..., [2, 1]])
    np.testing.assert_array_equal(best.own, scored.own[..., [2, 1]])
    # Nobody borrows among these.
    assert scorer.score(scorer.read(queries), items[:, :2]).unlent is None


def inputs_of(ranker: Ranker | None) -> Inputs:
    assert ranker is not None
    return Inputs(ranker.scorer, ranker.features)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Those of a whole small bundle."""
    with open_bundle(make_bundle(tmp_path_factory.mktemp("bundle"), 80, 25)) as bundle:
        return inputs_of(bundle.ranker)


def random_case(n_queries: int, width: int, seed: int) -> tuple[Queries, np.ndarray, np.ndarray]:
    """Queries of 0 to 8 items, vectors and candidates with padding."""
    random = np.random.default_rng(seed)
    histories = [random.integers(0, 80, random.integers(0, 9)).tolist() for _ in range(n_queries)]
    vectors = random.normal(size=(n_queries, 8)).astype(np.float32)
    items = random.permuted(np.tile(np.arange(80, dtype=np.int32), (n_queries, 1)), axis=1)[:, :width]
    items[np.arange(width) >= random.integers(1, width + 1, n_queries)[:, None]] = NO_ITEM
    return queries_of(*histories), vectors, items


def test_a_batch_has_the_features_of_its_queries_alone(fitted: Inputs) -> None:
    queries, vectors, items = random_case(20, 30, seed=1)
    together = fitted.compute(queries, vectors, items)
    assert np.isfinite(together).all()
    assert not together[items == NO_ITEM].any()
    for row in range(20):
        count = int((items[row] != NO_ITEM).sum())
        alone = fitted.compute(queries.select([row]), vectors[row : row + 1], items[row : row + 1, :count])
        np.testing.assert_allclose(alone[0], together[row, :count], rtol=1e-5, atol=1e-6)


def test_neither_others_nor_the_users_number_nor_the_moment_matter(fitted: Inputs) -> None:
    queries, vectors, items = random_case(12, 30, seed=2)
    before = fitted.compute(queries, vectors, items)
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
    after = fitted.compute(Queries(later, np.arange(12, dtype=np.int32), np.full(12, START + 10**7)), vectors, items)
    np.testing.assert_allclose(after[:6], before[:6], rtol=1e-6, atol=1e-7)
    assert (after[6:] != before[6:]).any(), "what is added must matter to those who took it"


def renumbered(inputs: Inputs, new_row: np.ndarray) -> Inputs:
    """The same for a catalogue in which item i stands in row `new_row[i]`."""
    old_row = np.argsort(new_row)
    scorers = {}
    for name, scorer in inputs.scorer.scorers.items():
        if isinstance(scorer, ItemToItem):
            neighbours = np.where(scorer.neighbours == NO_ITEM, NO_ITEM, new_row[scorer.neighbours]).astype(np.int32)
            scorers[name] = ItemToItem(name, neighbours[old_row], scorer.similarities[old_row], scorer.decay)
        else:
            scorers[name] = replace(scorer, item_factors=scorer.item_factors[old_row])
    groups: dict[str, Any] = {}
    for name, group in inputs.features.groups.items():
        arrays = {field.name: getattr(group, field.name) for field in fields(group)} if group.n_items else {}
        groups[name] = replace(group, **{name: array[old_row] for name, array in arrays.items()})
    predictor = groups["rating"].predictor
    statistics = predictor.statistics
    statistics = replace(
        statistics, item_sums=statistics.item_sums[old_row], item_counts=statistics.item_counts[old_row]
    )
    predictor = replace(predictor, statistics=statistics, item_parts=predictor.item_parts[old_row])
    groups["rating"] = RatingFeatures(predictor)
    embeddings, loans = inputs.scorer.primary.item_embeddings[old_row], inputs.scorer.loans
    moved_loans = replace(loans, borrowers=new_row[loans.borrowers], lenders=new_row[loans.lenders])
    return inputs.but(groups, primary=two_tower(embeddings), scorers=scorers, loans=moved_loans)


def test_the_numbering_of_the_items_is_no_feature(fitted: Inputs) -> None:
    assert set(fitted.scorer.scorers) == set(SCORERS)
    assert len(fitted.scorer.loans.borrowers)
    assert set(fitted.scorer.weights) == {"two_tower", *fitted.scorer.scorers} - {"bpr"}
    queries, vectors, items = random_case(15, 30, seed=3)
    new_row = np.random.default_rng(4).permutation(80).astype(np.int32)
    known = queries.histories
    moved = Histories(known.indptr, new_row[known.items], known.timestamps, known.ratings, known.weights)
    found = renumbered(fitted, new_row).compute(
        Queries(moved, queries.users, queries.now),
        vectors,
        np.where(items == NO_ITEM, NO_ITEM, new_row[items]),
    )
    np.testing.assert_allclose(found, fitted.compute(queries, vectors, items), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(0, 5), (3, 0)])
def test_no_queries_or_no_candidates(fitted: Inputs, shape: tuple[int, int]) -> None:
    queries = queries_of(*([1, 2] for _ in range(shape[0])))
    items = np.full(shape, NO_ITEM, np.int32)
    found = fitted.compute(queries, np.zeros((shape[0], 8), np.float32), items)
    assert found.shape == (*shape, len(fitted.features.names))


def test_features_of_a_closed_bundle_stay_usable(tmp_path: Path) -> None:
    with open_bundle(make_bundle(tmp_path, 30, 8, ratings=False)) as bundle:
        inputs = inputs_of(bundle.ranker)
    found = inputs.compute(queries_of([1]), np.ones((1, 8), np.float32), np.array([[0, 2]], np.int32))
    assert "predicted_rating" not in inputs.features.names
    assert np.isfinite(found).all()
