"""A toy shop whose customers buy items in a fixed order, and fits on it that take seconds.

As a program (`python -m tests.support.training RUN_DIR [--resume]`) it trains until killed or done,
printing a line after every step.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from recsys.config import Config, parse_config
from recsys.core.histories import Histories
from recsys.core.progress import Step
from recsys.models import ItemFeatures, TwoTower
from recsys.pipeline.ratings.factors_fit import fit_ratings
from recsys.train.batches import TrainingBatches
from recsys.train.distribution import Cluster, make_deterministic
from recsys.train.fit_loop import FitLoop
from recsys.train.run_folder import RunFolder
from recsys.train.train_step import TrainStep, make_optimizer
from recsys.train.validator import Validator

N_ITEMS, N_USERS = 40, 150


def make_config(**training: Any) -> Config:
    """A small model; `training` overrides keys of its section."""
    return parse_config(
        {
            "name": "tiny",
            "data": {"format": "events", "interactions": ["unused"]},
            "model": {
                "dim": 16,
                "layers": 1,
                "max_history": 8,
                "dropout": 0.1,
                "text_match_dim": 4,
                "rating_hidden": [8],
            },
            "training": {"batch_size": 32, "learning_rate": 0.01, "warmup_steps": 5, "epochs": 3, **training},
        },
        "tiny",
    )


def make_histories(seed: int = 0) -> tuple[Histories, Histories]:
    """Train and validation histories: whoever buys item n buys item n + 1 next (modulo the catalogue)."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 14, N_USERS)
    users = np.repeat(np.arange(N_USERS), lengths)
    position = np.concatenate([np.arange(length) for length in lengths])
    items = (rng.integers(0, N_ITEMS, N_USERS)[users] + position) % N_ITEMS
    ratings = np.where(rng.random(len(items)) < 0.8, 1 + items % 5, np.nan)
    last = np.append(users[1:] != users[:-1], True)

    def part(mask: np.ndarray) -> Histories:
        return Histories.from_rows(N_USERS, users[mask], items[mask], position[mask] * 86_400, ratings[mask])

    return part(~last), part(last)


def make_model(config: Config, histories: Histories, *, text_layer: tf.keras.layers.Layer | None = None) -> TwoTower:
    """A model over the toy catalogue, with random text."""
    rng = np.random.default_rng(1)
    features = ItemFeatures(
        text=rng.normal(size=(N_ITEMS, 12)).astype(np.float32),
        brand=rng.integers(0, 3, N_ITEMS, dtype=np.int32),
        categories=rng.integers(0, 4, (N_ITEMS, 2), dtype=np.int32),
        price=rng.normal(size=(N_ITEMS, 2)).astype(np.float32),
        n_brands=3,
        n_categories=4,
    )
    counts = np.bincount(histories.items, minlength=N_ITEMS)
    model = TwoTower(features, counts, N_USERS, config, 3.0, None, text_layer)
    model.build_variables()
    return model


def make_batches(config: Config, histories: Histories) -> TrainingBatches:
    statistics = fit_ratings(histories, np.random.default_rng(2).normal(size=(N_ITEMS, 4)), 5.0)
    return TrainingBatches(
        histories,
        statistics.prefix_features(histories),
        max_history=config.model.max_history,
        batch_size=config.training.batch_size,
        seed=config.seed,
    )


@cache
def _compiled() -> tuple[TwoTower, Any, TrainStep, list[np.ndarray]]:
    """Model, optimizer and step as `make_config()` has them, made once, and the variables' first values."""
    make_deterministic(0)
    config = make_config()
    model = make_model(config, make_histories()[0])
    optimizer = make_optimizer(model, config.training, mixed_precision=False)
    step = TrainStep(model, optimizer, tf.distribute.get_strategy(), config.training.clip_norm)
    return model, optimizer, step, [v.numpy() for v in [*model.variables, *optimizer.variables]]


def make_fit(
    config: Config,
    folder: Path,
    *,
    resume: bool = False,
    validate: Callable[[], dict[str, float]] | None = None,
    cluster: Cluster | None = None,
    fresh_seed: int | None = None,
) -> tuple[FitLoop, TwoTower]:
    """A fit in run folder `folder`, not yet run.

    Tracing takes seconds, so fits share one compiled model, put back to its first weights, unless they
    train on a `cluster` or ask for a fresh model by `fresh_seed` (of its first weights).
    """
    train, validation = make_histories()
    if cluster is None and fresh_seed is None:
        model, optimizer, step, values = _compiled()
        for variable, value in zip([*model.variables, *optimizer.variables], values, strict=True):
            variable.assign(value)
    else:
        make_deterministic(fresh_seed or 0)
        with (cluster or Cluster()).strategy.scope():
            model = make_model(config, train)
            optimizer = make_optimizer(model, config.training, mixed_precision=False)
        step = None
    cluster = cluster or Cluster()
    run = RunFolder(folder)
    if cluster.is_chief and not resume:
        run.start(config, {})
    cluster.barrier()
    fit = FitLoop(
        model=model,
        optimizer=optimizer,
        batches=make_batches(config, train),
        validate=validate or Validator(model, train, validation, max_users=100, max_history=8, seed=0),
        config=config.training,
        run=run,
        cluster=cluster,
        progress=Step.silent(),
    )
    if step is not None:
        fit._step = step
    if resume:
        fit.resume()
    return fit, model


def weights(model: TwoTower) -> dict[str, np.ndarray]:
    """Trained weights by name."""
    return {f"{n} {v.name}": v.numpy() for n, v in enumerate(model.trainable_variables)}


if __name__ == "__main__":
    chosen = make_config(checkpoint_minutes=1e-6, epochs=4)
    fit, model = make_fit(chosen, Path(sys.argv[1]), resume="--resume" in sys.argv, fresh_seed=0)
    original = fit._step

    def announced(*arguments: Any) -> Any:
        print("step", arguments[0], flush=True)
        return original(*arguments)

    fit._step = announced
    fit.run()
    np.savez(Path(sys.argv[1]) / "final.npz", **{f"w{n}": w for n, w in enumerate(weights(model).values())})
