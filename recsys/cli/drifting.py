"""What `recsys drift` says: to people on a terminal, to schedulers as JSON and, if they want it, by an exit code."""

from __future__ import annotations

import json
import time
from contextlib import nullcontext
from typing import Final, Literal

from rich.console import Console

from recsys.bundle import open_bundle
from recsys.cli.json_lines import print_json
from recsys.config import Config
from recsys.core.disk import write_whole
from recsys.measure.drift import Band, DriftReport, drift
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.prepare.stores import store_of
from recsys.report.drifted import print_drift
from recsys.store import Store, StoreError, StoreUnavailable

DRIFTED = 12  # exit code where a band is reached that was asked for
REPORT_FILE = "drift.json"
FailOn = Literal["watch", "alert"]
_REACHED: Final[dict[FailOn, tuple[Band, ...]]] = {"watch": ("watch", "alert"), "alert": ("alert",)}


def measure_and_say(config: Config, *, as_json: bool, fail_on: FailOn | None = None) -> int:
    """Compare now with what the bundle in use was trained on; the exit code.

    Now is what the store has that the config names, or else its prepared dataset. With `as_json` stdout has one line of
    JSON and stderr the table. The report is also written beside the evaluation's.

    Raises:
        BundleError: there is no bundle, or it cannot be read.
        DataError: the prepared dataset cannot be read.
    """
    console = Console(stderr=as_json, soft_wrap=True)
    report = _measured(config, console)
    print_drift(console, report)
    config.report_path.mkdir(parents=True, exist_ok=True)
    write_whole(config.report_path / REPORT_FILE, json.dumps(report.as_json()) + "\n")
    console.print(f"Report: {config.report_path / REPORT_FILE}", highlight=False)
    if as_json:
        print_json(report.as_json())
    return DRIFTED if fail_on is not None and report.worst in _REACHED[fail_on] else 0


def _measured(config: Config, console: Console) -> DriftReport:
    store = _store(config, console)
    prepared = (config.prepared_path / c.MANIFEST_FILE).is_file()
    with open_bundle(config.bundle_path, verify="quick") as old, store or nullcontext():
        dataset = PreparedDataset.load(config.prepared_path) if prepared else None
        return drift(old, dataset, store, config.drift, seed=config.seed, until=time.time())


def _store(config: Config, console: Console) -> Store | None:
    """The first store among the inputs, if there is one that can be opened."""
    try:
        return store_of(config.data)
    except (StoreError, StoreUnavailable) as error:
        console.print(f"The store is not read: {error.got}", highlight=False)
        return None
