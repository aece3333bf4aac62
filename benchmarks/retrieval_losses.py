r"""Validation NDCG@10 of the two-tower alone, trained in two ways, seed by seed, user by user.

    python benchmarks/retrieval_losses.py FOLDER --config configs/beauty.yaml [--negatives 4096] [--seeds 0 1 2] \
        [--compare sampled full] [--set KEY=VALUE ...]

after prepare_data.py. The ways: `full` and `sampled` softmax, and `by_row`, the sampled one that updates the touched
rows of the item table alone, as it is done of large tables (recsys/train/touched_rows.py). Each fit leaves
FOLDER/NAME_WAY_SEED.npz, and one that is there is not done again, so that seeds may be run one by one. Both fits of a
seed are judged on the same users, with the weights of their best epochs; the interval is of the difference, over users
resampled 2,000 times.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

import recsys  # noqa: F401 - sets TF_USE_LEGACY_KERAS before TensorFlow is imported
from recsys.config import Config, load_config
from recsys.core.progress import Steps
from recsys.core.types import Float32Array
from recsys.data_defaults import with_data_defaults
from recsys.measure.metrics import bootstrap_means, interval
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.text import encode_items
from recsys.train import touched_rows
from recsys.train.distribution import Cluster
from recsys.train.run_folder import RunFolder
from recsys.train.steps.fit_towers import TowerFitting, make_validator
from recsys.train.validator import EARLY_STOPPING_METRIC

SAMPLES = 2000
WAYS = ("full", "sampled", "by_row")


def fit(config: Config, path: Path, console: Console, *, by_row: bool) -> None:
    """Train the two-tower and write NDCG@10 of each validation user, the best epoch, and CPU seconds an epoch."""
    with Steps(console, (path.stem,)).step(path.stem) as step:
        dataset = PreparedDataset.load(config.prepared_path)
        config = with_data_defaults(config, dataset)
        touched_rows.LEAST_ROWS = dataset.n_items if by_row else 2**62
        text = encode_items(dataset.items[c.TEXT].tolist(), config.text, console)
        started = time.process_time()
        fitted = TowerFitting(text, config, False, RunFolder(config.run_path), Cluster()).fit(dataset, step)
        cpu_seconds = (time.process_time() - started) / fitted.state.epoch
        validator = make_validator(fitted.restored(config, console), config)
        ndcg = validator.by_user()[EARLY_STOPPING_METRIC]
    np.savez(path, ndcg=ndcg, users=validator.users, best_epoch=fitted.state.best_epoch, cpu_seconds=cpu_seconds)


def difference(ours: Float32Array, theirs: Float32Array) -> tuple[float, float, float]:
    """Mean of ours - theirs over users, and its 95% interval."""
    values = (ours - theirs)[:, None]
    return float(values.mean()), *interval(bootstrap_means(values, SAMPLES, 0)[:, 0])


def row(seed: int, our_path: Path, their_path: Path) -> list[str]:
    """What the table says of a seed."""
    ours, theirs = np.load(our_path), np.load(their_path)
    if not np.array_equal(ours["users"], theirs["users"]):
        raise SystemExit(f"{our_path} and {their_path} were judged on different users: remove them and run again")
    mean, low, high = difference(ours["ndcg"], theirs["ndcg"])
    return [
        str(seed),
        *(f"{one['ndcg'].mean():.4f} (epoch {one['best_epoch']})" for one in (theirs, ours)),
        f"{mean:+.4f} ({low:+.4f} to {high:+.4f})",
        *(f"{one['cpu_seconds']:.1f}" for one in (theirs, ours)),
    ]


def main() -> int:
    """Fit what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--config", required=True)
    parser.add_argument("--negatives", type=int, default=4096)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--compare", nargs=2, choices=WAYS, default=["sampled", "full"])
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    console = Console(soft_wrap=True)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    table = Table(title=f"{arguments.config}, {arguments.negatives} negatives")
    one, other = arguments.compare
    for column in ("seed", other, one, f"{one} - {other} (95%)", f"CPU s an epoch, {other}", one):
        table.add_column(column, justify="right")
    for seed in arguments.seeds:
        paths = []
        for way in arguments.compare:
            settings = [
                f"training.retrieval_loss={'full' if way == 'full' else 'sampled'}",
                f"training.negatives={arguments.negatives}",
                f"training.run_dir={arguments.folder / 'runs'}",
                f"seed={seed}",
            ]
            config = load_config(arguments.config, [*arguments.set, *settings])
            name = way if way == "full" else f"{way}-{arguments.negatives}"
            paths.append(arguments.folder / f"{config.name}_{name}_{seed}.npz")
            if not paths[-1].exists():
                fit(config, paths[-1], console, by_row=way == "by_row")
        table.add_row(*row(seed, *paths))
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
