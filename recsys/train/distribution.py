"""Which devices train: one processor or GPU, all GPUs of a machine, or several machines."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import tensorflow as tf

from recsys.config import TrainingConfig
from recsys.core.errors import TrainingError

Result = TypeVar("Result")

FLOAT16_COMPUTE_CAPABILITY = (7, 0)  # NVIDIA Volta, the first GPUs with float16 matrix units


class Cluster:
    """The replicas that train together, and this process's index among them.

    Has to be created before anything else of TensorFlow runs: collective operations between
    machines can be set up only then. Several workers need one `training.run_dir`, prepared dataset
    and text cache on storage that all of them see; only the chief writes.
    """

    def __init__(self) -> None:
        """Choose the strategy: TF_CONFIG with several workers, else several GPUs, else one device.

        Raises:
            TrainingError: TF_CONFIG is not what TensorFlow expects.
        """
        gpus = tf.config.list_physical_devices("GPU")
        with suppress(RuntimeError):  # TensorFlow already runs in this process
            for gpu in gpus:
                tf.config.experimental.set_memory_growth(gpu, True)
        self.strategy: tf.distribute.Strategy
        if _worker_count() > 1:
            self.strategy = tf.distribute.MultiWorkerMirroredStrategy()
        elif len(gpus) > 1:
            self.strategy = tf.distribute.MirroredStrategy()
        else:
            self.strategy = tf.distribute.get_strategy()
        self.several_workers = isinstance(self.strategy, tf.distribute.MultiWorkerMirroredStrategy)
        self.is_chief = not self.several_workers or _is_chief(self.strategy.cluster_resolver)
        self._shared: Callable[..., tf.Tensor] | None = None

    @property
    def n_replicas(self) -> int:
        return int(self.strategy.num_replicas_in_sync)

    def from_chief(self, value: float) -> float:
        """The chief's `value` in every worker; returns once all workers have called it."""
        if not self.several_workers:
            return value
        if self._shared is None:
            self._shared = tf.function(self._share)
        shared = self._shared(tf.constant(value, tf.float64))
        return float(self.strategy.experimental_local_results(shared)[0])

    def barrier(self) -> None:
        """Wait until every worker is here."""
        self.from_chief(0.0)

    def chief_first(self, work: Callable[[], Result]) -> Result:
        """The result of `work`, run on the chief and then on the others: it fills a cache that the others read."""
        if not self.is_chief:
            self.barrier()
        result = work()
        if self.is_chief:
            self.barrier()
        return result

    def _share(self, value: tf.Tensor) -> tf.Tensor:
        def on_replica(value: tf.Tensor) -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            first = tf.equal(context.replica_id_in_sync_group, 0)
            return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.where(first, value, tf.zeros_like(value)))

        return self.strategy.run(on_replica, args=(value,))


def use_mixed_precision(config: TrainingConfig) -> bool:
    """Set Keras's compute type for the layers made from now on; whether it is float16."""
    mixed = config.mixed_precision == "auto" and _gpus_have_float16()
    tf.keras.mixed_precision.set_global_policy("mixed_float16" if mixed else "float32")
    return mixed


def make_deterministic(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow, and let TensorFlow use deterministic kernels only."""
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def _gpus_have_float16() -> bool:
    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    return bool(gpus) and all(d.get("compute_capability", (0, 0)) >= FLOAT16_COMPUTE_CAPABILITY for d in details)


def _worker_count() -> int:
    text = os.environ.get("TF_CONFIG")
    if not text:
        return 1
    try:
        cluster = json.loads(text)["cluster"]
        return sum(len(cluster.get(job, ())) for job in ("chief", "worker"))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise TrainingError(
            'the environment variable TF_CONFIG to be JSON like {"cluster": {"worker": ["host:port", ...]}, '
            '"task": {"type": "worker", "index": 0}}',
            repr(text[:200]),
            "correct or unset it",
        ) from None


def _is_chief(resolver: tf.distribute.cluster_resolver.ClusterResolver) -> bool:
    if resolver.task_type == "chief":
        return True
    has_chief = "chief" in resolver.cluster_spec().jobs
    return not has_chief and resolver.task_type == "worker" and resolver.task_id == 0
