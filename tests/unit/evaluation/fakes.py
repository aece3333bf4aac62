"""A made-up two-tower whose scores are given, so that every expected figure can be derived by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.config import Config
from recsys.dataset.histories import Histories
from recsys.ranking.recommender import Recommender
from recsys.retrieval.base import Candidates, Queries
from recsys.retrieval.exact import top_k
from recsys.retrieval.popularity import Popularity


@dataclass
class FakeTwoTower:
    """Scores by user row; approximate search misses the items in `lost`."""

    wishes: NDArray[np.float32]
    lost: tuple[int, ...] = ()

    @property
    def item_embeddings(self) -> NDArray[np.float32]:
        return np.eye(self.wishes.shape[1], dtype=np.float32)

    def encode(self, queries: Queries) -> NDArray[np.float32]:
        return np.where(queries.histories.lengths[:, None] > 0, self.wishes[queries.users], 0)

    def search(
        self, vectors: NDArray[np.float32], queries: Queries, k: int, *, exclude_seen: bool = True
    ) -> Candidates:
        scores = vectors.copy()
        scores[:, list(self.lost)] = -np.inf
        scores[queries.histories.lengths == 0] = -np.inf
        if exclude_seen:
            histories = queries.histories
            scores[np.repeat(np.arange(len(histories)), histories.lengths), histories.items] = -np.inf
        return top_k(scores, k)


@dataclass
class FakePredictor:
    """Predicts the same rating of an item for everyone."""

    ratings: NDArray[np.float32]

    def predict(self, vectors: Any, histories: Histories, items: NDArray[np.int32]) -> NDArray[np.float32]:
        return np.where(items >= 0, self.ratings[items], np.float32(np.nan))


@dataclass
class FakeBundle:
    """What the evaluator asks of a bundle."""

    tower: FakeTwoTower
    popularity: Popularity
    predictor: FakePredictor | None = None
    rescore_weight: float = 0.0
    path: Path = Path("saved_model/tiny/v1")
    version: str = "v1"
    manifest: dict[str, Any] = field(default_factory=dict)

    @property
    def item_embeddings(self) -> NDArray[np.float32]:
        return self.tower.item_embeddings

    def recommender(self) -> Recommender:
        return Recommender(self.tower, self.popularity, self.predictor, self.rescore_weight)  # type: ignore[arg-type]


def make_config(**evaluation: Any) -> Config:
    settings = {
        "cutoffs": [2, 5],
        "bootstrap_samples": 50,
        "neighbours_k": [5],
        "neighbours_b": [0.2],
        "neighbours_decay": [0.8],
        **evaluation,
    }
    return Config.model_validate(
        {
            "name": "tiny",
            "data": {"format": "amazon_2018", "interactions": ["reviews.json.gz"]},
            "evaluation": settings,
        }
    )


def wishes(n_items: int, *rankings: list[int]) -> NDArray[np.float32]:
    """Scores that put each user's items in the given order, the rest after them in order of row."""
    scores = np.empty((len(rankings), n_items), np.float32)
    for row, ranking in enumerate(rankings):
        order = ranking + [item for item in range(n_items) if item not in ranking]
        scores[row, order] = np.arange(n_items, 0, -1)
    return scores
