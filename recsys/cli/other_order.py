"""What `recsys off-policy` says: to people on a terminal, to programs as JSON."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from recsys.bundle import open_bundle
from recsys.cli.json_lines import print_json
from recsys.config import Config
from recsys.core.errors import DataError
from recsys.core.events import SECONDS_PER_DAY
from recsys.measure.other_order import order_report
from recsys.prepare.stores import store_of
from recsys.report.other_order import print_order_report


def judge_and_say(config: Config, bundle: Path | None, days: float, *, as_json: bool) -> None:
    """Estimate what the drawn lists of the last days would have been worth in the order of a bundle.

    Raises:
        DataError: the config names no store.
        BundleError: there is no such bundle.
        StoreError, StoreUnavailable: the store cannot be read.
    """
    found = store_of(config.data, connections=2)  # lists and what came of them are read side by side
    if found is None:
        raise DataError(
            "a store among the inputs", "files alone", "use a config with data.format: store, or an input that is one"
        )
    until, folder = time.time(), bundle or config.bundle_path
    with found as store, open_bundle(folder, verify="quick") as opened:
        report = order_report(store, opened, config.shadow.live_events, until - days * SECONDS_PER_DAY, until)
    print_order_report(Console(stderr=as_json, soft_wrap=True), report)
    if as_json:
        print_json(asdict(report))
