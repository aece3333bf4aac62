"""A whole training run: prepared dataset to bundle."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf
from rich.console import Console

from recsys.bundle.manifest import file_sha256
from recsys.config import Config
from recsys.models import TwoTower
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.text import ItemText, build_fine_tuned_text, encode_items
from recsys.train.batches import TrainingBatches
from recsys.train.distribution import Cluster, make_deterministic, use_mixed_precision
from recsys.train.export import Trained, export_bundle
from recsys.train.features import ModelInputs
from recsys.train.fit import Fit, FitState, restore_best
from recsys.train.prefix import prefix_of
from recsys.train.run import CONFIG_FILE, RunFolder
from recsys.train.step import make_optimizer
from recsys.train.validation import EARLY_STOPPING_METRIC, Validator

PREFIX_FOLDER = "prefix"  # of the run's folder


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
        _fit_all(config, resume, run, cluster, Console(quiet=True))
        return None
    with run.locked():
        whole, prefix = _fit_all(config, resume, run, cluster, console)
        seconds = sum(record["seconds"] for record in whole.state.curve)
        console.print(
            f"Trained {whole.state.epoch} epochs in {seconds:.0f} s; the weights of epoch {whole.state.best_epoch} "
            "are kept. Fitting the other retrievers and the ranker, then exporting ..."
        )
        tf.keras.mixed_precision.set_global_policy("float32")
        model = whole.restored(config, console)
        match = tune_match(model, make_validator(model, whole.dataset, whole.inputs, config), config, console)
        twin = None
        if prefix is not None:
            twin = Trained(prefix.restored(config, console), prefix.dataset, prefix.inputs)
            apply_match(twin.model, match)
        path = export_bundle(Trained(model, whole.dataset, whole.inputs), twin, config, whole.state, console)
    console.print(f"Bundle: {path}")
    return path


@dataclass(frozen=True)
class _Fitted:
    """A finished fit: what it read, how it went, where its weights lie."""

    dataset: PreparedDataset
    inputs: ModelInputs
    state: FitState
    run: RunFolder

    def restored(self, config: Config, console: Console) -> TwoTower:
        """A model with the best weights, of the precision that holds now."""
        model = build_model(self.inputs, self.dataset, config, console)
        restore_best(model, self.run)
        return model


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


class Match(NamedTuple):
    """Scale of the text match, relative to the trained one, and its decay, None for the trained one."""

    factor: float = 1.0
    decay: float | None = None


def apply_match(model: TwoTower, match: Match) -> None:
    """Set scale and decay of the text match of a freshly trained model."""
    scale, decay = model.user_tower.match
    model.user_tower.set_match(scale * match.factor, decay if match.decay is None else match.decay)


def tune_match(model: TwoTower, validate: Validator, config: Config, console: Console) -> Match:
    """Set scale and decay of the text match to those that do best on validation, of the config's and the trained."""
    if not len(validate) or not config.model.text_match:
        return Match()
    scale, decay = model.user_tower.match
    tried = {}
    for match in itertools.starmap(
        Match, itertools.product(config.model.text_match_factors, (None, *config.model.text_match_decays))
    ):
        model.user_tower.set_match(scale, decay)
        apply_match(model, match)
        tried[match] = validate()[EARLY_STOPPING_METRIC]
    best = max(tried, key=tried.__getitem__)
    model.user_tower.set_match(scale, decay)
    apply_match(model, best)
    chosen_scale, chosen_decay = model.user_tower.match
    console.print(
        f"Text match scale {chosen_scale:.2f} (trained {scale:.2f}), decay {chosen_decay:.2f} (trained {decay:.2f}); "
        f"{EARLY_STOPPING_METRIC} on validation {tried[best]:.4f}, the best of {len(tried)} tried"
    )
    return best


def _fit_all(
    config: Config, resume: bool, run: RunFolder, cluster: Cluster, console: Console
) -> tuple[_Fitted, _Fitted | None]:
    """Fit the two-tower on train, and for the ranker's training lists once more on a prefix of train."""
    dataset = PreparedDataset.load(config.prepared_path)
    console.print(
        f"Dataset {dataset.name}: {dataset.n_users} users, {dataset.n_items} items, "
        f"{len(dataset.interactions)} interactions"
    )
    text = cluster.chief_first(lambda: encode_items(dataset.items[c.TEXT].tolist(), config.text, console))
    whole = _fit(dataset, text, config, resume, run, cluster, console)
    prefix_dataset = prefix_of(dataset, config)
    labelled = prefix_dataset.interactions[c.SPLIT].eq(c.TEST)
    if not config.ranking.epochs or not labelled.any() or labelled.all():
        return whole, None
    console.print(
        f"Training the two-tower on {int((~labelled).sum())} interactions, a prefix of train, for the ranker, which "
        f"learns from the {int(labelled.sum())} that follow"
    )
    training = config.training.model_copy(update={"epochs": whole.state.best_epoch})
    folder = RunFolder(run.path / PREFIX_FOLDER)
    going_on = resume and (folder.path / CONFIG_FILE).is_file()  # else the run was stopped before it came so far
    as_long = config.model_copy(update={"training": training})
    return whole, _fit(prefix_dataset, text, as_long, going_on, folder, cluster, console)


def _fit(
    dataset: PreparedDataset,
    text: ItemText,
    config: Config,
    resume: bool,
    run: RunFolder,
    cluster: Cluster,
    console: Console,
) -> _Fitted:
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
    fit = Fit(
        model=model,
        optimizer=optimizer,
        batches=TrainingBatches(
            inputs.histories,
            inputs.rating_features,
            max_history=config.model.max_history,
            batch_size=config.training.batch_size,
            seed=config.seed,
        ),
        validate=make_validator(model, dataset, inputs, config),
        config=config.training,
        run=run,
        cluster=cluster,
        console=console,
    )
    if resume:
        fit.resume()
    return _Fitted(dataset, inputs, fit.run(), run)
