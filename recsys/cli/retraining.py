"""What `recsys retrain`, `promote` and `rollback` say: to people on a terminal, to schedulers as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from recsys.cli.exits import packages_of
from recsys.cli.json_lines import print_json
from recsys.config import Config
from recsys.core.errors import RecsysError
from recsys.retrain.lock import UnderWayError
from recsys.retrain.report import Runs
from recsys.retrain.run import retrain

WORDS = {
    "published": "Published",
    "candidate": "Written as a candidate",
    "kept": "The bundle in use stays",
}


def train_when_needed(
    config: Config, *, resume: bool, console: Console, current: bool, warm_from: Path | None
) -> Path | None:
    """`recsys.train.job.train`. TensorFlow is loaded when there is something to train."""
    with packages_of("train"):
        from recsys.train.job import train  # noqa: PLC0415 - not before the dataset is there
    return train(config, resume=resume, console=console, current=current, warm_from=warm_from)


def retrain_and_say(read: Callable[[], Config], *, as_json: bool) -> int:
    """Retrain; the exit code. With `as_json` stdout has one line of JSON, whatever comes of it, and stderr the rest.

    Args:
        read: reads the config; its name is null in the line where it cannot be read.
        as_json: see above.

    Raises:
        RecsysError: of the config, or see `retrain`.
    """
    console = Console(stderr=as_json, soft_wrap=True)
    name: str | None = None
    try:
        config = read()
        name = config.name
        report = retrain(config, train_when_needed, console)
    except RecsysError as error:
        if as_json:
            decision = "under way" if isinstance(error, UnderWayError) else "failed"
            print_json({"decision": decision, "exit_code": error.exit_code, "name": name, "error": str(error)})
        raise
    file = Runs(config.retrain_path).file_of(report.id)
    if as_json:
        print_json({**report.decision(), "report": str(file)})
    console.print(escape(f"{WORDS[report.state]}: {' '.join(report.reasons)}"), highlight=False)
    console.print(escape(f"Report: {file}"), highlight=False)
    return report.exit_code or 0


def switch_and_say(switch: Callable[[], Mapping[str, Any]], *, as_json: bool) -> None:
    """Make another version current, and say what is in use now.

    Raises:
        RecsysError: see `recsys.retrain.switching`.
    """
    try:
        now = switch()
    except RecsysError as error:
        if as_json:
            print_json({"exit_code": error.exit_code, "error": str(error)})
        raise
    if as_json:
        print_json(now)
        return
    print(f"In use: {now['in_use']}")
    print(f"Before: {now['before'] or 'none that is still there'}")
    print(f"Candidates: {', '.join(now['candidates']) or 'none'}")
