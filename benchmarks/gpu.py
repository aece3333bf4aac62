"""What a GPU takes for training and for reading texts, in about ten minutes; it runs on a processor, too.

    python benchmarks/gpu.py [--seconds 40] [--sizes beauty cds million] [--texts 2000]
    python benchmarks/gpu.py --estimate --teraflops 19.5 --gigabytes 1555

The first steps the two-tower for some seconds on generated data of each size, with a softmax over the whole catalogue
and with a sampled one, in float32 and, on a GPU that has it, with mixed precision, and tells from the steps a second
what the whole training of 10^6, 10^7 and 10^8 events takes. It then reads texts. The second measures nothing: it
tells the same from counted operations and bytes, for a device of the given peak (the values are an A100's, float32).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

import recsys  # noqa: F401 - sets TF_USE_LEGACY_KERAS before TensorFlow is imported

import tensorflow as tf  # isort: skip

from benchmarks.gpu_cost import EPOCHS, EVENTS, FITS, count, estimated_targets_a_second, hours
from benchmarks.training_data import SIZES, TEXT_DIM, Size, make_batches, make_histories, make_model
from recsys.config import Config, parse_config
from recsys.core.errors import TrainingError
from recsys.text.choices import choose_encoder
from recsys.text.encoder import TextEncoder
from recsys.train.distribution import make_deterministic, use_mixed_precision
from recsys.train.train_step import TrainStep, make_optimizer

WARM_STEPS = 3
TARGETS, LENGTH = 12_000, 12.3  # of an estimated step: 1,024 histories as long as those of CDs and Vinyl
TITLE = "deluxe edition remastered live album with bonus tracks by the original artist and booklet"


@dataclass(frozen=True)
class Measured:
    """Steps of one way to train.

    Attributes:
        size, loss, precision: what was trained.
        steps, targets: a second.
        gigabytes: of the GPU's memory at most; None on a processor.
    """

    size: str
    loss: str
    precision: str
    steps: float
    targets: float
    gigabytes: float | None


def make_config(loss: str, *, mixed: bool, dim: int = 128, batch: int = 1024) -> Config:
    """Defaults with one retrieval loss."""
    return parse_config(
        {
            "name": "benchmark",
            "data": {"format": "events", "interactions": ["generated"]},
            "model": {"dim": dim, "heads": 4},
            "training": {
                "retrieval_loss": loss,
                "batch_size": batch,
                "mixed_precision": "auto" if mixed else "off",
            },
        },
        "benchmarks/gpu.py",
    )


def step_for(config: Config, size: Size, seconds: float) -> tuple[float, float, str]:
    """Steps and targets a second, in the batches' random order, and the precision."""
    make_deterministic(config.seed)
    mixed = use_mixed_precision(config.training)
    histories = make_histories(size)
    batches = make_batches(config, histories)
    model = make_model(config, histories, size)
    optimizer = make_optimizer(model, config.training, mixed)
    step = TrainStep(model, optimizer, tf.distribute.get_strategy(), config.training.clip_norm)
    began, targets, number = 0.0, 0, 0
    while number <= WARM_STEPS or time.perf_counter() - began < seconds:
        if number == WARM_STEPS:
            began, targets = time.perf_counter(), 0
        batch = batches.batch(*divmod(number, batches.steps_per_epoch))
        step(number, lambda *_, batch=batch: batch)
        targets += int((batch["targets"] >= 0).sum())
        number += 1
    elapsed = time.perf_counter() - began
    return (number - WARM_STEPS) / elapsed, targets / elapsed, "float16" if mixed else "float32"


def measure(sizes: dict[str, Size], seconds: float, *, dim: int = 128, batch: int = 1024) -> Iterator[Measured]:
    """Each size with each loss and precision; a precision that the machine does not have is left out."""
    gpus = tf.config.list_logical_devices("GPU")
    for name, size in sizes.items():
        for loss in ("sampled", "full"):
            for mixed in (False, True):
                config = make_config(loss, mixed=mixed, dim=dim, batch=batch)
                if mixed and not use_mixed_precision(config.training):
                    continue
                if gpus:
                    tf.config.experimental.reset_memory_stats("GPU:0")
                steps, targets, precision = step_for(config, size, seconds)
                peak = tf.config.experimental.get_memory_info("GPU:0")["peak"] / 1e9 if gpus else None
                yield Measured(name, loss, precision, steps, targets, peak)
    tf.keras.mixed_precision.set_global_policy("float32")


def texts_a_second(count: int) -> float:
    """Texts of a title's length that the text encoder reads in a second, after others that trace it."""
    config = make_config("sampled", mixed=False).text
    files = choose_encoder(config, Console(quiet=True))
    encoder = TextEncoder(files, config)
    texts = [f"item {number} {TITLE[: 20 + 5 * (number % 16)]}" for number in range(2 * count)]
    list(encoder.pooled(texts[:count], [files.n_layers]))
    began = time.perf_counter()
    list(encoder.pooled(texts[count:], [files.n_layers]))
    return count / (time.perf_counter() - began)


def table_of(rows: list[Measured]) -> Table:
    """What was measured, with the hours that follow from it."""
    table = Table(title=f"GPU-hours: {EPOCHS} epochs, {FITS} fits")
    for name in ("size", "softmax", "precision", "steps/s", "targets/s", "GB"):
        table.add_column(name, justify="right")
    for events in EVENTS:
        table.add_column(f"h, {events:.0e} events", justify="right")
    for row in rows:
        told = [f"{hours(events, row.targets):.2f}" for events in EVENTS]
        memory = "" if row.gigabytes is None else f"{row.gigabytes:.1f}"
        table.add_row(row.size, row.loss, row.precision, f"{row.steps:.2f}", f"{row.targets:.0f}", memory, *told)
    return table


def estimates(teraflops: float, gigabytes: float) -> Table:
    """What follows from counting alone."""
    table = Table(title=f"Estimated: {teraflops} TFLOP/s, {gigabytes} GB/s, {EPOCHS} epochs, {FITS} fits")
    names = ["items", "softmax", "MFLOP a target", "bytes a target", "targets/s"]
    for name in [*names, *(f"h, {events:.0e} events" for events in EVENTS)]:
        table.add_column(name, justify="right")
    for items in (12_101, 72_925, 10**6):
        for loss in ("sampled", "full"):
            config = make_config(loss, mixed=False)
            cost = count(config, n_items=items, text_dim=TEXT_DIM, targets=TARGETS, length=LENGTH)
            targets = estimated_targets_a_second(cost, teraflops, gigabytes)
            told = [f"{hours(events, targets):.2f}" for events in EVENTS]
            figures = [f"{cost.operations / 1e6:.1f}", f"{cost.update_bytes:.0f}", f"{targets:.0f}"]
            table.add_row(f"{items}", loss, *figures, *told)
    return table


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=40, help="of steps for each size, loss and precision")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--texts", type=int, default=2000, help="that the text encoder reads; 0: none")
    parser.add_argument("--estimate", action="store_true", help="count, and measure nothing")
    parser.add_argument("--teraflops", type=float, default=19.5, help="peak of the device to estimate for")
    parser.add_argument("--gigabytes", type=float, default=1555, help="a second, likewise")
    arguments = parser.parse_args()
    console = Console(width=140)
    if arguments.estimate:
        console.print(estimates(arguments.teraflops, arguments.gigabytes))
        return 0
    devices = tf.config.list_physical_devices("GPU")
    console.print(f"{len(devices)} GPUs" if devices else "No GPU: these are the processor's figures")
    rows: list[Measured] = []
    for row in measure({name: SIZES[name] for name in arguments.sizes}, arguments.seconds):
        console.print(f"{row.size} {row.loss} {row.precision}: {row.steps:.2f} steps/s", highlight=False)
        rows.append(row)
    console.print(table_of(rows))
    if arguments.texts:
        try:
            console.print(f"Texts: {texts_a_second(arguments.texts):.0f} a second")
        except TrainingError as error:
            console.print(f"Texts: not measured. {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
