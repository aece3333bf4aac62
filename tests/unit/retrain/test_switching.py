"""`recsys retrain`, `promote` and `rollback` as commands: what they print, their exit codes, what they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from recsys import cli
from recsys.bundle.versions import Versions
from recsys.cli import retraining
from recsys.config import load_config
from recsys.retrain.lock import one_at_a_time
from tests.support.retraining import make_config, stand_in, write_log


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config file, and a `recsys retrain` for which training is stood in."""
    monkeypatch.setattr(retraining, "train_when_needed", stand_in)
    write_log(tmp_path)
    path = tmp_path / "shop.yaml"
    settings = make_config(tmp_path).model_dump(mode="json", exclude_defaults=True)
    path.write_text(yaml.safe_dump(settings))
    return path


class Run:
    """A command, what it printed and its exit code."""

    def __init__(self, capsys: pytest.CaptureFixture[str], name: str, config: Path, *more: str) -> None:
        capsys.readouterr()
        self.code = cli.main([name, "--config", str(config), *more])
        self.out, self.err = capsys.readouterr()

    @property
    def said(self) -> Any:
        """The one line of JSON."""
        (line,) = self.out.splitlines()
        return json.loads(line)


def test_a_scheduler_reads_one_line_of_json_and_the_exit_code(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = Run(capsys, "retrain", config, "--json")
    assert first.code == 0
    assert (first.said["decision"], first.said["exit_code"], first.said["in_use"]) == ("published", 0, None)
    assert json.loads(Path(first.said["report"]).read_text())["version"] == first.said["version"]
    assert "Prepare the dataset" in first.err

    worse = Run(capsys, "retrain", config, "--json", "--set", "seed=1")
    assert (worse.code, worse.said["decision"], worse.said["exit_code"]) == (10, "kept", 10)
    assert worse.said["in_use"] == first.said["version"]
    assert any("ndcg@10" in reason for reason in worse.said["reasons"])

    with one_at_a_time(load_config(config).bundle_path):
        second = Run(capsys, "retrain", config, "--json")
    assert (second.code, second.said["decision"]) == (11, "under way")

    (config.parent / "events.csv").unlink()
    failed = Run(capsys, "retrain", config, "--json")
    assert (failed.code, failed.said["decision"], failed.said["exit_code"]) == (3, "failed", 3)
    assert "events.csv" in failed.said["error"]
    assert "DataError" in failed.err


@pytest.mark.parametrize(("command", "more"), [("retrain", ()), ("promote", ("v",)), ("rollback", ())])
def test_schedulers_read_of_a_config_with_a_fault(
    config: Path, capsys: pytest.CaptureFixture[str], command: str, more: tuple[str, ...]
) -> None:
    config.write_text(config.read_text() + "\nnonsense: 1\n")
    failed = Run(capsys, command, config, *more, "--json")
    assert (failed.code, failed.said["exit_code"]) == (2, 2)
    assert "nonsense" in failed.said["error"]


def test_people_read_what_was_decided_and_why(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is in use now" in Run(capsys, "retrain", config).out
    kept = Run(capsys, "retrain", config, "--set", "seed=1")
    assert "The bundle in use stays: ndcg@10 is" in kept.out
    assert "REFUSED: ndcg@10" in kept.out


def test_a_candidate_is_promoted_and_rolled_back(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = Run(capsys, "retrain", config, "--json").said["version"]
    candidate = Run(capsys, "retrain", config, "--json", "--set", "retrain.publish=candidate").said
    assert (candidate["decision"], candidate["in_use"]) == ("candidate", first)
    promoted = Run(capsys, "promote", config, candidate["version"], "--json")
    assert promoted.said == {
        "in_use": candidate["version"],
        "before": first,
        "candidates": [],
        "versions": [first, candidate["version"]],
    }
    back = Run(capsys, "rollback", config)
    assert back.code == 0
    assert back.out.splitlines()[0] == f"In use: {first}"
    assert [use.by for use in Versions(load_config(config).bundle_path).record.uses] == [
        "retrain",
        "promote",
        "rollback",
    ]
    nothing = Run(capsys, "rollback", config, "--json")
    assert (nothing.code, nothing.said["exit_code"]) == (5, 5)
    assert "none that is still there" in nothing.err
    forth = Run(capsys, "rollback", config, "--to", candidate["version"], "--json")
    assert forth.said["in_use"] == candidate["version"]


def test_what_the_gate_refused_can_be_promoted_until_the_next_run(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Run(capsys, "retrain", config)
    refused = Run(capsys, "retrain", config, "--json", "--set", "seed=1").said["version"]
    assert Run(capsys, "promote", config, refused, "--json").said["in_use"] == refused


@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_damaged_and_missing_versions_are_refused(
    config: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    first = Run(capsys, "retrain", config, "--json").said["version"]
    second = Run(capsys, "retrain", config, "--json").said["version"]
    home = load_config(config).bundle_path
    names = {"promote": ["nothing"], "rollback": ["--to", "nothing"]}
    missing = Run(capsys, command, config, *names[command])
    assert missing.code == 5
    assert first in missing.err
    file = home / first / "item_embeddings.npy"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    damaged = Run(capsys, command, config, *([first] if command == "promote" else []))
    assert damaged.code == 5
    assert "item_embeddings.npy" in damaged.err
    assert Versions(home).in_use == second
