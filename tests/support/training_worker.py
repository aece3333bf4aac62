"""One worker of a training over processes: `python -m tests.support.training_worker RUN_DIR OUT.npz [--resume]`.

With TF_CONFIG it is one of that cluster's workers; with REPLICAS it trains on so many logical devices of one process;
with --until=N it kills itself before step N, with --sampled it draws negatives, with --by-row it then updates the
rows of every table that a step touches.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from recsys.train import touched_rows
from recsys.train.distribution import Cluster
from tests.support import training as tiny


def main() -> None:
    folder, out, *options = sys.argv[1:]
    replicas = int(os.environ.get("REPLICAS", "1"))
    cluster = Cluster()
    if replicas > 1:
        (cpu,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * replicas)
        cluster.strategy = tf.distribute.MirroredStrategy([f"CPU:{n}" for n in range(replicas)])
    if "--by-row" in options:
        touched_rows.LEAST_ROWS = 1
    loss = {"retrieval_loss": "sampled", "negatives": 8} if "--sampled" in options else {}
    config = tiny.make_config(epochs=2, checkpoint_minutes=1e-9, **loss)
    resume = "--resume" in options
    fit, model = tiny.make_fit(config, Path(folder), cluster=cluster, fresh_seed=0, resume=resume)
    until = next((int(option.removeprefix("--until=")) for option in options if option.startswith("--until=")), -1)
    original = fit._step

    def step(number: int, make_batch: Any) -> Any:
        if number == until:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(number, make_batch)

    fit._step = step
    state = fit.run()
    weights = {f"w{n:02}": value for n, value in enumerate(tiny.weights(model).values())}
    np.savez(out, chief=cluster.is_chief, best=state.best or 0.0, replicas=cluster.n_replicas, **weights)


if __name__ == "__main__":
    main()
