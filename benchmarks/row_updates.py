"""Validation NDCG@10 of a small model whose item table is updated whole, or by the rows that a step touches.

    python benchmarks/row_updates.py data/prepared/beauty [--seeds 0 1 2] [--epochs 5] [--batch 128] [--negatives 128]

after prepare_data.py. The query is the mean of the last ten items of a history, the loss a softmax over the next item
and uniform negatives: nothing but the item table learns, so that its updates decide. A step touches 7% of Beauty's
items. The ways: `whole` is Adam, `by row` recsys/train/touched_rows.py, `waits` the same without the steps that a row
missed, as other libraries have it.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1]))

import recsys  # noqa: F401 - sets TF_USE_LEGACY_KERAS before TensorFlow is imported

import tensorflow as tf  # isort: skip

from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.train import touched_rows
from recsys.train.touched_rows import TouchedRowsAdam

LENGTH, DIM, RATE, USERS = 10, 48, 0.003, 4000
Rows = NDArray[np.int32]


class Waiting(TouchedRowsAdam):
    """Rows and moments stay as they are until a step touches them."""

    def _missed(
        self,
        variable: tf.Variable,
        rows: tf.Tensor,
        until: tf.Tensor,  # noqa: ARG002 - it misses nothing
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        mean, square = (tf.gather(state, rows) for state in self._state(variable)[:2])
        return tf.zeros_like(mean), mean, square


WAYS = {"whole": tf.keras.optimizers.Adam, "by row": TouchedRowsAdam, "waits": Waiting}


def last_items(history: Rows, end: int, padding: int) -> Rows:
    """The items before `end`, padded on the right."""
    row = np.full(LENGTH, padding, np.int32)
    items = history[max(0, end - LENGTH) : end]
    row[: len(items)] = items
    return row


def examples(dataset: PreparedDataset) -> tuple[Rows, Rows, Rows, Rows]:
    """Histories [n, LENGTH] and what followed them, of train; the same of validation users."""
    train, held = dataset.histories((c.TRAIN,)), dataset.histories((c.VALIDATION,))
    pairs, asked = [], []
    for user in range(len(train)):
        history = train.items[train.indptr[user] : train.indptr[user + 1]]
        following = held.items[held.indptr[user] : held.indptr[user + 1]]
        pairs += [(last_items(history, end, dataset.n_items), history[end]) for end in range(1, len(history))]
        if len(history) and len(following):
            asked.append((last_items(history, len(history), dataset.n_items), following[0]))
    chosen = np.random.default_rng(0).permutation(len(asked))[:USERS]
    judged = [asked[index] for index in chosen]
    return (
        np.stack([history for history, _ in pairs]),
        np.array([item for _, item in pairs], np.int32),
        np.stack([history for history, _ in judged]),
        np.array([item for _, item in judged], np.int32),
    )


def queries(table: tf.Variable, histories: tf.Tensor) -> tf.Tensor:
    """Means of the vectors of histories, whose padding is the row behind the last item."""
    known = tf.cast(histories < table.shape[0] - 1, tf.float32)[..., None]
    return tf.reduce_sum(tf.gather(table, histories) * known, 1) / tf.reduce_sum(known, 1)


def ndcg(table: tf.Variable, histories: Rows, following: Rows) -> float:
    """Mean NDCG@10 of one item a user, among those that its history does not hold."""
    scores = np.array(queries(table, tf.constant(histories)) @ tf.transpose(table))
    target = scores[np.arange(len(scores)), following].copy()
    scores[:, -1] = -np.inf
    np.put_along_axis(scores, histories, -np.inf, 1)
    rank = (scores > target[:, None]).sum(1)
    return float(np.where(rank < 10, 1 / np.log2(rank + 2), 0).mean())


def fit(way: str, data: tuple[Rows, Rows, Rows, Rows], n_items: int, arguments: argparse.Namespace, seed: int) -> str:
    """Train, and say how good each epoch was and what a step took."""
    histories, following, asked, held = data
    rng = np.random.default_rng(seed)
    table = tf.Variable(rng.normal(scale=0.1, size=(n_items + 1, DIM)).astype(np.float32))
    touched_rows.LEAST_ROWS = n_items
    optimizer = WAYS[way](RATE)
    optimizer.build([table])

    def step(history: tf.Tensor, target: tf.Tensor, negatives: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            query = queries(table, history)
            right = tf.reduce_sum(query * tf.gather(table, target), 1, keepdims=True)
            others = tf.matmul(query, tf.gather(table, negatives), transpose_b=True)
            logits = tf.concat([right, others + np.log((n_items - 1) / arguments.negatives)], 1)
            loss = tf.reduce_mean(tf.reduce_logsumexp(logits, 1) - right[:, 0])
        gradient = touched_rows.with_each_row_once(tape.gradient(loss, table))
        optimizer.apply_gradients([(gradient, table)])
        return tf.size(gradient.indices)

    one = tf.TensorSpec([None], tf.int32)
    run = tf.function(step, [tf.TensorSpec([None, LENGTH], tf.int32), one, one])
    curve, touched, started = [], [], os.times()
    for _ in range(arguments.epochs):
        order = rng.permutation(len(following))
        for start in range(0, len(order), arguments.batch):
            batch = order[start : start + arguments.batch]
            negatives = rng.integers(0, n_items, arguments.negatives, dtype=np.int32)
            touched.append(int(run(histories[batch], following[batch], negatives)))
        if isinstance(optimizer, TouchedRowsAdam):
            optimizer.catch_up()
        curve.append(ndcg(table, asked, held))
    ended = os.times()
    seconds = (ended.user + ended.system - started.user - started.system) / len(touched)
    share = np.mean(touched) / n_items
    return (
        f"{way:7} {' '.join(f'{each:.4f}' for each in curve)}  {share:.0%} touched, {1000 * seconds:.1f} CPU ms a step"
    )


def main() -> int:
    """Train each way with each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--negatives", type=int, default=128)
    arguments = parser.parse_args()
    console = Console(soft_wrap=True, highlight=False)
    dataset = PreparedDataset.load(arguments.dataset)
    data = examples(dataset)
    for seed in arguments.seeds:
        for way in arguments.ways:
            console.print(f"seed {seed}  {fit(way, data, dataset.n_items, arguments, seed)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
