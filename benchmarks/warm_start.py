"""What a warm start saves and costs: a two-tower trained on yesterday's data goes on with today's, or starts anew.

    nice python benchmarks/warm_start.py configs/beauty.yaml --days 28 --work DIR [--set data.interactions=[...] ...]

Yesterday is the log up to so many days before its end, today is all of it; both are prepared by the config.
Yesterday's two-tower is trained from nothing. Today's is trained from nothing, and once more from yesterday's weights
for each of the learning rates. Beside epochs and time stand NDCG@10 on validation and test (full ranking, seen items
removed) and the paired 95% interval of the difference to today's cold run, over users. Results are appended to
DIR/warm_start.jsonl.

With --generations N the days are made up in N steps: each starts from the weights of the one before, the last is of
today. That says what warm runs do to each other.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1]))

import recsys  # noqa: F401 - sets TF_USE_LEGACY_KERAS before TensorFlow is imported
from recsys.config import Config, load_config
from recsys.core.events import SECONDS_PER_DAY
from recsys.core.progress import Steps
from recsys.core.types import Float64Array
from recsys.data_defaults import with_data_defaults
from recsys.measure.metrics import bootstrap_means, ranking_metrics
from recsys.prepare import columns as c
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset
from recsys.text import ItemText, encode_items
from recsys.train.distribution import Cluster
from recsys.train.run_folder import RunFolder
from recsys.train.steps.context import Trained
from recsys.train.steps.fit_towers import FittedTower, TowerFitting, known_to
from recsys.train.validator import USERS_AT_A_TIME, Validator
from recsys.train.warm_start import TrainedWeights

TIME_OF_REVIEW = re.compile(r'"unixReviewTime": *(\d+)')
SAMPLES = 2000


def truncated(files: list[Path], days: float, folder: Path) -> list[Path]:
    """Copies of review files (Amazon's, JSON lines) without the last days of all of them."""
    last = max(time_of(line) or 0 for path in files for line in lines_of(path))
    until = last - days * SECONDS_PER_DAY
    copies = []
    for path in files:
        copy = folder / path.name
        with gzip.open(copy, "wt", encoding="utf8", errors="surrogateescape", compresslevel=1) as file:
            file.writelines(line for line in lines_of(path) if (time_of(line) or until + 1) <= until)
        copies.append(copy)
    return copies


def lines_of(path: Path) -> Iterator[str]:
    """Of a packed file."""
    with gzip.open(path, "rt", encoding="utf8", errors="surrogateescape") as file:
        yield from file


def time_of(line: str) -> int | None:
    """Of a review; None: it says none."""
    found = TIME_OF_REVIEW.search(line)
    return None if found is None else int(found[1])


def dataset_of(config: Config, folder: Path, interactions: list[Path]) -> PreparedDataset:
    """Prepared below a folder, once."""
    data = config.data.model_copy(update={"interactions": interactions, "prepared_dir": folder})
    own = config.model_copy(update={"data": data})
    if not own.prepared_path.is_dir():
        prepare(own)
    return PreparedDataset.load(own.prepared_path)


class Fits:
    """Fits of one seed."""

    def __init__(self, config: Config, work: Path, console: Console) -> None:
        self._config, self._work = config, work
        self._steps = Steps(console, ["fit"])
        self._cluster = Cluster()

    def fit(
        self, name: str, dataset: PreparedDataset, text: ItemText, trained: TrainedWeights | None, rate: float | None
    ) -> tuple[FittedTower, Trained, float]:
        """A fit, the model with its best weights, and the seconds that it took."""
        config = self._config
        if rate is not None:
            training = config.training.model_copy(update={"warm_learning_rate": rate})
            config = config.model_copy(update={"training": training})
        run = RunFolder(self._work / "runs" / f"{name}-{config.seed}")
        run.path.parent.mkdir(parents=True, exist_ok=True)
        started = time.perf_counter()
        with self._steps.step("fit") as step:
            fitted = TowerFitting(text, config, False, run, self._cluster, trained).fit(dataset, step)
            seconds = time.perf_counter() - started
            return fitted, fitted.restored(config, step.console), seconds


def ndcg(trained: Trained, config: Config, split: str) -> Float64Array:
    """NDCG@10 of each user of a split."""
    before = (c.TRAIN,) if split == c.VALIDATION else (c.TRAIN, c.VALIDATION)
    validator = Validator(
        trained.model,
        trained.dataset.histories(before),
        trained.dataset.histories((split,)),
        max_users=10**9,
        max_history=config.model.max_history,
        seed=0,
        repeats=trained.dataset.predicts_repeats,
    )
    items = trained.model.item_vectors()
    starts = range(0, len(validator), USERS_AT_A_TIME)
    ranked = [validator._best(items, validator._queries(start, start + USERS_AT_A_TIME)).numpy() for start in starts]
    relevant = validator._relevant
    figures = ranking_metrics(np.concatenate(ranked), (relevant.indptr, relevant.items), [10])["ndcg@10"]
    of_user = np.full(trained.dataset.n_users, np.nan)
    of_user[validator.users] = figures
    return of_user


def paired(own: Float64Array, other: Float64Array) -> dict[str, float]:
    """Mean difference over the users of both, and its 95% interval."""
    differences = (own - other)[~np.isnan(own) & ~np.isnan(other)]
    means = bootstrap_means(differences[:, None], SAMPLES, 0)[:, 0]
    low, high = np.percentile(means, [2.5, 97.5])
    return {"difference": float(differences.mean()), "low": float(low), "high": float(high)}


def main() -> None:
    """Train, measure, and append a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--days", type=float, default=28)
    parser.add_argument("--generations", type=int, default=1)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--rates", type=float, nargs="+", default=[0.001, 0.0003])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--set", dest="overrides", nargs="*", default=[])
    arguments = parser.parse_args()
    console = Console(soft_wrap=True)
    work: Path = arguments.work
    (work / "raw").mkdir(parents=True, exist_ok=True)
    config = load_config(arguments.config, arguments.overrides)
    datasets = []
    for left in range(arguments.generations, 0, -1):
        days = arguments.days * left / arguments.generations
        files = truncated(config.data.interactions, days, work / "raw")
        datasets.append(dataset_of(config, work / f"{days:g}-days-before", files))
    datasets.append(dataset_of(config, work / "today", config.data.interactions))
    config = with_data_defaults(config, datasets[-1])  # the same for all generations
    texts = [encode_items(one.items[c.TEXT].tolist(), config.text, console) for one in datasets]
    for seed in arguments.seeds:
        measure(config.model_copy(update={"seed": seed}), datasets, texts, arguments.rates, work, console)


def measure(
    config: Config,
    datasets: list[PreparedDataset],
    texts: list[ItemText],
    rates: list[float],
    work: Path,
    console: Console,
) -> None:
    """All runs of one seed."""
    fits = Fits(config, work, console)
    first, *between, today = datasets
    old, old_model, seconds = fits.fit("yesterday", first, texts[0], None, None)
    note(work, config.seed, "yesterday, cold", old, seconds, first)
    start = weights_of(old, old_model)
    cold, cold_model, seconds = fits.fit("cold", today, texts[-1], None, None)
    of_cold = {split: ndcg(cold_model, config, split) for split in (c.VALIDATION, c.TEST)}
    note(work, config.seed, "today, cold", cold, seconds, today, of_cold)
    for rate in rates:
        weights = start
        for place, dataset in enumerate(between, start=1):
            warm, warm_model, seconds = fits.fit(f"warm-{rate:g}-{place}", dataset, texts[place], weights, rate)
            note(work, config.seed, f"generation {place}, warm, {rate:g}", warm, seconds, dataset)
            weights = weights_of(warm, warm_model)
        warm, warm_model, seconds = fits.fit(f"warm-{rate:g}", today, texts[-1], weights, rate)
        own = {split: ndcg(warm_model, config, split) for split in (c.VALIDATION, c.TEST)}
        note(work, config.seed, f"today, warm, {rate:g}", warm, seconds, today, own, of_cold)


def weights_of(fitted: FittedTower, trained: Trained) -> TrainedWeights:
    """The best weights of a fit."""
    known = known_to(fitted.inputs, fitted.dataset)
    return TrainedWeights.of_model("the run before", trained.model, known, fitted.cold_epochs)


def note(
    work: Path,
    seed: int,
    name: str,
    fitted: FittedTower,
    seconds: float,
    dataset: PreparedDataset,
    own: dict[str, Float64Array] | None = None,
    other: dict[str, Float64Array] | None = None,
) -> None:
    """Append what a run took and how good it is."""
    epochs = [record["seconds"] for record in fitted.state.curve]
    line = {
        "seed": seed,
        "run": name,
        "users": dataset.n_users,
        "items": dataset.n_items,
        "interactions": len(dataset.interactions),
        "epochs": fitted.state.epoch,
        "best_epoch": fitted.state.best_epoch,
        "seconds": round(seconds, 1),
        "seconds_an_epoch": round(float(np.median(epochs)), 2),
        "curve": [round(record.get("validation_ndcg@10", float("nan")), 5) for record in fitted.state.curve],
    }
    for split, of_user in (own or {}).items():
        line[f"{split}_ndcg"] = float(np.nanmean(of_user))
        if other is not None:
            line[f"{split}_against_cold"] = paired(of_user, other[split])
    with (work / "warm_start.jsonl").open("a", encoding="utf8") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
