"""Which devices train, and in which precision."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from recsys.core.errors import TrainingError
from recsys.train import distribution
from recsys.train.distribution import Cluster, use_mixed_precision
from recsys.train.train_step import TrainStep, make_optimizer
from tests.support import training as tiny


def test_one_process_is_its_own_chief(monkeypatch: pytest.MonkeyPatch) -> None:
    one_worker = {"cluster": {"worker": ["localhost:1"]}, "task": {"type": "worker", "index": 0}}
    for value in ("", json.dumps(one_worker)):
        monkeypatch.setenv("TF_CONFIG", value)
        cluster = Cluster()
        assert cluster.is_chief
        assert cluster.n_replicas == 1
        assert not cluster.several_workers
        assert cluster.from_chief(0.25) == 0.25
        assert cluster.chief_first(lambda: "done") == "done"


@pytest.mark.parametrize("value", ["{", "[]", "{}", '{"cluster": 3}', "null"])
def test_a_tf_config_that_is_none_is_an_error(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", value)
    with pytest.raises(TrainingError, match="TF_CONFIG"):
        Cluster()


def test_without_a_gpu_everything_is_float32() -> None:
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU")
    assert not use_mixed_precision(tiny.make_config().training)
    assert tf.keras.mixed_precision.global_policy().name == "float32"


@pytest.mark.parametrize("loss", ["full", "sampled"])
def test_mixed_precision_trains_float32_weights(monkeypatch: pytest.MonkeyPatch, loss: str) -> None:
    monkeypatch.setattr(distribution, "_gpus_have_float16", lambda: True)
    assert not use_mixed_precision(tiny.make_config(mixed_precision="off").training)
    config = tiny.make_config(retrieval_loss=loss, negatives=8)
    try:
        assert use_mixed_precision(config.training)
        train, _ = tiny.make_histories()
        model = tiny.make_model(config, train)
        optimizer = make_optimizer(model, config.training, mixed_precision=True)
        step = TrainStep(model, optimizer, tf.distribute.get_strategy(), config.training.clip_norm)
        batches = tiny.make_batches(config, train)
        results = [step(n, lambda s, k, n=n: batches.batch(0, n % batches.steps_per_epoch, s, k)) for n in range(30)]
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert all(v.dtype == tf.float32 for v in model.trainable_variables)
    assert all(result.finite for result in results)
    # The scale starts too high for float16 and is halved until gradients are finite; then the loss falls.
    losses = [result.losses["loss"] for result in results]
    assert np.mean(losses[-6:]) < np.mean(losses[:6])
