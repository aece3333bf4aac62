"""Seconds an epoch of each retrieval loss on generated data of the size of Beauty or of CDs and Vinyl, as ratios.

    python benchmarks/train.py [--size beauty|cds] [--losses sampled full] [--steps 60] [--rounds 3]

Peers at Beauty's size: a softmax over the whole catalogue as TensorFlow writes it (all logits at once, its own
gradient), and batches of users in random order instead of users with histories of like length. The losses take turns,
round by round, over the same batches, so that a busy machine slows all of them. With one loss the peak of the resident
memory is its own.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

import recsys  # noqa: F401 - sets TF_USE_LEGACY_KERAS before TensorFlow is imported

import tensorflow as tf  # isort: skip

from benchmarks.training_data import SIZES, make_batches, make_histories, make_model
from recsys.config import Config, parse_config
from recsys.core.histories import Histories
from recsys.core.tower_io import Batch
from recsys.models.losses import FullSoftmaxRetrieval
from recsys.train.distribution import make_deterministic
from recsys.train.train_step import TrainStep, make_optimizer

LOSSES = ["sampled", "full"]
# A chunked softmax is there for its memory (a chunk's logits instead of a step's, which on long histories are
# ten times the mean); its time is that of the same matrix products.
MAX_SHARE_OF_NAIVE = 1.15
MAX_SHARE_OF_RANDOM = 0.7  # time of a step on histories of like length in that of one on random histories
MAX_SHARE_OF_FULL = 0.25  # time of the sampled softmax in that of the full one, where the catalogue is large

# Of each size: settings of the sections model and training, and of each contender steps in a round and rounds. At
# Beauty's size these are about an epoch, or the losses would see batches of other lengths.
SETTINGS = {
    "beauty": ({"dim": 128, "heads": 4}, {}, 60, 3),
    "cds": ({"dim": 128}, {"batch_size": 1024}, 4, 2),
}


class NaiveFullSoftmax(FullSoftmaxRetrieval):
    """The peer: one matrix of logits, TensorFlow's cross-entropy and gradient."""

    def call(
        self, query_embeddings: tf.Tensor, candidate_embeddings: tf.Tensor, candidate_ids: tf.Tensor, **_: tf.Tensor
    ) -> tf.Tensor:
        logits = tf.matmul(query_embeddings, candidate_embeddings, transpose_b=True)
        return tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(candidate_ids, logits))


class Contender:
    """One way to train, stepped through its batches."""

    def __init__(self, name: str, loss: str, histories: Histories, *, naive: bool = False, packed: bool = True) -> None:
        config = make_config(name, loss)
        make_deterministic(config.seed)
        self.batches = make_batches(config, histories)
        self._packed, self._rng, self._at = packed, np.random.default_rng(0), 0
        model = make_model(config, histories, SIZES[name])
        if naive:
            model._retrieval_task = NaiveFullSoftmax(1.0, 0.0, 1)
        self._step = TrainStep(
            model,
            make_optimizer(model, config.training, False),
            tf.distribute.get_strategy(),
            config.training.clip_norm,
        )
        self.run(1)  # traces the step

    def run(self, steps: int) -> float:
        """Seconds a step, over `steps` steps."""
        start = time.perf_counter()
        for _ in range(steps):
            index = self._at % self.batches.steps_per_epoch
            self._step(self._at, lambda shard, n, index=index: self._batch(index, shard, n))
            self._at += 1
        return (time.perf_counter() - start) / steps

    def _batch(self, index: int, shard: int, n_shards: int) -> Batch:
        if not self._packed:
            self.batches._order(0)[0][:] = self._rng.permutation(len(self.batches._order(0)[0]))
        return self.batches.batch(0, index, shard, n_shards)


def make_config(name: str, loss: str) -> Config:
    """Settings of a size with one retrieval loss."""
    model, training, *_ = SETTINGS[name]
    return parse_config(
        {
            "name": "benchmark",
            "data": {"format": "events", "interactions": ["generated"]},
            "model": model,
            "training": {**training, "retrieval_loss": loss},
        },
        "benchmarks/train.py",
    )


def contenders_of(name: str, losses: list[str], histories: Histories) -> dict[str, Contender]:
    """The losses by name, and at Beauty's size their peers."""
    contenders = {loss: Contender(name, loss, histories) for loss in losses}
    if name == "beauty" and "full" in losses:
        contenders["full, naive"] = Contender(name, "full", histories, naive=True)
    if name == "beauty" and "sampled" in losses:
        contenders["sampled, random users"] = Contender(name, "sampled", histories, packed=False)
    return contenders


def shares_of(name: str, seconds: dict[str, float]) -> list[tuple[str, float, float]]:
    """What is compared: its name, the share of time, and the most that it may be."""
    pairs = {
        "beauty": [
            ("full", "full, naive", MAX_SHARE_OF_NAIVE),
            ("sampled", "sampled, random users", MAX_SHARE_OF_RANDOM),
        ],
        "cds": [("sampled", "full", MAX_SHARE_OF_FULL)],
    }
    return [
        (f"{one} / {other}", seconds[one] / seconds[other], limit)
        for one, other, limit in pairs[name]
        if one in seconds and other in seconds
    ]


def main() -> int:
    """Print the table; 1 when a floor is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=list(SETTINGS), default="beauty")
    parser.add_argument("--losses", nargs="+", choices=LOSSES, default=LOSSES)
    parser.add_argument("--steps", type=int, help="steps of each contender in a round; by default as the size says")
    parser.add_argument("--rounds", type=int, help="by default as the size says")
    arguments = parser.parse_args()
    size, (*_, steps, n_rounds) = SIZES[arguments.size], SETTINGS[arguments.size]
    contenders = contenders_of(arguments.size, arguments.losses, make_histories(size))
    rounds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(arguments.rounds or n_rounds):
        for name, contender in contenders.items():
            rounds[name].append(contender.run(arguments.steps or steps))
    seconds = {name: statistics.mean(times) for name, times in rounds.items()}
    batches = contenders[arguments.losses[0]].batches
    table = Table(title=f"{batches.n_targets} targets, {size.items} items, {batches.steps_per_epoch} steps an epoch")
    for column in ("retrieval loss", "seconds a step", "seconds an epoch", f"time relative to {arguments.losses[-1]}"):
        table.add_column(column, justify="left" if column == "retrieval loss" else "right")
    for name, value in seconds.items():
        epoch = value * batches.steps_per_epoch
        table.add_row(name, f"{value:.3f}", f"{epoch:.1f}", f"{value / seconds[arguments.losses[-1]]:.2f}")
    console = Console()
    console.print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # Linux counts KiB
    console.print(f"Peak of the resident memory: {peak:.1f} GiB")
    shares = shares_of(arguments.size, seconds)
    for name, share, limit in shares:
        console.print(f"{name}: {share:.2f} (at most {limit:.2f}) {'ok' if share <= limit else 'MISSED'}")
    return int(any(share > limit for _, share, limit in shares))


if __name__ == "__main__":
    sys.exit(main())
