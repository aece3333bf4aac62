"""A shop that can be retrained in seconds: its raw log, its config, and what stands in for training.

Items come in groups, and each user buys within one. A good bundle knows the groups, a bad one does not: an even seed
trains good ones. As a program (`python -m tests.support.retraining FOLDER MOMENT ...`) it retrains in the folder
FOLDER/MOMENT for each of the moments, each time in a process that kills itself when it gets there, and prints the
signals that ended them.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from recsys.bundle import Bundle, BundleWriter, ItemRecord, open_bundle
from recsys.bundle.manifest import ServingSection, file_sha256
from recsys.bundle.versions import Versions
from recsys.config import Config, parse_config
from recsys.core.types import Float32Array
from recsys.measure.gate import gate as gates
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.retrain import run as runs
from recsys.retrain import steps
from recsys.retrain.report import RunReport
from recsys.retrain.report import Runs as Reports
from recsys.sources.item_to_item.neighbours_fit import fit_neighbours
from recsys.sources.popularity.source import Popularity
from tests.support.bundles import make_dataset_section, make_metrics, make_two_tower

GROUPS, GROUP_ITEMS, USERS, BOUGHT = 4, 10, 60, 5
START = 1_600_000_000
DIM = 8


def write_log(folder: Path, *, users: int = USERS, bought: int = BOUGHT) -> Path:
    """The events of the shop: user n buys `bought` items of group n % GROUPS, one a day."""
    lines = ["user_id,item_id,event_type,timestamp"]
    for user in range(users):
        random = np.random.default_rng(user)
        for day, item in enumerate(random.permutation(GROUP_ITEMS)[:bought]):
            lines.append(f"u{user},g{user % GROUPS}-i{item},purchase,{START + 86_400 * day + user}")
    path = folder / "events.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def make_config(folder: Path, seed: int = 0, **sections: dict[str, Any]) -> Config:
    """Of the shop in `folder`; `sections` override keys of theirs."""
    tree: dict[str, Any] = {
        "name": "shop",
        "seed": seed,
        "data": {
            "format": "events",
            "interactions": [str(folder / "events.csv")],
            "prepared_dir": str(folder / "prepared"),
            "k_core_users": 0,
            "k_core_items": 0,
        },
        "bundle": {"dir": str(folder / "bundles")},
        "gate": {"least_users": 20, "latency_lists": 5, "latency_ratio": 100.0},
        "retrain": {"dir": str(folder / "retrain")},
        "training": {"run_dir": str(folder / "runs")},
    }
    for name, section in sections.items():
        tree[name] = {**tree.get(name, {}), **section}
    return parse_config(tree, "the test")


def stand_in(config: Config, *, current: bool, **_: Any) -> Path:
    """In the place of `recsys.train.job.train`: a bundle of the prepared dataset, good where the seed is even."""
    dataset = PreparedDataset.load(config.prepared_path)
    return write_bundle_of(dataset, config.bundle.dir, good=config.seed % 2 == 0, current=current)


def write_bundle_of(dataset: PreparedDataset, folder: Path, *, good: bool = True, current: bool = True) -> Path:
    """A bundle of the dataset's items, users and histories, below `folder`; returns the folder of the version."""
    train = dataset.histories()
    with BundleWriter(folder, dataset.name, current=current) as writer:
        writer.add_two_tower(make_two_tower(writer.folder / "onnx", embeddings_of(dataset, good=good)))
        writer.add_source(Popularity.fit(train.items, dataset.n_items))
        writer.add_source(fit_neighbours(train, dataset.n_items, k=20, decay=0.8))
        ids = map(str, dataset.item_ids)
        writer.add_catalogue([ItemRecord(row, item) for row, item in enumerate(ids)], map(str, dataset.user_ids))
        writer.add_histories(dataset.histories(c.SPLITS))
        digest = file_sha256(dataset.path / c.MANIFEST_FILE)
        writer.describe(
            dataset=make_dataset_section(dataset.name, dataset.n_users, dataset.n_items, digest),
            config={"name": dataset.name, "synthetic": True},
            metrics=make_metrics(index_recall=1.0),
            serving=ServingSection(candidates=50, proposer_candidates=20, confidence={}),
        )
    return writer.path


def embeddings_of(dataset: PreparedDataset, *, good: bool) -> Float32Array:
    """Near the centre of each item's group, or anywhere."""
    random = np.random.default_rng(1)
    centres = np.eye(GROUPS, DIM, dtype=np.float32)
    groups = np.array([int(item_id[1 : item_id.index("-")]) % GROUPS for item_id in map(str, dataset.item_ids)])
    noise = 0.1 * random.normal(size=(dataset.n_items, DIM))
    return ((centres[groups] if good else random.normal(size=(dataset.n_items, DIM))) + noise).astype(np.float32)


def retrain(config: Config, train: runs.Train = stand_in) -> RunReport:
    return runs.retrain(config, train, Console(quiet=True))


def in_use(config: Config) -> Bundle:
    """The bundle in use, with all checksums compared."""
    return open_bundle(config.bundle_path)


MOMENTS: dict[str, Callable[[Callable[..., Any]], None]] = {
    "prepare": partial(setattr, steps, "prepare"),
    "prepared": partial(setattr, PreparedDataset, "load"),
    "gate": partial(setattr, steps, "gate"),
    "judged": partial(setattr, gates, "compare"),
    "shadow": partial(setattr, steps, "shadow"),
    "publish": partial(setattr, Versions, "publish"),
    "let_in": partial(setattr, Versions, "_let_in"),
    "switch": partial(setattr, Versions, "_switch"),
    "switched": partial(setattr, Versions, "_write"),
    "remove_old": partial(setattr, Versions, "_remove_old"),
}
"""What a process dies in, in the order of a run. `Versions` is used by the writer of the version, too."""


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_while_training(config: Config, **named: Any) -> Path:
    """Dies when the version has been written, before anybody was told."""
    stand_in(config, **named)
    die()
    raise AssertionError("killed")


def die_when_the_run_ends(*_: object) -> None:
    """Dies before the report says how it ended."""
    write = Reports.write

    def until_the_end(self: Reports, report: RunReport) -> None:
        if report.state != "running":
            die()
        write(self, report)

    Reports.write = until_the_end  # type: ignore[method-assign]


def retrain_and_die(folder: Path, moment: str) -> None:
    config = make_config(folder)
    if moment == "trained":
        retrain(config, die_while_training)
        return
    if moment == "reported":
        die_when_the_run_ends()
    else:
        MOMENTS[moment](die)
    retrain(config)


if __name__ == "__main__":
    for name in sys.argv[2:]:
        if os.fork() == 0:
            retrain_and_die(Path(sys.argv[1]) / name, name)
            os._exit(0)
        print(os.WTERMSIG(os.wait()[1]), flush=True)
