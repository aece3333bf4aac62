"""The run folder: lock, starting anew, log."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from recsys.config import Config, parse_config
from recsys.core.errors import TrainingError
from recsys.train.run_folder import RunFolder

HOLD_LOCK = """
import sys, time
from pathlib import Path
from recsys.train.run_folder import RunFolder
with RunFolder(Path(sys.argv[1])).locked():
    print("locked", flush=True)
    time.sleep(600)
"""


def config(**sections: dict[str, object]) -> Config:
    data = {"format": "events", "interactions": ["x"]}
    return parse_config({"name": "tiny", "data": data, **sections}, "test")


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "runs/tiny")


def test_another_process_is_kept_out_until_it_dies(run: RunFolder) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD_LOCK, str(run.path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(TrainingError, match=f"process {holder.pid} "), run.locked():
            pass
    finally:
        holder.kill()
        holder.wait()
    with run.locked():
        pass


def test_the_settings_of_a_run_are_kept_in_full(run: RunFolder) -> None:
    run.start(config(training={"epochs": 7}), {"dataset": "abc"})
    kept = yaml.safe_load((run.path / "config.yaml").read_text())
    assert parse_config(kept, "kept") == config(training={"epochs": 7})
    run.check_resumable(config(training={"epochs": 7}), {"dataset": "abc"})


def test_starting_anew_keeps_one_run_before(run: RunFolder) -> None:
    for epochs in (1, 2, 3):
        run.start(config(training={"epochs": epochs}), {})
        run.write_log([{"epoch": epochs}])
    previous = run.path.with_name("tiny.previous")
    assert yaml.safe_load((run.path / "config.yaml").read_text())["training"]["epochs"] == 3
    assert json.loads((previous / "log.jsonl").read_text()) == {"epoch": 2}
    assert sorted(path.name for path in run.path.parent.iterdir()) == ["tiny", "tiny.previous"]


@pytest.mark.parametrize(
    ("section", "key", "value", "shapes_weights"),
    [
        ("training", "epochs", 3, True),
        ("training", "early_stopping_patience", 9, True),
        ("training", "run_dir", "elsewhere", False),
        ("training", "checkpoint_minutes", 1.0, False),
        ("model", "dim", 32, True),
        ("text", "max_tokens", 32, True),
        ("text", "cache_dir", "elsewhere", False),
        ("ranking", "damping", 1.0, True),
        ("ranking", "prefix_share", 0.2, True),
        ("ranking", "candidates", 50, False),
        ("ranking", "epochs", 0, False),
        ("retrieval", "trials", 3, False),
        ("index", "min_recall", 0.5, False),
        ("bundle", "keep", 9, False),
        ("evaluation", "bootstrap_samples", 10, False),
    ],
)
def test_only_settings_that_shape_the_weights_must_stay(
    section: str, key: str, value: object, shapes_weights: bool, run: RunFolder
) -> None:
    run.start(config(), {})
    changed = config(**{section: {key: value}})
    assert changed != config()
    if not shapes_weights:
        run.check_resumable(changed, {})
        return
    with pytest.raises(TrainingError) as caught:
        run.check_resumable(changed, {})
    assert caught.value.got.startswith(f"{section}.{key}: ")
    assert ";" not in caught.value.got


def test_a_run_killed_while_starting_is_no_run(run: RunFolder) -> None:
    run.checkpoints.mkdir(parents=True)
    with pytest.raises(TrainingError, match="without --resume"):
        run.check_resumable(config(), {})


@pytest.mark.parametrize("written", [0, 1])
def test_a_start_that_is_cut_off_leaves_the_run_before(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    run.start(config(), {"dataset": "abc"})
    write, left = Path.write_text, [written]

    def cut_off(path: Path, *arguments: str) -> int:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return write(path, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", cut_off)
        with pytest.raises(KeyboardInterrupt):
            run.start(config(training={"epochs": 9}), {})
    run.check_resumable(config(), {"dataset": "abc"})
    assert run.start(config(training={"epochs": 9}), {})
    run.check_resumable(config(training={"epochs": 9}), {})
