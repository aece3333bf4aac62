"""A whole training run: prepared dataset to bundle."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
from rich.console import Console

from recsys.bundle.manifest import file_sha256
from recsys.config import Config
from recsys.dataset import columns as c
from recsys.dataset.prepared import PreparedDataset
from recsys.models import TwoTower
from recsys.text import build_fine_tuned_text, encode_items
from recsys.training.batches import TrainingBatches
from recsys.training.distribution import Cluster, make_deterministic, use_mixed_precision
from recsys.training.export import export_bundle
from recsys.training.features import ModelInputs
from recsys.training.fit import Fit, FitState, restore_best
from recsys.training.run import RunFolder
from recsys.training.step import make_optimizer
from recsys.training.validation import EARLY_STOPPING_METRIC, Validator


def train(config: Config, *, resume: bool = False, console: Console | None = None) -> Path | None:
    """Train on the config's prepared dataset and export the best weights as its next bundle.

    Args:
        config: all settings.
        resume: go on with the run that was interrupted, instead of starting anew.
        console: for progress.

    Returns:
        Folder of the bundle's version; None in a worker that is not the chief.

    Raises:
        DataError: there is no prepared dataset.
        TrainingError: no text encoder, a run that cannot be resumed or is in use, a loss that is not finite.
        BundleError: the result is not good enough to publish.
        KeyboardInterrupt: the run was stopped; it can be resumed.
    """
    cluster = Cluster()
    console = console or Console(soft_wrap=True)
    run = RunFolder(config.run_path)
    if not cluster.is_chief:
        _fit(config, resume, run, cluster, Console(quiet=True))
        return None
    with run.locked():
        dataset, inputs, state = _fit(config, resume, run, cluster, console)
        seconds = sum(record["seconds"] for record in state.curve)
        console.print(
            f"Trained {state.epoch} epochs in {seconds:.0f} s; the weights of epoch {state.best_epoch} are kept. "
            "Exporting ..."
        )
        tf.keras.mixed_precision.set_global_policy("float32")
        model = build_model(inputs, dataset, config, console)
        restore_best(model, run)
        tune_match(model, make_validator(model, dataset, inputs, config), config, console)
        path = export_bundle(model, dataset, inputs, config, state)
    console.print(f"Bundle: {path}")
    return path


def build_model(inputs: ModelInputs, dataset: PreparedDataset, config: Config, console: Console) -> TwoTower:
    """A model with all its variables; with a trainable top of the text encoder if the config says so."""
    text_layer = None
    if config.text.trainable_layers:
        text_layer = build_fine_tuned_text(dataset.items[c.TEXT].tolist(), config.text, console)
    model = TwoTower(
        inputs.features,
        inputs.item_counts,
        dataset.n_users,
        config,
        inputs.statistics.global_mean if inputs.statistics else None,
        inputs.item_init,
        text_layer,
        inputs.rating_start,
    )
    model.build_variables()
    return model


def make_validator(model: TwoTower, dataset: PreparedDataset, inputs: ModelInputs, config: Config) -> Validator:
    """Metrics of `model` on the config's sample of validation users."""
    return Validator(
        model,
        inputs.histories,
        dataset.histories((c.VALIDATION,)),
        max_users=config.training.evaluate_users,
        max_history=config.model.max_history,
        seed=config.seed,
    )


def tune_match(model: TwoTower, validate: Validator, config: Config, console: Console) -> None:
    """Set scale and decay of the text match to those that do best on validation, of the config's and the trained."""
    if not len(validate) or not config.model.text_match:
        return
    trained_scale, trained_decay = model.user_tower.match
    tried = {}
    for decay in (trained_decay, *config.model.text_match_decays):
        for factor in config.model.text_match_factors:
            model.user_tower.set_match(trained_scale * factor, decay)
            tried[trained_scale * factor, decay] = validate()[EARLY_STOPPING_METRIC]
    scale, decay = max(tried, key=lambda setting: tried[setting])
    model.user_tower.set_match(scale, decay)
    console.print(
        f"Text match scale {scale:.2f} (trained {trained_scale:.2f}), decay {decay:.2f} (trained {trained_decay:.2f}); "
        f"{EARLY_STOPPING_METRIC} on validation {tried[scale, decay]:.4f}, the best of {len(tried)} tried"
    )


def _fit(
    config: Config, resume: bool, run: RunFolder, cluster: Cluster, console: Console
) -> tuple[PreparedDataset, ModelInputs, FitState]:
    dataset = PreparedDataset.load(config.prepared_path)
    console.print(
        f"Dataset {dataset.name}: {dataset.n_users} users, {dataset.n_items} items, "
        f"{len(dataset.interactions)} interactions"
    )
    text = cluster.chief_first(lambda: encode_items(dataset.items[c.TEXT].tolist(), config.text, console))
    read = {"dataset": file_sha256(dataset.path / c.MANIFEST_FILE), "text encoder": text.weights_sha256}
    if cluster.is_chief:
        if resume:
            run.check_resumable(config, read)
        elif run.start(config, read):
            console.print(f"Starting anew; the run before is kept in {run.previous}")
    cluster.barrier()
    make_deterministic(config.seed)
    mixed = use_mixed_precision(config.training)
    inputs = ModelInputs.of(dataset, text, config)
    with cluster.strategy.scope():
        model = build_model(inputs, dataset, config, console)
        optimizer = make_optimizer(model, config.training, mixed)
    validate = make_validator(model, dataset, inputs, config)
    batches = TrainingBatches(
        inputs.histories,
        inputs.rating_features,
        max_history=config.model.max_history,
        batch_size=config.training.batch_size,
        seed=config.seed,
    )
    fit = Fit(
        model=model,
        optimizer=optimizer,
        batches=batches,
        validate=validate,
        config=config.training,
        run=run,
        cluster=cluster,
        console=console,
    )
    if resume:
        fit.resume()
    return dataset, inputs, fit.run()
