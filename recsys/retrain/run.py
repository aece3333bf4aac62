"""The steps of a retraining: prepare, look for drift, train, gate, shadow, publish; or the bundle in use stays.

    a run that is killed ─ the bundle in use serves on ─► the next run goes on with it, or clears away what it left

Until the last step, nothing is changed that a server reads: a new version waits in a folder that no server looks at.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.markup import escape

from recsys import __version__
from recsys.bundle import Bundle, open_bundle, require_writable
from recsys.bundle.layout import MANIFEST_FILE, WAITING_PREFIX
from recsys.bundle.manifest import file_sha256
from recsys.bundle.versions import Versions
from recsys.config import Config
from recsys.core.errors import BundleError, RecsysError, TrainingError
from recsys.core.progress import Step, Steps
from recsys.measure.gate.gate import gate
from recsys.measure.shadow import shadow
from recsys.prepare import columns as c
from recsys.prepare.formats.event_store import open_store
from recsys.prepare.inputs import open_inputs
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset
from recsys.report.replayed import print_shadow
from recsys.retrain.lock import one_at_a_time
from recsys.retrain.report import RunReport, Runs, State, StepRecord, this_process

PREPARE = "Prepare the dataset"
TRAIN = "Train"
GATE = "Compare with the bundle in use"
SHADOW = "Replay served lists"
PUBLISH = "Publish"
STEPS = (PREPARE, TRAIN, GATE, SHADOW, PUBLISH)

KEPT = 10  # exit code: the run is done, and the bundle in use stays
EXIT_CODES: dict[State, int] = {"published": 0, "candidate": 0, "kept": KEPT}
LEAST_KEPT = 2  # versions: the one in use, and one to go back to
# Sections that shape neither the dataset nor the model: a run may be gone on with though they changed.
_FREE = {"evaluation", "gate", "shadow", "drift", "retrain", "bundle"}


class Train(Protocol):
    """`recsys.train.job.train`."""

    def __call__(
        self, config: Config, *, resume: bool, console: Console, current: bool, warm_from: Path | None
    ) -> Path | None:
        """Train on the config's prepared dataset; the folder of the version."""


def retrain(config: Config, train: Train, console: Console) -> RunReport:
    """Make a new bundle of the newest data, and publish it if it is good enough.

    Args:
        config: all settings.
        train: makes a version that waits, of the config's prepared dataset.
        console: for progress.

    Returns:
        The report of the run, which is done: its state is published, candidate or kept.

    Raises:
        UnderWayError: another process retrains this bundle.
        RecsysError: of the step that failed; the report says so, too, and the bundle in use stays.
        KeyboardInterrupt: the next run goes on with this one.
    """
    home = config.bundle_path
    require_writable(config.bundle.dir, config.name)
    with one_at_a_time(home):
        runs, versions = Runs(config.retrain_path), Versions(home)
        report = _run_to_go_on_with(config, runs, console) or runs.begin(config.name, settings_of(config), config.seed)
        waiting = None if report.version is None else home / f"{WAITING_PREFIX}{report.version}"
        for name in versions.remove_waiting(except_for=waiting):
            console.print(f"Removed {name}, which was never let in", soft_wrap=True)
        runs.remove_old(config.retrain.keep_reports)
        run = _Run(config, train, report, runs, versions, Steps(console, STEPS))
        with _told_at_the_end(run):
            run.go()
    return report


def settings_of(config: Config) -> str:
    """Fingerprint of the settings that shape dataset and model."""
    return hashlib.sha256(config.model_dump_json(exclude=_FREE).encode()).hexdigest()


def _run_to_go_on_with(config: Config, runs: Runs, console: Console) -> RunReport | None:
    """The last run if it was killed or interrupted and may be gone on with; otherwise it is marked as abandoned."""
    last = runs.last()
    if last is None or last.state not in ("running", "interrupted"):
        return None
    reason = _why_not(last, config)
    if reason is not None:
        last.state, last.reasons = "abandoned", [reason]
        runs.write(last)
        console.print(f"The run {last.id} did not end and is not gone on with: {reason}", soft_wrap=True)
        return None
    last.state, last.resumed, last.process = "running", last.resumed + 1, this_process()
    runs.write(last)
    console.print(f"Going on with the run {last.id}, which did not end", soft_wrap=True)
    return last


def _why_not(last: RunReport, config: Config) -> str | None:
    """Why a run that did not end cannot be gone on with."""
    if last.settings != settings_of(config):
        return "Settings that shape the dataset or the model are others now."
    if last.program != __version__:
        return f"It was a run of version {last.program} of the program."
    if datetime.now(UTC) - last.began > timedelta(hours=config.retrain.resume_hours):
        return f"It began more than {config.retrain.resume_hours:g} hours ago (retrain.resume_hours)."
    return None


@contextmanager
def _told_at_the_end(run: _Run) -> Iterator[None]:
    """Write into the report how the run ended."""
    report = run.report
    try:
        yield
    except KeyboardInterrupt:
        report.state = "interrupted"
        raise
    except RecsysError as error:
        report.state, report.reasons, report.exit_code = "failed", [str(error)], error.exit_code
        raise
    except BaseException as error:
        report.state, report.reasons, report.exit_code = "failed", [f"{type(error).__name__}: {error}"], 1
        raise
    else:
        report.exit_code = EXIT_CODES[report.state]
    finally:
        report.ended_at = datetime.now(UTC).isoformat(timespec="seconds")
        run.runs.write(report)


@dataclass
class _Run:
    """A run under way."""

    config: Config
    train: Train
    report: RunReport
    runs: Runs
    versions: Versions
    steps: Steps

    def go(self) -> None:
        """From where the run stands to its end."""
        report = self.report
        if report.version is not None and report.version in self.versions.names:
            self._publish(self.versions.home / report.version)  # killed while it was let in
            return
        self._prepare()
        waiting = self._train()
        in_use = _open_in_use(self.versions)
        report.in_use = in_use.version if isinstance(in_use, Bundle) else None
        with in_use if isinstance(in_use, Bundle) else nullcontext():
            refusals = self._gate(waiting, in_use)
            if not refusals and isinstance(in_use, Bundle):
                refusals = self._shadow(waiting, in_use)
            elif not refusals:
                self.steps.skip(SHADOW, "there is no bundle in use to compare with")
        if refusals:
            self._decide("kept", *refusals)
            return
        self._publish(waiting)

    def _prepare(self) -> None:
        manifest = self.config.prepared_path / c.MANIFEST_FILE
        known = self.report.dataset.get("manifest_sha256")
        if known is not None and manifest.is_file() and file_sha256(manifest) == known:
            self.steps.skip(PREPARE, "the run prepared it before it was stopped")
            return
        self.report.version = None  # a version of another dataset would be refused by the gate
        with self._step(PREPARE) as (step, record):
            prepare(self.config, step.console)
            dataset = PreparedDataset.load(self.config.prepared_path)
            self.report.dataset = {
                "manifest_sha256": file_sha256(manifest),
                "users": dataset.n_users,
                "items": dataset.n_items,
                "interactions": len(dataset.interactions),
            }
            record.says = f"{dataset.n_users} users, {dataset.n_items} items, {len(dataset.interactions)} interactions"

    def _train(self) -> Path:
        """Folder of the new version, which waits."""
        if self.report.version is not None:
            waiting = self.versions.home / f"{WAITING_PREFIX}{self.report.version}"
            if (waiting / MANIFEST_FILE).is_file():
                self.steps.skip(TRAIN, "the run trained before it was stopped")
                return waiting
        resume = self.report.has_begun(TRAIN)
        with self._step(TRAIN) as (step, record):
            path = self._trained(step.console, resume)
            self.report.version = path.name.removeprefix(WAITING_PREFIX)
            record.says = f"version {self.report.version}"
        return path

    def _trained(self, console: Console, resume: bool) -> Path:
        warm = self._warm_from()
        try:
            path = self.train(self.config, resume=resume, console=console, current=False, warm_from=warm)
        except TrainingError as error:
            if not resume:
                raise
            console.print(escape(f"Training begins anew: {error.got}"), soft_wrap=True)
            path = self.train(self.config, resume=False, console=console, current=False, warm_from=warm)
        if path is None:
            raise TrainingError("the process that writes the bundle", "a worker beside it", "retrain in one process")
        return path

    def _warm_from(self) -> Path | None:
        """The version in use when the run began, if training starts from the one in use; None: what the setting says.

        A run that is gone on with starts from the same one, though another is in use by now.
        """
        if self.config.training.warm_start != "current":
            return None
        home = self.versions.home
        if self.report.warm_from not in self.versions.names:
            self.report.warm_from = self.versions.in_use
            self.runs.write(self.report)
        return None if self.report.warm_from is None else home / self.report.warm_from

    def _gate(self, waiting: Path, in_use: Bundle | str) -> list[str]:
        """Why the new version is refused."""
        with self._step(GATE) as (step, record):
            dataset = PreparedDataset.load(self.config.prepared_path)
            found = gate(waiting, in_use, dataset, self.config, step)
            self.report.gate = {"passed": found.passed, **asdict(found)}
            for check in found.checks:
                step.print(escape(f"{'passed' if check.passed else 'REFUSED'}: {check.says}"))
            record.says = "passed" if found.passed else f"{len(found.refusals)} checks refused it"
        return found.refusals

    def _shadow(self, waiting: Path, in_use: Bundle) -> list[str]:
        """Why the new version is refused."""
        with self._step(SHADOW) as (step, record), open_bundle(waiting, verify="quick") as new:
            stores = open_inputs(self.config.data).stores
            with open_store(stores[0]) if stores else nullcontext() as store:
                found = shadow(store, in_use, new, self.config.shadow, seed=self.config.seed, now=time.time())
            self.report.shadow = found.as_json()
            print_shadow(step.console, found)
            record.says = found.says
        return list(found.refusals)

    def _publish(self, waiting: Path) -> None:
        version, keep = self._new_version(), max(self.config.bundle.keep, LEAST_KEPT)
        with self._step(PUBLISH) as (step, record):
            if self.config.retrain.publish == "candidate":
                self.versions.add_candidate(waiting, version)
                self._decide("candidate", f"{version} passed; no server takes it before it is promoted.")
            else:
                try:
                    self.versions.publish(waiting, version, "retrain", keep=keep, instead_of=self.report.in_use)
                except BundleError as error:
                    self._decide("kept", str(error))
                else:
                    self._decide("published", f"{version} passed and is in use now.")
            record.says = self.report.reasons[0]
            step.print(escape(record.says))

    def _new_version(self) -> str:
        if self.report.version is None:
            raise ValueError("there is no new version yet")
        return self.report.version

    def _decide(self, state: State, *reasons: str) -> None:
        self.report.state, self.report.reasons = state, list(reasons)

    @contextmanager
    def _step(self, name: str) -> Iterator[tuple[Step, StepRecord]]:
        """A step, in the terminal and in the report; the report is written when it begins and when it ended."""
        record = StepRecord(name=name, started_at=datetime.now(UTC).isoformat(timespec="seconds"))
        self.report.steps.append(record)
        self.runs.write(self.report)
        started = time.monotonic()
        with self.steps.step(name) as step:
            yield step, record
        record.seconds = round(time.monotonic() - started, 1)
        self.runs.write(self.report)


def _open_in_use(versions: Versions) -> Bundle | str:
    """The bundle in use, or why there is none to compare with."""
    if versions.in_use is None:
        return "There is no bundle in use: the first one needs to be no better than any."
    try:
        return open_bundle(versions.home)
    except BundleError as error:
        return f"The bundle in use cannot be opened, so anything sound is better than it: {error}"
