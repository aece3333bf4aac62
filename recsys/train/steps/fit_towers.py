"""Steps: train the two-tower, and a twin of it on a prefix of train."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf
from rich.console import Console

from recsys.bundle.manifest import file_sha256
from recsys.config import Config, TrainingConfig
from recsys.core.memory import memory
from recsys.core.progress import Step
from recsys.models import TwoTower
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.text import ItemText, build_fine_tuned_text
from recsys.train.batches import TrainingBatches
from recsys.train.distribution import Cluster, make_deterministic, use_mixed_precision
from recsys.train.fit_loop import FitLoop, FitState, restore_best
from recsys.train.fit_memory import fit_memory, require_memory
from recsys.train.model_inputs import ModelInputs
from recsys.train.prefix import prefix_of
from recsys.train.run_folder import CONFIG_FILE, RunFolder
from recsys.train.steps.context import Trained
from recsys.train.train_step import make_optimizer
from recsys.train.validator import Validator
from recsys.train.warm_start import Known, TrainedWeights, warm_start

PREFIX_FOLDER = "prefix"  # of the run's folder


@dataclass(frozen=True)
class FittedTower:
    """A finished fit: what it read, how it went, where its weights lie.

    Attributes:
        cold_epochs: after how many epochs a fit that starts from nothing is best, as far as it is known.
        origin: whose weights it started from; None: it started from nothing.
    """

    dataset: PreparedDataset
    inputs: ModelInputs
    state: FitState
    run: RunFolder
    cold_epochs: int
    origin: str | None = None

    def restored(self, config: Config, console: Console) -> Trained:
        """A model with the best weights, of the precision that holds now."""
        model = build_model(self.inputs, self.dataset, config, console)
        restore_best(model, self.run)
        return Trained(model, self.dataset, self.inputs)


@dataclass(frozen=True)
class TowerFitting:
    """What all fits of a run share.

    Attributes:
        text: of the items.
        config: all settings.
        resume: go on where the run before stopped.
        run: folder of the run.
        cluster: the replicas.
        trained: weights that the two-tower starts from; None: from nothing.
    """

    text: ItemText
    config: Config
    resume: bool
    run: RunFolder
    cluster: Cluster
    trained: TrainedWeights | None = None

    def fit(self, dataset: PreparedDataset, step: Step) -> FittedTower:
        """The two-tower that is published."""
        return _fit(self, dataset, step)

    def fit_twin(self, prefix: PreparedDataset, epochs: int, step: Step) -> FittedTower:
        """Its twin, trained for as many epochs as served the whole best: validation takes no part in it.

        It starts from nothing, always: earlier weights may know the choices behind the prefix, which are to label the
        ranker's lists.
        """
        training = self.config.training.model_copy(update={"epochs": epochs})
        folder = RunFolder(self.run.path / PREFIX_FOLDER)
        # Without settings in its folder the run was stopped before it came so far.
        resume = self.resume and (folder.path / CONFIG_FILE).is_file()
        config = self.config.model_copy(update={"training": training})
        return _fit(TowerFitting(self.text, config, resume, folder, self.cluster), prefix, step)


def ranker_prefix(dataset: PreparedDataset, config: Config) -> tuple[PreparedDataset | None, str]:
    """The dataset that the twin is trained on; None where no ranker can be trained, and the reason."""
    if not config.ranking.epochs:
        return None, "ranking.epochs is 0"
    prefix = prefix_of(dataset, config)
    follows = prefix.interactions[c.SPLIT].eq(c.TEST)
    if not follows.any() or follows.all():
        return None, "train has no prefix that something follows"
    return prefix, ""


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
        inputs.profiles,
    )
    model.build_variables()
    return model


def known_to(inputs: ModelInputs, dataset: PreparedDataset) -> Known:
    """What the rows of a model of these inputs stand for."""
    items, users = dataset.items[c.ITEM_ID].astype(str).tolist(), list(map(str, dataset.user_ids))
    return Known(items, users, inputs.vocabulary, inputs.text.weights_sha256)


def make_validator(trained: Trained, config: Config) -> Validator:
    """Metrics of a model on the config's sample of validation users."""
    return Validator(
        trained.model,
        trained.inputs.histories,
        trained.dataset.histories((c.VALIDATION,)),
        max_users=config.training.evaluate_users,
        max_history=config.model.max_history,
        seed=config.seed,
        repeats=trained.dataset.predicts_repeats,
    )


def warm_training(training: TrainingConfig) -> TrainingConfig:
    """The settings of a fit that starts from trained weights."""
    return training.model_copy(
        update={
            "epochs": training.warm_epochs,
            "learning_rate": training.warm_learning_rate,
            "early_stopping_patience": training.warm_patience,
        }
    )


def _fit(fitting: TowerFitting, dataset: PreparedDataset, step: Step) -> FittedTower:
    config, run, cluster, trained = fitting.config, fitting.run, fitting.cluster, fitting.trained
    training = config.training if trained is None else warm_training(config.training)
    read = {"dataset": file_sha256(dataset.path / c.MANIFEST_FILE), "text encoder": fitting.text.weights_sha256}
    if trained is not None:
        read["weights to start from"] = trained.origin
    if cluster.is_chief:
        if fitting.resume:
            run.check_resumable(config, read)
        elif run.start(config, read):
            step.print(f"Starting anew; the run before is kept in {run.previous}")
    cluster.barrier()
    make_deterministic(config.seed)
    mixed = use_mixed_precision(config.training)
    inputs = ModelInputs.of(dataset, fitting.text, config)
    batches = TrainingBatches(
        inputs.histories,
        inputs.rating_features,
        max_history=config.model.max_history,
        batch_size=config.training.batch_size,
        seed=config.seed,
    )
    _require_memory(config, inputs, batches, cluster, step)
    with cluster.strategy.scope():
        model = build_model(inputs, dataset, config, step.console)
        if trained is not None:
            step.print(
                f"Starting from {trained.origin}: {warm_start(model, known_to(inputs, dataset), trained).says()}"
            )
        optimizer = make_optimizer(model, training, mixed)
    fit = FitLoop(
        model=model,
        optimizer=optimizer,
        batches=batches,
        validate=make_validator(Trained(model, dataset, inputs), config),
        config=training,
        run=run,
        cluster=cluster,
        progress=step,
    )
    step.print(model.retrieval_says)
    if fitting.resume:
        fit.resume()
    before = "Trained before: " if fit.state.finished else ""
    state = fit.run()
    seconds = sum(record["seconds"] for record in state.curve)
    step.print(f"{before}{state.epoch} epochs in {seconds:.0f} s; the weights of epoch {state.best_epoch} are kept")
    if trained is None:
        return FittedTower(dataset, inputs, state, run, state.best_epoch)
    return FittedTower(dataset, inputs, state, run, trained.cold_epochs, trained.origin)


def _require_memory(
    config: Config, inputs: ModelInputs, batches: TrainingBatches, cluster: Cluster, step: Step
) -> None:
    """Say what the fit will take of the processor's memory, or that it is too much.

    A GPU's memory is not known here, nor what a text encoder that trains along takes.
    """
    if config.text.trainable_layers or tf.config.list_physical_devices("GPU"):
        return
    histories, length = batches.largest
    needed = fit_memory(
        config,
        n_items=len(inputs.features),
        n_trained=int((inputs.item_counts > 0).sum()),
        n_users=len(inputs.histories),
        text_dim=inputs.features.text.shape[1],
        positions=-(-histories // cluster.n_replicas) * length,
        length=length,
    )
    now = memory()
    step.print(require_memory(needed, None if now is None else now.left))
