"""What a run of `recsys retrain` did and decided: `retrain.json`, written anew after every step."""

from __future__ import annotations

import os
import shutil
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from recsys import __version__
from recsys.core.disk import write_whole, writing
from recsys.core.errors import RecsysError

REPORT_FILE = "retrain.json"

State = Literal["running", "interrupted", "abandoned", "failed", "kept", "published", "candidate"]
"""running: also of a run that was killed. interrupted: by Ctrl-C. abandoned: one of both, and not gone on with. failed:
an error ended it. kept: the bundle in use stays. published: the new one is current. candidate: it can be made so."""


class StepRecord(msgspec.Struct, kw_only=True):
    """A step of a run: when it began, how long it took, what it had to say; without seconds it did not end."""

    name: str
    started_at: str
    seconds: float | None = None
    says: str = ""


class RunReport(msgspec.Struct, kw_only=True):
    """A run.

    Attributes:
        id: its name, also of its folder; sorts by time.
        name: of the bundle.
        program: version of it.
        settings: fingerprint of what shapes the dataset and the model.
        process: host and number of the process that wrote this last.
        resumed: how often it was killed or interrupted and gone on with.
        dataset: of the preparation: fingerprint and counts.
        in_use: version in use when the new one was judged.
        warm_from: the version whose weights training began with, where that is the one in use.
        version: the new one.
        drift, gate, shadow: what these found.
        reasons: of the decision, each a sentence.
        exit_code: of the program.
    """

    id: str
    name: str
    program: str
    settings: str
    seed: int
    started_at: str
    process: str
    state: State = "running"
    ended_at: str | None = None
    resumed: int = 0
    steps: list[StepRecord] = []
    dataset: dict[str, Any] = {}
    in_use: str | None = None
    warm_from: str | None = None
    version: str | None = None
    drift: dict[str, Any] | None = None
    gate: dict[str, Any] | None = None
    shadow: dict[str, Any] | None = None
    reasons: list[str] = []
    exit_code: int | None = None

    @property
    def began(self) -> datetime:
        """When the run did, however often it was resumed."""
        return datetime.fromisoformat(self.started_at)

    def has_begun(self, step: str) -> bool:
        """Whether the run came to a step before."""
        return any(record.name == step for record in self.steps)

    def decision(self) -> dict[str, Any]:
        """What a scheduler wants to know."""
        return {
            "decision": self.state,
            "exit_code": self.exit_code,
            "name": self.name,
            "run": self.id,
            "in_use": self.in_use,
            "version": self.version,
            "reasons": self.reasons,
        }


class Runs:
    """The reports of a bundle's runs, a folder each below `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def file_of(self, run: str) -> Path:
        """The report of a run."""
        return self.path / run / REPORT_FILE

    def last(self) -> RunReport | None:
        """The latest run whose report can be read."""
        for folder in sorted(self.path.glob(f"*/{REPORT_FILE}"), reverse=True):
            try:
                return msgspec.json.decode(folder.read_bytes(), type=RunReport)
            except (OSError, msgspec.DecodeError):  # of another version of the program
                continue
        return None

    def begin(self, name: str, settings: str, seed: int) -> RunReport:
        """A new run; two that begin in one second have different names."""
        now = datetime.now(UTC)
        run = f"{now:%Y%m%dT%H%M%S}.{now.microsecond:06d}Z"
        report = RunReport(
            id=run,
            name=name,
            program=__version__,
            settings=settings,
            seed=seed,
            started_at=now.isoformat(timespec="seconds"),
            process=this_process(),
        )
        self.write(report)
        return report

    def write(self, report: RunReport) -> None:
        """Replace the report of a run; whenever the process is killed, the one before is there or this one.

        Raises:
            RecsysError: it cannot be written.
        """
        file = self.file_of(report.id)
        with writing(
            f"the report of the run, {file}", RecsysError, "free space or permit writing there, and run again"
        ):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, msgspec.json.format(msgspec.json.encode(report)).decode() + "\n")

    def remove_old(self, keep: int) -> None:
        """Keep the newest reports."""
        for file in sorted(self.path.glob(f"*/{REPORT_FILE}"))[:-keep]:
            shutil.rmtree(file.parent, ignore_errors=True)


def this_process() -> str:
    """Host and number."""
    return f"{socket.gethostname()}:{os.getpid()}"
