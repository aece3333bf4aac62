"""Training data of any size for benchmarks of training: histories, item attributes, a model, its batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.config import Config
from recsys.core.histories import Histories
from recsys.models import ItemFeatures, TwoTower
from recsys.pipeline.ratings.statistics import FEATURES
from recsys.train.batches import TrainingBatches

TEXT_DIM = 384
DEEPEST_HISTORY = 200


@dataclass(frozen=True)
class Size:
    """How much data a shop has.

    Attributes:
        users, items: numbers of them.
        mean_history: about the mean number of training interactions of a user.
    """

    users: int
    items: int
    mean_history: float


BEAUTY = Size(22_363, 12_101, 6.9)
CDS = Size(111_905, 72_925, 12.3)
MILLION = Size(300_000, 1_000_000, 12.3)
SIZES = {"beauty": BEAUTY, "cds": CDS, "million": MILLION}


def make_histories(size: Size, seed: int = 0) -> Histories:
    """Histories whose lengths and whose items' popularity fall off as those of Amazon's shops do."""
    rng = np.random.default_rng(seed)
    lengths = 3 + np.minimum(rng.pareto(1.8, size.users) * (size.mean_history - 3) * 0.8, DEEPEST_HISTORY).astype(int)
    users = np.repeat(np.arange(size.users), lengths)
    popularity = 1 / np.arange(10, size.items + 10) ** 0.7
    items = rng.choice(size.items, len(users), p=popularity / popularity.sum())
    return Histories.from_rows(size.users, users, items, np.arange(len(users)))


def make_batches(config: Config, histories: Histories) -> TrainingBatches:
    """Batches as training makes them, without ratings."""
    return TrainingBatches(
        histories,
        np.zeros((len(histories.items), len(FEATURES)), np.float32),
        max_history=config.model.max_history,
        batch_size=config.training.batch_size,
        seed=config.seed,
    )


def make_model(config: Config, histories: Histories, size: Size) -> TwoTower:
    """A model with every input, over random attributes."""
    rng = np.random.default_rng(0)
    features = ItemFeatures(
        text=rng.standard_normal((size.items, TEXT_DIM), np.float32),
        brand=rng.integers(0, 2000, size.items, dtype=np.int32),
        categories=rng.integers(0, 250, (size.items, 5), dtype=np.int32),
        price=rng.standard_normal((size.items, 2), np.float32),
        n_brands=2000,
        n_categories=250,
    )
    model = TwoTower(features, np.bincount(histories.items, minlength=size.items), size.users, config, None)
    model.build_variables()
    return model
