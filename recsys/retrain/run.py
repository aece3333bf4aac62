"""A retraining from its lock to its report, and what becomes of one that was killed.

    a run that is killed ─ the bundle in use serves on ─► the next run goes on with it, or clears away what it left

Until the last step, nothing is changed that a server reads: a new version waits in a folder that no server looks at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from rich.console import Console

from recsys import __version__
from recsys.bundle import require_writable
from recsys.bundle.versions import Versions
from recsys.config import Config
from recsys.core.errors import RecsysError
from recsys.core.progress import Steps
from recsys.retrain.lock import one_at_a_time
from recsys.retrain.report import RunReport, Runs, State, this_process
from recsys.retrain.steps import STEPS, Run, Train

KEPT = 10  # exit code: the run is done, and the bundle in use stays
EXIT_CODES: dict[State, int] = {"published": 0, "candidate": 0, "kept": KEPT}
# Sections that shape neither the dataset nor the model: a run may be gone on with though they changed.
_FREE = {"evaluation", "gate", "shadow", "drift", "retrain", "bundle"}


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
        waiting = None if report.version is None else versions.waiting_folder(report.version)
        for name in versions.remove_waiting(except_for=waiting):
            console.print(f"Removed {name}, which was never let in", soft_wrap=True)
        runs.remove_old(config.retrain.keep_reports)
        run = Run(config, train, report, runs, versions, Steps(console, STEPS))
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
def _told_at_the_end(run: Run) -> Iterator[None]:
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
