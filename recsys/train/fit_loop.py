"""The training loop: steps, checkpoints, validation, early stopping, and resumption at any step."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf

from recsys.config import TrainingConfig
from recsys.core.disk import writing
from recsys.core.errors import TrainingError
from recsys.core.progress import Bar, Step
from recsys.models import TwoTower
from recsys.train.batches import TrainingBatches
from recsys.train.distribution import Cluster
from recsys.train.run_folder import RunFolder
from recsys.train.train_step import StepResult, TrainStep
from recsys.train.validator import EARLY_STOPPING_METRIC

Record = dict[str, Any]

# What TensorFlow raises for a cut off or changed checkpoint depends on where the damage is.
_UNREADABLE = (tf.errors.OpError, OSError, IndexError, ValueError, RuntimeError)


@dataclass
class FitState:
    """Where a run stands.

    Attributes:
        epoch: epochs completed.
        batch: batches done of the epoch under way.
        sums: losses summed over those batches.
        seconds: time spent on the epoch under way.
        best: best value of the early-stopping metric, and the epoch (from 1) that reached it.
        stale: evaluations since without a better one.
        finished: the last epoch is done or training stopped early.
        curve: one record an epoch.
    """

    epoch: int = 0
    batch: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    best: float | None = None
    best_epoch: int = 0
    stale: int = 0
    finished: bool = False
    curve: list[Record] = field(default_factory=list)


class _SavedState(tf.train.experimental.PythonState):
    """Keeps a FitState inside TensorFlow checkpoints, so that it and the weights are of one moment."""

    def __init__(self) -> None:
        self.state = FitState()

    def serialize(self) -> str:
        return json.dumps(asdict(self.state))

    def deserialize(self, string_value: bytes) -> None:
        self.state = FitState(**json.loads(string_value))


class FitLoop:
    """Trains a model to the end, from the start or from a run's last checkpoint."""

    def __init__(
        self,
        *,
        model: TwoTower,
        optimizer: tf.keras.optimizers.Optimizer,
        batches: TrainingBatches,
        validate: Callable[[], dict[str, float]],
        config: TrainingConfig,
        run: RunFolder,
        cluster: Cluster,
        progress: Step,
    ) -> None:
        """Compose a fit.

        Args:
            model: with all variables, made under the cluster's strategy.
            optimizer: likewise.
            batches: of the training histories.
            validate: metrics of the model as it is; empty where there is no validation data.
            config: epochs, patience and so on.
            run: folder for checkpoints and logs, locked.
            cluster: the replicas.
            progress: the step of the run that the fit is.
        """
        self._model, self._batches, self._validate, self._config = model, batches, validate, config
        self._run, self._cluster, self._progress = run, cluster, progress
        step = TrainStep(model, optimizer, cluster.strategy, config.clip_norm)
        self._step, self._catch_up = step, step.catch_up
        self._saved = _SavedState()
        checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, state=self._saved)
        self._last = tf.train.CheckpointManager(checkpoint, run.checkpoints, max_to_keep=2)
        self._best = tf.train.CheckpointManager(tf.train.Checkpoint(model=model), run.best, max_to_keep=1)
        self._saved_at = time.monotonic()

    @property
    def state(self) -> FitState:
        return self._saved.state

    def resume(self) -> None:
        """Take up weights and state from the run's last readable checkpoint, if it got as far as one.

        Raises:
            TrainingError: there are checkpoints, but none can be read.
        """
        for path in reversed(self._last.checkpoints):
            try:
                self._last.checkpoint.restore(path).assert_consumed()
                return
            except _UNREADABLE as error:
                self._progress.print(f"Checkpoint {path} cannot be read: {error}")
        if self._last.checkpoints:
            raise TrainingError(
                f"a readable checkpoint in {self._run.checkpoints}", "only damaged ones", "start anew without --resume"
            )

    def run(self) -> FitState:
        """Train until the last epoch or until early stopping; the best weights are in the model then.

        Where no user has two training interactions, there is nothing to train on: the model knows popularity and texts.

        Raises:
            TrainingError: the loss is not finite.
            KeyboardInterrupt: on SIGINT or SIGTERM, after a checkpoint.
        """
        if not self._batches.n_targets and not self.state.finished:
            self._keep_popularity()
        writer = tf.summary.create_file_writer(str(self._run.tensorboard)) if self._cluster.is_chief else None
        epochs = self._config.epochs
        with _stop_requests() as stop_requested, self._progress.bar("Epochs", epochs, self.state.epoch) as bar:
            while not self.state.finished:
                self._train_epoch(stop_requested)
                self._end_epoch(writer)
                self._save()
                bar.advance(1, self._best_so_far())
                if stop_requested() and not self.state.finished:
                    self._stop()
        self._cluster.barrier()  # the chief has written the last checkpoint
        restore_best(self._model, self._run)
        return self.state

    def _keep_popularity(self) -> None:
        self._progress.print(
            "No user has two training interactions, so no order of items can be learnt: "
            "the two-tower scores by popularity and text alone"
        )
        self._model.set_to_popularity()
        self.state.finished = True
        if self._cluster.is_chief:
            with _writing(self._run.best):
                self._best.save(checkpoint_number=0)
        self._save()

    def _train_epoch(self, stop_requested: Callable[[], bool]) -> None:
        title = f"Steps of epoch {self.state.epoch + 1}"
        with self._progress.bar(title, self._batches.steps_per_epoch, self.state.batch) as bar:
            self._take_steps(bar, stop_requested)

    def _take_steps(self, bar: Bar, stop_requested: Callable[[], bool]) -> None:
        state, total = self.state, self._batches.steps_per_epoch
        started = time.monotonic() - state.seconds
        for index in range(state.batch, total):
            result = self._step(state.epoch * total + index, partial(self._batches.batch, state.epoch, index))
            self._require_finite(result, index)
            state.batch = index + 1
            state.seconds = time.monotonic() - started
            for name, value in result.losses.items():
                state.sums[name] = state.sums.get(name, 0.0) + value
            bar.advance(1, f"loss {state.sums['loss'] / state.batch:.4f}")
            if state.batch < total and stop_requested():
                self._save()
                self._stop()
            if state.batch < total and time.monotonic() - self._saved_at > self._config.checkpoint_minutes * 60:
                self._save()

    def _end_epoch(self, writer: tf.summary.SummaryWriter | None) -> None:
        state = self.state
        self._catch_up()
        state.epoch += 1
        record: Record = {"epoch": state.epoch, "step": state.epoch * self._batches.steps_per_epoch}
        record |= {name: value / state.batch for name, value in state.sums.items()}
        last = state.epoch == self._config.epochs
        if last or state.epoch % self._config.evaluate_every == 0:
            metrics = {name: self._cluster.from_chief(value) for name, value in self._validate().items()}
            record |= {f"validation_{name}": value for name, value in metrics.items()}
            self._judge(metrics)
        record["seconds"] = round(state.seconds, 3)
        state.curve.append(record)
        state.batch, state.sums, state.seconds = 0, {}, 0.0
        state.finished = last or state.stale >= self._config.early_stopping_patience
        if writer is not None:
            self._report(record, writer)

    def _judge(self, metrics: dict[str, float]) -> None:
        """Keep the weights if they are the best so far. Without validation data the last ones are."""
        state = self.state
        value = metrics.get(EARLY_STOPPING_METRIC)
        if value is not None and state.best is not None and value <= state.best:
            state.stale += 1
            return
        state.best, state.best_epoch, state.stale = value, state.epoch, 0
        if self._cluster.is_chief:
            with _writing(self._run.best):
                # By epoch: after a resumption no number stands for other weights than before.
                self._best.save(checkpoint_number=state.epoch)

    def _report(self, record: Record, writer: tf.summary.SummaryWriter) -> None:
        self._run.write_log(self.state.curve)
        scalars = {name: value for name, value in record.items() if name not in ("epoch", "step")}
        with writer.as_default(step=record["step"]):
            for name, value in scalars.items():
                tf.summary.scalar(name, value)
        writer.flush()
        judged = f"validation_{EARLY_STOPPING_METRIC}" in record
        mark = " (best)" if judged and self.state.best_epoch == record["epoch"] else ""
        figures = "  ".join(
            f"{name.removeprefix('validation_')} {value:.4f}" for name, value in scalars.items() if name != "seconds"
        )
        self._progress.print(
            f"epoch {record['epoch']}/{self._config.epochs}  {figures}  {record['seconds']:.1f} s{mark}"
        )

    def _require_finite(self, result: StepResult, index: int) -> None:
        if result.finite:
            return
        losses = ", ".join(f"{name} {value}" for name, value in result.losses.items())
        kept = "; the run can be resumed from the checkpoint before" if self._last.latest_checkpoint else ""
        raise TrainingError(
            f"a finite loss at step {self.state.epoch * self._batches.steps_per_epoch + index + 1} "
            f"(epoch {self.state.epoch + 1}, batch {index + 1})",
            f"{losses}, gradient norm {result.gradient_norm}{kept}",
            "lower training.learning_rate or training.clip_norm, raise training.warmup_steps or "
            "training.temperature, or set training.mixed_precision=off",
        )

    def _save(self) -> None:
        if self._cluster.is_chief:
            with _writing(self._run.checkpoints):
                self._last.save()
        self._saved_at = time.monotonic()

    def _stop(self) -> None:
        state = self.state
        self._progress.print(
            f"Stopped after batch {state.batch} of epoch {state.epoch + 1}; --resume goes on from there."
        )
        raise KeyboardInterrupt

    def _best_so_far(self) -> str:
        return "" if self.state.best is None else f"best {EARLY_STOPPING_METRIC} {self.state.best:.4f}"


def restore_best(model: TwoTower, run: RunFolder) -> None:
    """Load the weights that were best on validation into a model with all its variables.

    Raises:
        TrainingError: they are missing or cannot be read.
    """
    path = tf.train.latest_checkpoint(run.best)
    try:
        if path is not None:
            tf.train.Checkpoint(model=model).restore(path).assert_existing_objects_matched()
            return
        problem = "none"
    except _UNREADABLE as error:
        problem = str(error)
    raise TrainingError(f"the best weights in {run.best}", problem, "start the run anew without --resume")


def _writing(folder: Path) -> AbstractContextManager[None]:
    remedy = "free space or permit writing there, then go on from the checkpoint before with --resume"
    return writing(f"a checkpoint in {folder}", TrainingError, remedy, tf.errors.OpError)


@contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """Turn the first SIGINT or SIGTERM into a wish to stop, which the loop asks for; a second one acts at once."""
    requested = threading.Event()

    def request(number: int, _: object) -> None:
        requested.set()
        signal.signal(number, previous[signal.Signals(number)])

    if threading.current_thread() is not threading.main_thread():
        yield requested.is_set
        return
    previous = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield requested.is_set
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
