"""A made-up bundle whose scores are given, so that every expected figure can be derived by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from recsys.bundle.layout import SCHEMA_VERSION
from recsys.bundle.manifest import IndexSection, Manifest, ServingSection
from recsys.config import Config
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.types import Float32Array, Int32Array
from recsys.pipeline.ratings.statistics import RatingStatistics
from recsys.sources.base import Source
from recsys.sources.exact import top_k
from recsys.sources.popularity.source import Popularity
from recsys.sources.two_tower.user_profiles import UserProfiles
from tests.support.bundles import make_dataset_section, make_metrics


@dataclass
class FakeTwoTower:
    """Scores by user row; approximate search misses the items in `lost`."""

    wishes: Float32Array
    lost: tuple[int, ...] = ()
    profiles: ClassVar[UserProfiles | None] = None

    @property
    def n_items(self) -> int:
        return self.wishes.shape[1]

    @property
    def item_embeddings(self) -> Float32Array:
        return np.eye(self.n_items, dtype=np.float32)

    def encode(self, queries: Queries) -> Float32Array:
        """The last row is that of users it does not know."""
        return np.where(queries.histories.lengths[:, None] > 0, self.wishes[queries.users], 0)

    def score(self, queries: Queries) -> Float32Array:
        scores = self.encode(queries).astype(np.float32)
        scores[queries.histories.lengths == 0] = -np.inf
        return scores

    def best_of(self, vectors: Float32Array, queries: Queries, k: int) -> Candidates:
        scores = vectors.astype(np.float32)
        scores[queries.histories.lengths == 0] = -np.inf
        return top_k(scores, k)

    def search(self, vectors: Float32Array, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        scores = vectors.copy()
        scores[:, list(self.lost)] = -np.inf
        scores[queries.histories.lengths == 0] = -np.inf
        return top_k(without_seen(scores, queries) if exclude_seen else scores, k)


@dataclass
class FakeSource:
    """Scores by user row."""

    wishes: Float32Array
    name: str = "fake"

    @property
    def n_items(self) -> int:
        return self.wishes.shape[1]

    def score(self, queries: Queries) -> Float32Array:
        scores = self.wishes[queries.users].astype(np.float32)
        scores[queries.histories.lengths == 0] = -np.inf
        return scores

    def best(self, queries: Queries, k: int) -> Candidates:
        return self.propose(queries, k, exclude_seen=False)

    def propose(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        scores = self.score(queries)
        return top_k(without_seen(scores, queries) if exclude_seen else scores, k)


def without_seen(scores: Float32Array, queries: Queries) -> Float32Array:
    histories = queries.histories
    scores[np.repeat(np.arange(len(histories)), histories.lengths), histories.items] = -np.inf
    return scores


@dataclass
class FakeRecommender:
    """The first `depth` of the two-tower, with `bonus` of an item added to its score; else popular items."""

    primary: FakeTwoTower
    popularity: Popularity
    bonus: Float32Array
    depth: int = 200
    ranker: None = None

    def read(self, queries: Queries) -> Queries:
        return queries

    def candidates(self, queries: Queries, *, exclude_seen: bool = True) -> Int32Array:
        return self._propose(queries, 1, exclude_seen=exclude_seen)

    def _propose(self, queries: Queries, k: int, *, exclude_seen: bool) -> Int32Array:
        vectors = self.primary.encode(queries)
        return self.primary.search(vectors, queries, max(k, self.depth), exclude_seen=exclude_seen).items

    def recommend(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        vectors = self.primary.encode(queries)
        items = self._propose(queries, k, exclude_seen=exclude_seen)
        scores = np.full((len(queries), self.primary.n_items), -np.inf, np.float32)
        rows, positions = np.nonzero(items != NO_ITEM)
        chosen = items[rows, positions]
        scores[rows, chosen] = vectors[rows, chosen] + self.bonus[chosen]
        found = top_k(scores, k)
        nothing = np.flatnonzero((items == NO_ITEM).all(axis=1))
        popular = self.popularity.propose(queries.select(nothing), k, exclude_seen=exclude_seen)
        found.items[nothing], found.scores[nothing] = popular.items, popular.scores
        return found


@dataclass
class FakePredictor:
    """Predicts the same rating of an item for everyone."""

    ratings: Float32Array
    statistics: RatingStatistics

    def predict(self, vectors: Any, histories: Histories, items: Int32Array) -> Float32Array:
        return np.where(items >= 0, self.ratings[items], np.float32(np.nan))


def make_manifest(
    *, manifest_sha256: str | None = None, config: dict[str, Any] | None = None, **measured: Any
) -> Manifest:
    """Of a bundle without further parts; `measured` are fields of its metrics."""
    return Manifest(
        schema_version=SCHEMA_VERSION,
        name="tiny",
        version="v1",
        created_at="2024-01-01T00:00:00+00:00",
        dataset=make_dataset_section("tiny", 1, 1, manifest_sha256),
        config=config or {},
        metrics=make_metrics(**measured),
        attributes={},
        sources={},
        hybrids={},
        ranker=None,
        serving=ServingSection(candidates=1, proposer_candidates=1, confidence={}),
        no_item_encoder="made for a test",
        index=IndexSection(leaves=0, leaves_to_search=0, reorder=0),
        packages={},
        files={},
        sha256="",
    )


@dataclass
class FakeBundle:
    """What the evaluator asks of a bundle."""

    tower: FakeTwoTower
    popularity: Popularity
    others: dict[str, Source] = field(default_factory=dict)
    rating_predictor: FakePredictor | None = None
    bonus: Float32Array | None = None
    path: Path = Path("saved_model/tiny/v1")
    version: str = "v1"
    manifest: Manifest = field(default_factory=make_manifest)

    @property
    def item_embeddings(self) -> Float32Array:
        return self.tower.item_embeddings

    @property
    def n_items(self) -> int:
        return self.tower.n_items

    @property
    def sources(self) -> list[str]:
        return ["two_tower", "popularity", *self.others]

    def source(self, name: str) -> Source:
        return {"popularity": self.popularity, **self.others}[name]

    def two_tower(self) -> FakeTwoTower:
        return self.tower

    def recommender(self) -> FakeRecommender:
        bonus = np.zeros(self.n_items, np.float32) if self.bonus is None else self.bonus
        return FakeRecommender(self.tower, self.popularity, bonus)

    def __enter__(self) -> FakeBundle:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def make_config(**evaluation: Any) -> Config:
    settings = {
        "cutoffs": [2, 5],
        "bootstrap_samples": 50,
        "svd_factors": [2],
        "svd_epochs": [2],
        "svd_learning_rate": [0.01],
        "svd_regularization": [0.05],
        "svdpp_factors": [2],
        "svdpp_epochs": [2],
        "svdpp_learning_rate": [0.01],
        "svdpp_regularization": [0.05],
        **evaluation,
    }
    return Config.model_validate(
        {
            "name": "tiny",
            "data": {"format": "amazon_2018", "interactions": ["reviews.json.gz"]},
            "evaluation": settings,
        }
    )


def wishes(n_items: int, *rankings: list[int]) -> Float32Array:
    """Scores that put each user's items in the given order, the rest after them in order of row."""
    scores = np.empty((len(rankings), n_items), np.float32)
    for row, ranking in enumerate(rankings):
        order = ranking + [item for item in range(n_items) if item not in ranking]
        scores[row, order] = np.arange(n_items, 0, -1)
    return scores
