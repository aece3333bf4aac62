"""The steps of a retraining: prepare, look for drift, train, gate, shadow, publish; or the bundle in use stays."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.markup import escape

from recsys.bundle import Bundle, open_bundle
from recsys.bundle.layout import MANIFEST_FILE, WAITING_PREFIX
from recsys.bundle.manifest import file_sha256
from recsys.bundle.versions import Versions
from recsys.config import Config
from recsys.core.errors import BundleError, TrainingError
from recsys.core.progress import Step, Steps
from recsys.measure.drift import drift
from recsys.measure.gate.gate import gate
from recsys.measure.shadow import shadow
from recsys.prepare import columns as c
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset
from recsys.prepare.stores import store_of
from recsys.report.drifted import print_drift
from recsys.report.replayed import print_shadow
from recsys.retrain.experiments import in_experiments
from recsys.retrain.report import RunReport, Runs, State, StepRecord
from recsys.store import Store, StoreError, StoreUnavailable

PREPARE = "Prepare the dataset"
DRIFT = "Look how far the shop has moved"
TRAIN = "Train"
GATE = "Compare with the bundle in use"
SHADOW = "Replay served lists"
PUBLISH = "Publish"
STEPS = (PREPARE, DRIFT, TRAIN, GATE, SHADOW, PUBLISH)

LEAST_KEPT = 2  # versions: the one in use, and one to go back to


class Train(Protocol):
    """`recsys.train.job.train`."""

    def __call__(
        self, config: Config, *, resume: bool, console: Console, current: bool, warm_from: Path | None
    ) -> Path | None:
        """Train on the config's prepared dataset; the folder of the version."""


@dataclass
class Run:
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
        with _in_use(self.versions) as in_use:
            refusals = self._drift(in_use)
        if not refusals:
            waiting = self._train()
            with _in_use(self.versions) as in_use:  # maybe another one by now
                report.in_use = in_use.version if isinstance(in_use, Bundle) else None
                refusals = self._gate(waiting, in_use) or self._shadow(waiting, in_use)
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
        if self.report.version is not None:  # of another dataset, so the gate would refuse it
            self.report.version = None
            self.versions.remove_waiting()
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

    def _drift(self, in_use: Bundle | str) -> list[str]:
        """Why nothing is to be published; empty unless `drift.refuse` says otherwise."""
        if isinstance(in_use, str):
            self.steps.skip(DRIFT, "there is no bundle in use that it could have moved from")
            return []
        with self._step(DRIFT) as (step, record), self._store(step) as store:
            dataset = PreparedDataset.load(self.config.prepared_path)
            found = drift(in_use, dataset, store, self.config.drift, seed=self.config.seed, until=time.time())
            self.report.drift = found.as_json()
            print_drift(step.console, found)
            record.says = found.says
        return list(found.refusals)

    def _train(self) -> Path:
        """Folder of the new version, which waits."""
        if self.report.version is not None:
            waiting = self.versions.waiting_folder(self.report.version)
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

    def _shadow(self, waiting: Path, in_use: Bundle | str) -> list[str]:
        """Why the new version is refused."""
        if isinstance(in_use, str):
            self.steps.skip(SHADOW, "there is no bundle in use to compare with")
            return []
        with self._step(SHADOW) as (step, record), open_bundle(waiting, verify="quick") as new:
            with self._store(step) as store:
                found = shadow(store, in_use, new, self.config.shadow, seed=self.config.seed, now=time.time())
            self.report.shadow = found.as_json()
            print_shadow(step.console, found)
            record.says = found.says
        return list(found.refusals)

    @contextmanager
    def _store(self, step: Step) -> Iterator[Store | None]:
        """The first store among the inputs; None: there is none, or it does not answer."""
        try:
            opened = self._opened_store()
        except (StoreError, StoreUnavailable) as error:
            step.print(escape(f"The store is not read: {error.got}"))
            opened = nullcontext()
        with opened as store:
            yield store

    def _opened_store(self) -> AbstractContextManager[Store | None]:
        return store_of(self.config.data) or nullcontext()

    def _in_experiments(self) -> set[str]:
        """Versions that experiments need."""
        names = self.versions.names
        try:
            with self._opened_store() as store:
                return in_experiments(store, names)
        except (StoreError, StoreUnavailable):  # nobody knows: any of them may be
            return set(names)

    def _publish(self, waiting: Path) -> None:
        version, keep = self._new_version(), max(self.config.bundle.keep, LEAST_KEPT)
        with self._step(PUBLISH) as (step, record):
            spared = self._in_experiments()
            if self.config.retrain.publish == "candidate":
                kept = self.config.retrain.keep_candidates
                self.versions.add_candidate(waiting, version, keep=kept, spared=spared)
                self._decide("candidate", f"{version} passed; no server takes it before it is promoted.")
            else:
                try:
                    self.versions.publish(
                        waiting, version, "retrain", keep=keep, spared=spared, instead_of=self.report.in_use
                    )
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


@contextmanager
def _in_use(versions: Versions) -> Iterator[Bundle | str]:
    """The bundle in use, open, or why there is none to compare with."""
    if versions.in_use is None:
        yield "There is no bundle in use: the first one needs to be no better than any."
        return
    try:
        opened = open_bundle(versions.home)
    except BundleError as error:
        yield f"The bundle in use cannot be opened, so anything sound is better than it: {error}"
        return
    with opened:
        yield opened
