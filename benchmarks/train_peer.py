"""Training speed against RecTools' SASRec: same histories, width, layers, batch and processor, in turns.

    uv venv /tmp/rectools --python 3.11 && uv pip install --python /tmp/rectools/bin/python 'rectools[torch]==0.19.0'
    python benchmarks/train_peer.py --peer-python /tmp/rectools/bin/python [--size cds] [--batches 20]

Both train with a softmax over the whole catalogue, and both with a sampled one. The peer draws negatives for each
target, ours one set for all targets of a step, and each has its default number of layers, heads and so on set to ours.
Ours also reads texts, brands, categories and prices, of which the peer knows nothing, and learns from all of a history
that is longer than `model.max_history`, of which the peer takes the end. Ours and the peer's take turns, so that a busy
machine slows both; seconds of the processor are what a busy machine changes least.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

import recsys  # noqa: F401 - sets TF_USE_LEGACY_KERAS before TensorFlow is imported

import tensorflow as tf  # isort: skip

from benchmarks.training_data import SIZES, Size, make_batches, make_histories, make_model
from recsys.config import Config, parse_config
from recsys.core.histories import Histories
from recsys.train.distribution import make_deterministic
from recsys.train.train_step import TrainStep, make_optimizer

PEER = Path(__file__).parent / "peers" / "rectools_sasrec.py"
LOSSES = ("full", "sampled")


@dataclass(frozen=True)
class Asked:
    """What the peer is told before its first turn.

    Attributes:
        histories: npz file with "users" and "items", int arrays of one length, oldest first within a user.
        loss: one of `LOSSES`.
        negatives: drawn for each target where the loss is sampled.
        batches: in a turn; 0: a whole epoch.
        threads: of the processor.
        dim, layers, heads, max_history, dropout, batch_size: as in our config.
    """

    histories: str
    loss: str
    negatives: int
    batches: int
    threads: int
    dim: int
    layers: int
    heads: int
    max_history: int
    dropout: float
    batch_size: int


@dataclass(frozen=True)
class Turn:
    """What some batches took.

    Attributes:
        seconds, cpu_seconds: of the clock, and of the processor in all threads.
        batches: done.
        batches_an_epoch: of this trainer.
    """

    seconds: float
    cpu_seconds: float
    batches: int
    batches_an_epoch: int

    @property
    def epoch(self) -> float:
        """Seconds an epoch."""
        return self.seconds / self.batches * self.batches_an_epoch

    @property
    def cpu_epoch(self) -> float:
        """Processor seconds an epoch."""
        return self.cpu_seconds / self.batches * self.batches_an_epoch


class Ours:
    """Our two-tower, trained as `train.py` does."""

    def __init__(self, config: Config, histories: Histories, size: Size, batches: int) -> None:
        make_deterministic(config.seed)
        self._batches = make_batches(config, histories)
        self._a_turn = min(batches or self._batches.steps_per_epoch, self._batches.steps_per_epoch)
        model = make_model(config, histories, size)
        optimizer = make_optimizer(model, config.training, False)
        self._step = TrainStep(model, optimizer, tf.distribute.get_strategy(), config.training.clip_norm)
        self._at = 0

    def turn(self) -> Turn:
        """Take the next batches."""
        began, began_cpu = time.perf_counter(), time.process_time()
        for _ in range(self._a_turn):
            epoch, index = divmod(self._at, self._batches.steps_per_epoch)
            self._step(self._at, lambda shard, n, epoch=epoch, index=index: self._batches.batch(epoch, index, shard, n))
            self._at += 1
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - began_cpu
        return Turn(seconds, cpu_seconds, self._a_turn, self._batches.steps_per_epoch)


class Peer:
    """The peer's process."""

    def __init__(self, python: Path, asked: Asked) -> None:
        self._process = subprocess.Popen(
            [str(python), str(PEER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        self._say(json.dumps(asdict(asked)))

    def turn(self) -> Turn:
        """Have it take the next batches."""
        self._say("turn")
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{PEER.name} ended with exit code {self._process.wait()}; run it by hand to see why")
        return Turn(**json.loads(line))

    def close(self) -> None:
        """End it."""
        self._process.stdin.close()
        self._process.wait()

    def _say(self, line: str) -> None:
        with suppress(BrokenPipeError):  # a process that ended is told where its answer is read
            self._process.stdin.write(line + "\n")


def make_config(loss: str, arguments: argparse.Namespace) -> Config:
    """Defaults, with the width, heads and batch that were asked for."""
    return parse_config(
        {
            "name": "benchmark",
            "data": {"format": "events", "interactions": ["generated"]},
            "model": {"dim": arguments.dim, "heads": arguments.heads},
            "training": {"retrieval_loss": loss, "batch_size": arguments.batch},
        },
        "benchmarks/train_peer.py",
    )


def compare(loss: str, histories: Histories, arguments: argparse.Namespace) -> dict[str, list[Turn]]:
    """The turns of both with one loss, after one for each that is not counted."""
    config = make_config(loss, arguments)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "histories.npz"
        np.savez(path, users=np.repeat(np.arange(len(histories)), histories.lengths), items=histories.items)
        model = config.model
        asked = Asked(
            str(path),
            loss,
            arguments.negatives,
            arguments.batches,
            arguments.threads,
            model.dim,
            model.layers,
            model.heads,
            model.max_history,
            model.dropout,
            arguments.batch,
        )
        peer = Peer(arguments.peer_python, asked)
        ours = Ours(config, histories, SIZES[arguments.size], arguments.batches)
        turns: dict[str, list[Turn]] = {"ours": [], "RecTools": []}
        for number in range(arguments.rounds + 1):
            for name, trainer in (("ours", ours), ("RecTools", peer)):
                turn = trainer.turn()
                if number:
                    turns[name].append(turn)
        peer.close()
    return turns


def row(loss: str, name: str, turns: list[Turn], of_peer: list[Turn]) -> list[str]:
    """A line of the table: medians over the turns, and ours in the peer's."""
    seconds, cpu_seconds = (median(t.epoch for t in turns), median(t.cpu_epoch for t in turns))
    ratio = cpu_seconds / median(t.cpu_epoch for t in of_peer)
    return [loss, name, str(turns[0].batches_an_epoch), f"{seconds:.1f}", f"{cpu_seconds:.1f}", f"{ratio:.2f}"]


def parse(arguments: list[str] | None = None) -> Any:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", type=Path, required=True, help="Python with RecTools and torch")
    parser.add_argument("--size", choices=SIZES, default="beauty", help="of the generated shop")
    parser.add_argument("--losses", nargs="+", choices=LOSSES, default=LOSSES)
    parser.add_argument("--batches", type=int, default=0, help="in a turn; 0: a whole epoch")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each that count")
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--batch", type=int, default=128, help="histories in a step")
    parser.add_argument("--negatives", type=int, default=128, help="that the peer draws for each target")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args(arguments)


def main() -> int:
    """Print the table."""
    arguments = parse()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    histories = make_histories(SIZES[arguments.size])
    table = Table(title=f"{len(histories)} users, {SIZES[arguments.size].items} items, {len(histories.items)} events")
    for column in ("softmax", "trainer", "batches", "seconds an epoch", "CPU seconds", "CPU, of the peer's"):
        table.add_column(column, justify="left" if column in ("softmax", "trainer") else "right")
    for loss in arguments.losses:
        turns = compare(loss, histories, arguments)
        for name, of_name in turns.items():
            table.add_row(*row(loss, name, of_name, turns["RecTools"]))
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
