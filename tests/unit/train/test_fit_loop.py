"""The training loop: learning, resumption, early stopping, non-finite losses, stopping by signal."""

from __future__ import annotations

import json
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from recsys.core.errors import TrainingError
from recsys.train.fit_loop import FitLoop, restore_best
from tests.support import training as tiny


class KilledError(Exception):
    pass


def before_step(fit: FitLoop, number: int, act: Callable[[], None]) -> None:
    """Call `act` before global step `number`."""
    original = fit._step

    def step(step_number: int, make_batch: Any) -> Any:
        if step_number == number:
            act()
        return original(step_number, make_batch)

    fit._step = step


def killed() -> None:
    raise KilledError


def scripted(values: list[float]) -> Callable[[], dict[str, float]]:
    """A validation that gives these NDCGs, one a call."""
    remaining = iter(values)
    return lambda: {"ndcg@10": next(remaining)}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, np.ndarray], list[dict[str, Any]]]:
    """Weights and log of a run of three epochs of six steps."""
    folder = tmp_path_factory.mktemp("uninterrupted") / "run"
    fit, model = tiny.make_fit(tiny.make_config(), folder)
    fit.run()
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return tiny.weights(model), log


@pytest.mark.parametrize(("step", "fresh_seed"), [(3, None), (8, 99)])
def test_a_killed_run_resumes_to_the_same_weights(
    step: int,
    fresh_seed: int | None,
    tmp_path: Path,
    uninterrupted: tuple[dict[str, np.ndarray], list[dict[str, Any]]],
) -> None:
    config = tiny.make_config(checkpoint_minutes=1e-9)  # a checkpoint after every step
    fit, _ = tiny.make_fit(config, tmp_path / "run")
    before_step(fit, step, killed)
    with pytest.raises(KilledError):
        fit.run()
    fit, model = tiny.make_fit(config, tmp_path / "run", resume=True, fresh_seed=fresh_seed)
    assert (fit.state.epoch, fit.state.batch) == divmod(step, 6)
    fit.run()
    weights, log = uninterrupted
    for name, value in tiny.weights(model).items():
        np.testing.assert_array_equal(value, weights[name], err_msg=name)
    resumed = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    for ours, expected in zip(resumed, log, strict=True):
        assert {**ours, "seconds": 0} == pytest.approx({**expected, "seconds": 0})


def test_a_run_killed_before_its_first_checkpoint_starts_over(
    tmp_path: Path, uninterrupted: tuple[dict[str, np.ndarray], Any]
) -> None:
    fit, _ = tiny.make_fit(tiny.make_config(), tmp_path / "run")
    before_step(fit, 2, killed)
    with pytest.raises(KilledError):
        fit.run()
    fit, model = tiny.make_fit(tiny.make_config(), tmp_path / "run", resume=True)
    fit.run()
    for name, value in tiny.weights(model).items():
        np.testing.assert_array_equal(value, uninterrupted[0][name], err_msg=name)


def damage(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}.data*"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def test_a_damaged_checkpoint_falls_back_on_the_one_before(
    tmp_path: Path, uninterrupted: tuple[dict[str, np.ndarray], Any]
) -> None:
    config = tiny.make_config(checkpoint_minutes=1e-9)
    fit, _ = tiny.make_fit(config, tmp_path / "run")
    before_step(fit, 8, killed)
    with pytest.raises(KilledError):
        fit.run()
    assert len(fit._last.checkpoints) == 2
    damage(Path(fit._last.latest_checkpoint))
    fit, model = tiny.make_fit(config, tmp_path / "run", resume=True)
    assert (fit.state.epoch, fit.state.batch) == (1, 1)
    fit.run()
    for name, value in tiny.weights(model).items():
        np.testing.assert_array_equal(value, uninterrupted[0][name], err_msg=name)
    for path in fit._last.checkpoints:
        damage(Path(path))
    with pytest.raises(TrainingError, match="a readable checkpoint"):
        tiny.make_fit(config, tmp_path / "run", resume=True)


def test_missing_or_damaged_best_weights_are_an_error(tmp_path: Path) -> None:
    fit, model = tiny.make_fit(tiny.make_config(epochs=1), tmp_path / "run", validate=scripted([0.1]))
    fit.run()
    damage(Path(fit._best.latest_checkpoint))
    with pytest.raises(TrainingError, match="the best weights in"):
        restore_best(model, fit._run)
    shutil.rmtree(fit._run.best)
    with pytest.raises(TrainingError, match="Got none"):
        restore_best(model, fit._run)


def test_a_checkpoint_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    fit, _ = tiny.make_fit(tiny.make_config(), tmp_path / "run", validate=scripted([0.1]))
    shutil.rmtree(tmp_path / "run/checkpoints")
    (tmp_path / "run/checkpoints").write_text("a file, where a folder should be")
    with pytest.raises(TrainingError, match="to write a checkpoint"):
        fit.run()


def test_the_log_has_an_entry_an_epoch_and_tensorboard_the_same(tmp_path: Path) -> None:
    fit, _ = tiny.make_fit(tiny.make_config(epochs=2), tmp_path / "run", validate=scripted([0.1, 0.2]))
    fit.run()
    log = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert [(r["epoch"], r["step"], r["validation_ndcg@10"]) for r in log] == [(1, 6, 0.1), (2, 12, 0.2)]
    assert {"loss", "retrieval", "rating", "seconds"} <= log[0].keys()
    (events,) = (tmp_path / "run/tensorboard").iterdir()
    scalars = {}
    for event in tf.compat.v1.train.summary_iterator(str(events)):
        for value in event.summary.value:
            scalars[event.step, value.tag] = float(tf.make_ndarray(value.tensor))
    for record in log:
        assert scalars[record["step"], "loss"] == pytest.approx(record["loss"])
        assert scalars[record["step"], "validation_ndcg@10"] == pytest.approx(record["validation_ndcg@10"])


def test_early_stopping_keeps_the_best_weights(tmp_path: Path) -> None:
    values = [0.1, 0.3, 0.3, 0.2, 0.9]  # an equal value is no improvement; the last is never asked for
    snapshots: list[dict[str, np.ndarray]] = []
    config = tiny.make_config(epochs=10, early_stopping_patience=2)
    fit, model = tiny.make_fit(config, tmp_path / "run")
    give = scripted(values)

    def validate() -> dict[str, float]:
        snapshots.append(tiny.weights(model))
        return give()

    fit._validate = validate
    state = fit.run()
    assert (state.epoch, state.best_epoch, state.best) == (4, 2, 0.3)
    assert len(snapshots) == 4
    for name, value in tiny.weights(model).items():
        np.testing.assert_array_equal(value, snapshots[1][name], err_msg=name)
    assert any((snapshots[1][name] != snapshots[3][name]).any() for name in snapshots[1])
    _, fresh = tiny.make_fit(config, tmp_path / "other", fresh_seed=5)
    restore_best(fresh, fit._run)
    for name, value in tiny.weights(fresh).items():
        np.testing.assert_array_equal(value, snapshots[1][name], err_msg=name)


def test_without_validation_users_the_last_weights_are_kept(tmp_path: Path) -> None:
    fit, _ = tiny.make_fit(tiny.make_config(early_stopping_patience=1), tmp_path / "run", validate=lambda: {})
    state = fit.run()
    assert (state.epoch, state.best_epoch, state.best) == (3, 3, None)


def test_evaluation_every_few_epochs_includes_the_last(tmp_path: Path) -> None:
    calls: list[int] = []

    def validate() -> dict[str, float]:
        calls.append(fit.state.epoch)
        return {"ndcg@10": 0.1}

    fit, _ = tiny.make_fit(tiny.make_config(epochs=3, evaluate_every=2), tmp_path / "run", validate=validate)
    fit.run()
    assert calls == [2, 3]


@pytest.mark.parametrize("where", ["weights", "gradient"])
def test_a_loss_that_is_not_finite_stops_with_the_step_and_a_remedy(where: str, tmp_path: Path) -> None:
    config = tiny.make_config(checkpoint_minutes=1e-9)
    fit, model = tiny.make_fit(config, tmp_path / "run")

    def spoil() -> None:
        if where == "weights":
            scale = next(v for v in model.trainable_variables if "match_log_scale" in v.name)
            scale.assign(np.nan)
        else:  # finite, but its square, which the gradient's norm sums, is not
            fit._batches._rating_features[:] = 1e18

    before_step(fit, 8, spoil)
    with pytest.raises(TrainingError, match=r"step 9 \(epoch 2, batch 3\)") as caught:
        fit.run()
    assert "learning_rate" in caught.value.remedy
    resumed, model = tiny.make_fit(config, tmp_path / "run", resume=True)
    assert (resumed.state.epoch, resumed.state.batch) == (1, 2)
    assert all(np.isfinite(w).all() for w in tiny.weights(model).values())


def test_a_signal_stops_after_the_step_and_leaves_a_resumable_run(
    tmp_path: Path, uninterrupted: tuple[dict[str, np.ndarray], Any]
) -> None:
    fit, _ = tiny.make_fit(tiny.make_config(), tmp_path / "run")
    before_step(fit, 7, lambda: signal.raise_signal(signal.SIGTERM))
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        fit.run()
    assert signal.getsignal(signal.SIGTERM) is handler
    fit, model = tiny.make_fit(tiny.make_config(), tmp_path / "run", resume=True)
    assert (fit.state.epoch, fit.state.batch) == (1, 2)  # step 7 (from 0) is done
    fit.run()
    for name, value in tiny.weights(model).items():
        np.testing.assert_array_equal(value, uninterrupted[0][name], err_msg=name)


def test_without_a_pair_to_train_on_popularity_is_kept_and_resumed(tmp_path: Path) -> None:
    train, _ = tiny.make_histories()
    fit, model = tiny.make_fit(tiny.make_config(), tmp_path / "run")
    fit._batches = tiny.make_batches(tiny.make_config(), train.last(1))
    state = fit.run()
    assert (state.finished, state.best, state.best_epoch, state.curve) == (True, None, 0, [])
    kept = tiny.weights(model)
    counts = np.bincount(train.items, minlength=tiny.N_ITEMS)
    np.testing.assert_allclose(model.item_vectors()[:, 0], np.log1p(counts), rtol=1e-6)
    fit, model = tiny.make_fit(tiny.make_config(), tmp_path / "run", resume=True)
    assert fit.state.finished
    fit.run()
    for name, value in tiny.weights(model).items():
        np.testing.assert_array_equal(value, kept[name], err_msg=name)


def test_training_in_a_thread_needs_no_signals(tmp_path: Path) -> None:
    fit, _ = tiny.make_fit(tiny.make_config(epochs=1), tmp_path / "run", validate=lambda: {})
    thread = threading.Thread(target=fit.run)
    thread.start()
    thread.join()
    assert fit.state.finished


def test_learns_what_popularity_cannot_know(tmp_path: Path) -> None:
    fit, _ = tiny.make_fit(tiny.make_config(epochs=15), tmp_path / "run")
    state = fit.run()
    assert state.best is not None
    # Every item is as popular as any other: a popularity ranking of 40 items has an NDCG@10 of about .11.
    assert state.best > 0.6
