"""CPU seconds of one update of an item table: whole, as Adam does it, and of the touched rows alone.

    python benchmarks/table_update.py [--rows 72925 1000000 2000000] [--touched 20000] [--dim 128] [--steps 10]

Each update gets the gradient of other rows, as the steps of a sampled softmax do; the whole update adds them up into a
table first. 2 million rows of 128 numbers took 12 GB.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

import recsys  # noqa: F401 - sets TF_USE_LEGACY_KERAS before TensorFlow is imported

import tensorflow as tf  # isort: skip

from recsys.train import touched_rows

RATE = 1e-3


def seconds_of_update(n_rows: int, touched: int, dim: int, steps: int, *, by_row: bool) -> float:
    """Median CPU seconds (user and system, all threads) of an update."""
    touched_rows.LEAST_ROWS = n_rows if by_row else n_rows + 1
    table = tf.Variable(tf.zeros([n_rows, dim]))
    optimizer = touched_rows.TouchedRowsAdam(RATE)
    optimizer.build([table])

    def update_rows(rows: tf.Tensor, values: tf.Tensor) -> None:
        gradient = tf.IndexedSlices(values, rows, tf.constant([n_rows, dim], tf.int64))
        optimizer.apply_gradients([(gradient if by_row else tf.convert_to_tensor(gradient), table)])

    update = tf.function(update_rows, [tf.TensorSpec([touched], tf.int64), tf.TensorSpec([touched, dim])])
    rng = np.random.default_rng(0)
    values, seconds = tf.constant(rng.standard_normal((touched, dim), np.float32)), []
    for _ in range(steps + 1):
        rows = tf.constant(rng.choice(n_rows, touched, replace=False))
        started = os.times()
        update(rows, values)
        float(table[0, 0])
        ended = os.times()
        seconds.append(ended.user + ended.system - started.user - started.system)
    return float(np.median(seconds[1:]))  # the first one traces


def main() -> int:
    """Measure both at each size, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[72_925, 1_000_000, 2_000_000])
    parser.add_argument("--touched", type=int, default=20_000)
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--steps", type=int, default=10)
    arguments = parser.parse_args()
    started = time.perf_counter()
    table = Table("rows", "whole", "touched rows alone", title=f"CPU seconds, {arguments.touched} rows touched")
    for n_rows in arguments.rows:
        both = [
            seconds_of_update(n_rows, arguments.touched, arguments.dim, arguments.steps, by_row=by_row)
            for by_row in (False, True)
        ]
        table.add_row(str(n_rows), *(f"{each:.3f}" for each in both))
    Console().print(table, f"in {time.perf_counter() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
