"""A whole training run, step by step: prepared dataset to bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tensorflow as tf
from rich.console import Console

from recsys.bundle import require_writable
from recsys.config import Config
from recsys.core.disk import writing
from recsys.core.errors import TrainingError
from recsys.core.progress import Steps
from recsys.data_defaults import data_defaults, with_data_defaults, with_settings
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.sources.recipes import recipes
from recsys.text import encode_items
from recsys.train.distribution import Cluster
from recsys.train.int8_encoder import int8_encoder
from recsys.train.run_folder import RunFolder
from recsys.train.steps.calibrate import calibrate
from recsys.train.steps.context import RunContext
from recsys.train.steps.export_item_encoder import export_item_encoder
from recsys.train.steps.export_towers import export_towers
from recsys.train.steps.fit_sources import fit_sources
from recsys.train.steps.fit_towers import FittedTower, TowerFitting, make_validator, ranker_prefix
from recsys.train.steps.match_text import apply_match, match_text
from recsys.train.steps.publish import Release, publish
from recsys.train.steps.train_ranker import train_ranker
from recsys.train.steps.weights_before import weights_before

READ = "Read the dataset and encode its texts"
FIT = "Train the two-tower"
FIT_TWIN = "Train its twin on a prefix of train, for the ranker"
MATCH = "Weigh the text match on validation"
EXPORT = "Export the towers and build the index"
SOURCES = "Fit and tune the other sources"
RANKER = "Train the ranker"
CALIBRATE = "Calibrate scores"
PUBLISH = "Write the bundle"
STEPS = (READ, FIT, FIT_TWIN, MATCH, EXPORT, SOURCES, RANKER, CALIBRATE, PUBLISH)


def train(
    config: Config,
    *,
    resume: bool = False,
    console: Console | None = None,
    current: bool = True,
    warm_from: Path | None = None,
) -> Path | None:
    """Train on the config's prepared dataset and export the best weights as its next bundle.

    Args:
        config: all settings.
        resume: go on with the run that was interrupted, instead of starting anew.
        console: for progress.
        current: make the bundle the one in use; otherwise it waits, see `recsys.bundle.versions`.
        warm_from: folder of a bundle, or of a version, whose weights the two-tower starts from; None: what
            `training.warm_start` says.

    Returns:
        Folder of the bundle's version; None in a worker that is not the chief.

    Raises:
        ConfigError: a source from outside cannot be imported or does not take its settings.
        DataError: there is no prepared dataset.
        TrainingError: no text encoder, a run that cannot be resumed, written or is in use, a loss that is not finite.
        BundleError: no bundle can be written where the config says, or the result is not good enough to publish.
        KeyboardInterrupt: the run was stopped; it can be resumed.
    """
    recipes(config.retrieval)  # what is wrong with a source from outside is told now, not after the towers' training
    cluster = Cluster()
    run = RunFolder(config.run_path)
    if not cluster.is_chief:
        _fit_towers(config, resume, run, cluster, Steps(Console(quiet=True), STEPS), warm_from)
        return None
    require_writable(config.bundle.dir, config.name)  # a folder that takes no bundle is told now, too
    steps = Steps(console or Console(soft_wrap=True), STEPS)
    # What writes a file says itself what to do where it cannot; this is for the rest, such as the log of the run.
    remedy = "free space or permit writing there, then go on with --resume"
    with writing(f"the files of the run {run.path}", TrainingError, remedy), run.locked():
        whole, twin = _fit_towers(config, resume, run, cluster, steps, warm_from)
        path = _export(config, whole, twin, steps, current)
    steps.console.print(f"Bundle: {path}")
    return path


def _fit_towers(
    config: Config, resume: bool, run: RunFolder, cluster: Cluster, steps: Steps, warm_from: Path | None
) -> tuple[FittedTower, FittedTower | None]:
    """Fit the two-tower on train, and for the ranker's training lists once more on a prefix of train.

    All replicas take these steps together; the chief alone takes the others.
    """
    with steps.step(READ) as step:
        dataset = PreparedDataset.load(config.prepared_path)
        from_data = data_defaults(config, dataset)
        config = with_settings(config, from_data)
        step.print(
            f"Dataset {dataset.name}: {dataset.n_users} users, {dataset.n_items} items, "
            f"{len(dataset.interactions)} interactions"
        )
        step.print("Settings that follow from the data: " + (_in_words(from_data) or "none, the config names them all"))
        texts = dataset.items[c.TEXT].tolist()
        text = cluster.chief_first(lambda: encode_items(texts, config.text, step.console, int8_encoder))
    with steps.step(FIT) as step:
        fitting = TowerFitting(text, config, resume, run, cluster, weights_before(config, warm_from, step))
        whole = fitting.fit(dataset, step)
    prefix, reason = ranker_prefix(dataset, config)
    if prefix is None:
        steps.skip(FIT_TWIN, reason)
        return whole, None
    with steps.step(FIT_TWIN) as step:
        return whole, fitting.fit_twin(prefix, whole.cold_epochs, step)


def _export(config: Config, whole: FittedTower, fitted_twin: FittedTower | None, steps: Steps, current: bool) -> Path:
    """Fit what serves beside the two-tower, and write all as the next version of the config's bundle."""
    config = with_data_defaults(config, whole.dataset)
    tf.keras.mixed_precision.set_global_policy("float32")
    context = RunContext.of(config, whole.dataset)
    twin = None
    with steps.step(MATCH) as step:
        trained = whole.restored(config, step.console)
        match = match_text(trained.model, make_validator(trained, config), config, step)
        if fitted_twin is not None:
            twin = fitted_twin.restored(config, step.console)
            apply_match(twin.model, match)
    # Its ONNX files are read until the bundle has its own.
    with TemporaryDirectory() as folder:
        with steps.step(EXPORT) as step:
            encoder = export_item_encoder(context, trained, step)
            served = export_towers(context, trained, Path(folder), step, measure=True, item_encoder=encoder.parts)
        with steps.step(SOURCES) as step:
            sources = fit_sources(context, trained, served, step)
        ranker = None
        if not config.ranking.epochs:
            steps.skip(RANKER, "ranking.epochs is 0: the two-tower's order is final")
        else:
            with steps.step(RANKER) as step:
                ranker = train_ranker(context, trained, twin, served, sources, step)
        with steps.step(CALIBRATE) as step:
            calibrations = calibrate(context, served, sources, ranker, step)
        with steps.step(PUBLISH):
            release = Release(trained, served, encoder, whole, sources, ranker, calibrations)
            return publish(context, release, Path(folder), current=current)


def _in_words(settings: Mapping[str, Mapping[str, Any]]) -> str:
    return ", ".join(
        f"{section}.{name} {value}" for section, named in settings.items() for name, value in named.items()
    )
