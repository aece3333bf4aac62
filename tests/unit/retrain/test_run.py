"""A retraining from raw log to published bundle, or not; training is stood in for, everything else is real."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recsys.bundle.versions import Versions
from recsys.core.errors import DataError, TrainingError
from recsys.retrain import steps
from recsys.retrain.lock import UnderWayError, one_at_a_time
from recsys.retrain.report import RunReport, Runs
from recsys.retrain.steps import GATE, PREPARE, PUBLISH, TRAIN
from tests.support.retraining import MOMENTS, in_use, make_config, retrain, stand_in, write_log

REPOSITORY = Path(__file__).parents[3]
ALL_MOMENTS = ["prepare", "prepared", "trained", *list(MOMENTS)[2:], "reported"]


def report_of(config: Any) -> dict[str, Any]:
    """The newest report, as it lies on disk."""
    runs = Runs(config.retrain_path)
    last = runs.last()
    assert last is not None
    return json.loads(runs.file_of(last.id).read_text())


def test_the_first_bundle_is_published_without_a_comparison(tmp_path: Path) -> None:
    write_log(tmp_path)
    config = make_config(tmp_path)
    report = retrain(config)
    assert (report.state, report.exit_code, report.in_use) == ("published", 0, None)
    with in_use(config) as bundle:
        assert bundle.version == report.version
    written = report_of(config)
    assert (written["state"], written["seed"], written["dataset"]["users"]) == ("published", 0, 60)
    assert [step["name"] for step in written["steps"]] == [PREPARE, TRAIN, GATE, PUBLISH]
    assert all(step["seconds"] >= 0 for step in written["steps"])
    comparison = {check["name"]: check["says"] for check in written["gate"]["checks"]}["comparison"]
    assert "no bundle in use" in comparison


def test_as_good_a_bundle_is_published_and_a_worse_one_is_not(tmp_path: Path) -> None:
    write_log(tmp_path)
    first = retrain(make_config(tmp_path))
    write_log(tmp_path, users=80)
    second = retrain(make_config(tmp_path))
    versions = Versions(make_config(tmp_path).bundle_path)
    assert (second.state, second.in_use) == ("published", first.version)
    assert (versions.in_use, versions.before) == (second.version, first.version)

    worse = make_config(tmp_path, seed=1)
    third = retrain(worse)
    assert (third.state, third.exit_code, versions.in_use) == ("kept", 10, second.version)
    (quality,) = [check for check in report_of(worse)["gate"]["checks"] if check["name"] == "quality"]
    assert not quality["passed"]
    assert quality["value"] < quality["threshold"] < 0
    assert quality["says"] in third.reasons
    assert [path.name for path in versions.waiting] == [f".waiting-{third.version}"], "for a look, until the next run"

    retrain(make_config(tmp_path))
    assert not versions.waiting


def test_drift_is_reported_and_refuses_before_anything_is_trained_where_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_log(tmp_path)
    config = make_config(tmp_path)
    first = retrain(config)
    assert report_of(config)["drift"] is None, "there is nothing that it could have moved from"
    second = retrain(config)
    assert second.state == "published"
    assert report_of(config)["drift"]["refusals"] == []

    found = steps.drift
    monkeypatch.setattr(steps, "drift", lambda *a, **k: replace(found(*a, **k), refusals=("All users are new.",)))
    third = retrain(config, lambda *_, **__: pytest.fail("trained for nothing"))
    assert (third.state, third.reasons, third.version) == ("kept", ["All users are new."], None)
    assert Versions(config.bundle_path).in_use == second.version != first.version


def test_a_candidate_is_written_and_the_bundle_in_use_stays(tmp_path: Path) -> None:
    write_log(tmp_path)
    first = retrain(make_config(tmp_path))
    config = make_config(tmp_path, retrain={"dir": str(tmp_path / "retrain"), "publish": "candidate"})
    second = retrain(config)
    versions = Versions(config.bundle_path)
    assert (second.state, second.exit_code) == ("candidate", 0)
    assert (versions.in_use, versions.candidates) == (first.version, [second.version])


def test_a_bundle_in_use_that_cannot_be_opened_is_replaced(tmp_path: Path) -> None:
    write_log(tmp_path)
    config = make_config(tmp_path)
    first = retrain(config)
    assert first.version is not None
    (config.bundle_path / first.version / "item_embeddings.npy").write_bytes(b"damaged")
    second = retrain(config)
    assert (second.state, second.in_use) == ("published", None)
    assert any("cannot be opened" in check["says"] for check in report_of(config)["gate"]["checks"])


def test_what_changed_during_the_run_is_not_overwritten(tmp_path: Path) -> None:
    write_log(tmp_path)
    config = make_config(tmp_path)
    first, second = retrain(config), retrain(config)
    versions = Versions(config.bundle_path)

    def roll_back_meanwhile(*given: Any, **named: Any) -> Path:
        path = stand_in(*given, **named)
        publish = versions.__class__.publish

        def publish_after(self: Versions, *arguments: Any, **keywords: Any) -> None:
            versions.use(str(first.version), "rollback")
            publish(self, *arguments, **keywords)

        monkey.setattr(Versions, "publish", publish_after)
        return path

    with pytest.MonkeyPatch.context() as monkey:
        third = retrain(config, roll_back_meanwhile)
    assert third.state == "kept"
    assert f"{second.version} in use" in third.reasons[0]
    assert versions.in_use == first.version


def test_a_bundle_is_compared_with_the_one_in_use_after_training(tmp_path: Path) -> None:
    write_log(tmp_path)
    config = make_config(tmp_path)
    first = retrain(config)
    retrain(config)

    def roll_back_meanwhile(*given: Any, **named: Any) -> Path:
        Versions(config.bundle_path).use(str(first.version), "rollback")
        return stand_in(*given, **named)

    third = retrain(config, roll_back_meanwhile)
    assert (third.state, third.in_use) == ("published", first.version)
    assert report_of(config)["gate"]["compared_with"] == first.version


def test_a_second_run_ends_at_once(tmp_path: Path) -> None:
    write_log(tmp_path)
    config = make_config(tmp_path)
    config.bundle_path.mkdir(parents=True)
    with one_at_a_time(config.bundle_path), pytest.raises(UnderWayError, match="no other retraining") as refused:
        retrain(config)
    assert refused.value.exit_code == 11
    assert Runs(config.retrain_path).last() is None
    assert retrain(config).state == "published"


def test_an_error_of_a_step_is_in_the_report_and_the_bundle_stays(tmp_path: Path) -> None:
    write_log(tmp_path)
    config = make_config(tmp_path)
    first = retrain(config)

    def fail(*_: Any, **__: Any) -> Path:
        raise TrainingError("a finite loss", "nan", "lower the learning rate")

    with pytest.raises(TrainingError):
        retrain(config, fail)
    assert (report_of(config)["state"], report_of(config)["exit_code"]) == ("failed", 4)
    assert "finite loss" in report_of(config)["reasons"][0]
    (tmp_path / "events.csv").unlink()
    with pytest.raises(DataError):
        retrain(config)
    assert (report_of(config)["state"], report_of(config)["exit_code"]) == ("failed", 3)
    assert Versions(config.bundle_path).in_use == first.version


def test_an_interrupted_training_is_resumed_and_one_that_cannot_be_begins_anew(tmp_path: Path) -> None:
    write_log(tmp_path)
    config = make_config(tmp_path)
    asked: list[bool] = []

    def interrupted(*_: Any, resume: bool, **__: Any) -> Path:
        asked.append(resume)
        raise KeyboardInterrupt

    def cannot_resume(*given: Any, resume: bool, **named: Any) -> Path:
        asked.append(resume)
        if resume:
            raise TrainingError("a run to resume", "none there", "start it anew")
        return stand_in(*given, resume=resume, **named)

    with pytest.raises(KeyboardInterrupt):
        retrain(config, interrupted)
    first = report_of(config)
    assert first["state"] == "interrupted"
    report = retrain(config, cannot_resume)
    assert asked == [False, True, False]
    assert (report.id, report.resumed, report.state) == (first["id"], 1, "published")
    assert [step.name for step in report.steps] == [PREPARE, TRAIN, TRAIN, GATE, PUBLISH], "prepared once"


@pytest.mark.parametrize("change", ["settings", "age", "program"])
def test_a_run_of_other_settings_or_long_ago_is_not_gone_on_with(tmp_path: Path, change: str) -> None:
    write_log(tmp_path)
    config = make_config(tmp_path)

    def interrupted(*_: Any, **__: Any) -> Path:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retrain(config, interrupted)
    runs = Runs(config.retrain_path)
    before = runs.last()
    assert before is not None
    if change == "age":
        before.started_at = (datetime.now(UTC) - timedelta(hours=13)).isoformat()
    if change == "program":
        before.program = "0.0.0"
    runs.write(before)
    after = retrain(make_config(tmp_path, seed=2) if change == "settings" else config)
    assert (after.id != before.id, after.resumed, after.state) == (True, 0, "published")
    abandoned = msgspec.json.decode(runs.file_of(before.id).read_bytes(), type=RunReport)
    assert abandoned.state == "abandoned"


def test_old_reports_are_removed_and_unreadable_ones_passed_over(tmp_path: Path) -> None:
    write_log(tmp_path)
    config = make_config(tmp_path, retrain={"dir": str(tmp_path / "retrain"), "keep_reports": 2})
    for _ in range(3):
        retrain(config)
    runs = Runs(config.retrain_path)
    assert len(list(runs.path.iterdir())) == 2
    last = runs.last()
    assert last is not None
    runs.file_of(last.id).write_text("{}")
    before = runs.last()
    assert before is not None
    assert before.id < last.id


def killed(folder: Path, moments: list[str]) -> None:
    """Retrain in folder/MOMENT for each of them, and be killed there."""
    command = [sys.executable, "-m", "tests.support.retraining", str(folder), *moments]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == [str(int(signal.SIGKILL))] * len(moments), ended.stderr


def check_killed(folder: Path, moment: str, before: str | None) -> None:
    """The old bundle is in use and whole, or the new one is; the next run ends what was begun and clears up."""
    config, versions = make_config(folder), Versions(make_config(folder).bundle_path)
    was_published = moment in ("switched", "remove_old", "reported")
    with in_use(config) as bundle:
        assert (bundle.version != before) == was_published, moment
    stopped = report_of(config)
    assert stopped["state"] == "running", moment
    report = retrain(config)
    assert (report.state, report.id, report.resumed) == ("published", stopped["id"], 1), moment
    if stopped["version"] is not None:
        assert report.version == stopped["version"], "what was trained is not trained again"
    with in_use(config) as bundle:
        assert bundle.version == report.version
    assert versions.before == before
    assert not versions.waiting, moment
    assert not list(versions.home.glob(".writing-*")), moment


def play(tmp_path: Path, moments: list[str]) -> None:
    before = {}
    for moment in moments:
        write_log(tmp_path / moment)
        before[moment] = retrain(make_config(tmp_path / moment)).version
        write_log(tmp_path / moment, users=80)
    killed(tmp_path, moments)
    for moment in moments:
        check_killed(tmp_path / moment, moment, before[moment])


def test_killed_in_training_or_while_it_is_published_the_next_run_ends_it(tmp_path: Path) -> None:
    play(tmp_path, ["trained", "switch"])


@pytest.mark.slow
def test_killed_in_any_step_the_next_run_ends_it(tmp_path: Path) -> None:
    play(tmp_path, ALL_MOMENTS)


def test_training_starts_from_the_bundle_in_use_when_the_run_began(tmp_path: Path) -> None:
    write_log(tmp_path)
    config = make_config(tmp_path, training={"run_dir": str(tmp_path / "runs"), "warm_start": "current"})
    asked: list[Path | None] = []

    def train(*given: Any, warm_from: Path | None, **named: Any) -> Path:
        asked.append(warm_from)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return stand_in(*given, **named)

    first = str(retrain(config, train).version)
    with pytest.raises(KeyboardInterrupt):
        retrain(config, train)
    stand_in(config, current=True)  # somebody else trains meanwhile
    retrain(config, train)
    retrain(make_config(tmp_path), train)
    home = config.bundle_path
    assert asked == [None, home / first, home / first, None]
