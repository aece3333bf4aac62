"""The commands: their options, what they pass on, what they load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recsys.cli import app, main
from recsys.config import Config

ROOT = Path(__file__).parents[3]
COMMANDS = [
    "inspect",
    "prepare",
    "train",
    "retrain",
    "promote",
    "rollback",
    "evaluate",
    "outcomes",
    "serve",
    "demo",
    "sample",
]
SCRIPTS = {"prepare_data.py": "prepare", "train.py": "train", "evaluate.py": "evaluate", "demo.py": "demo"}
# Any of them would make help wait.
HEAVY = {"tensorflow", "pandas", "numpy", "numba", "scann", "duckdb", "yaml", "fastapi", "onnxruntime", "sqlalchemy"}


class Recorder:
    """Stands in for what a command calls, and keeps what it was called with."""

    def __init__(self, answer: object = None) -> None:
        self.positional: tuple[Any, ...] = ()
        self.named: dict[str, Any] = {}
        self.answer = answer

    def __call__(self, *positional: Any, **named: Any) -> object:
        self.positional, self.named = positional, named
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "c.yaml"
    path.write_text("name: tiny\ndata:\n  format: amazon_2018\n  interactions: [reviews.json.gz]\n")
    return str(path)


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setitem(sys.modules, "recsys.train.job", SimpleNamespace(train=recorder))
    return recorder


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", ""),
        ("train --config c --resume", "train --config c --resume"),
        ("train --set a=1", "train --set a=1"),
        ("train --set a=1 b=2 --resume", "train --set a=1 --set b=2 --resume"),
        ("train --set a=1 --set b=2 c=3", "train --set a=1 --set b=2 --set c=3"),
        ("evaluate --seeds x y --set a=1 b=2", "evaluate --seeds x --seeds y --set a=1 --set b=2"),
        ("evaluate --config c stray", "evaluate --config c stray"),
    ],
)
def test_several_values_may_follow_an_option(given: str, expected: str) -> None:
    assert list(app.repeated(given.split())) == expected.split()


def test_overrides_may_repeat(config: str, training: Recorder) -> None:
    assert main(["train", "--config", config, "--set", "seed=3", "training.epochs=2", "--set", "model.dim=32"]) == 0
    (settings,) = training.positional
    assert isinstance(settings, Config)
    assert (settings.seed, settings.training.epochs, settings.model.dim) == (3, 2, 32)
    assert training.named == {"resume": False}


def test_resume_reaches_training(config: str, training: Recorder) -> None:
    assert main(["train", "--resume", "--config", config]) == 0
    assert training.named == {"resume": True}


def test_allow_truncated_is_a_setting(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    monkeypatch.setattr("recsys.prepare.prepare.prepare", recorder)
    for options, expected in ([], False), (["--allow-truncated", "--set", "data.threads=1"], True):
        assert main(["prepare", "--config", config, *options]) == 0
        (settings,) = recorder.positional
        assert settings.data.allow_truncated is expected


def test_options_of_evaluate_reach_it(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    monkeypatch.setattr("recsys.cli.evaluation.evaluate_and_report", recorder)
    options = "--bundle b --split validation --retrievers als,,ease --seeds x y --recommendations r.parquet --figures f"
    options += " --rules r.yaml --scenario home --outcomes s.db --outcomes-days 3"
    assert main(["evaluate", "--config", config, *options.split()]) == 0
    assert recorder.named == {
        "command": f"recsys evaluate --config {config} {options}",
        "bundle": Path("b"),
        "split": "validation",
        "retrievers": ["als", "ease"],
        "seeds": [Path("x"), Path("y")],
        "recommendations": Path("r.parquet"),
        "figures": Path("f"),
        "rules": Path("r.yaml"),
        "scenario": "home",
        "store": "s.db",
        "outcome_days": 3.0,
    }
    assert main(["evaluate", "--config", config]) == 0
    assert recorder.named["split"] == "test"
    assert recorder.named["retrievers"] is None
    assert recorder.named["seeds"] == []


@pytest.mark.parametrize("options", [["--port", "0", "--bundle", "b"], ["--help"], ["-h"], []])
def test_options_of_the_server_are_its_own(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(answer=5)
    monkeypatch.setattr("serve.__main__.main", recorder)
    assert main(["serve", *options]) == 5
    assert recorder.positional == (options,)


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"],
        ["train", "--config"],
        ["train", "--confg", "x"],
        ["no_such_command"],
        ["evaluate", "--split", "train"],
    ],
)
def test_wrong_options_are_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert "Error: " in printed.err
    assert "Traceback" not in printed.err


def test_a_missing_config_is_told_before_anything_heavy_loads(training: Recorder) -> None:
    assert main(["train", "--config", "nowhere.yaml"]) == 2
    assert training.positional == ()


def test_an_interrupted_command_ends_like_a_signal(
    config: str, training: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    training.answer = KeyboardInterrupt()
    assert main(["train", "--config", config]) == 130
    assert capsys.readouterr().err.endswith("Interrupted.\n")


def run_python(*arguments: str) -> str:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_help_loads_nothing_heavy() -> None:
    names = [name for name in COMMANDS if name != "serve"]  # whose help is the server's own
    code = (
        "import sys; from recsys.cli import main\n"
        f"assert not any(main([*command, '--help']) for command in {[[], *([name] for name in names)]})\n"
        f"print('loaded', sorted(set(sys.modules) & {HEAVY}))"
    )
    printed = run_python("-c", code)
    assert all(f"Usage: recsys {name}" in printed for name in names)
    assert printed.endswith("loaded []\n")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_its_command(script: str) -> None:
    assert run_python(script, "--help") == run_python("-m", "recsys", SCRIPTS[script], "--help")


def test_the_serve_command_loads_no_training_side() -> None:
    code = (
        "import sys; from recsys.cli import main\n"
        "main(['serve', '--help'])\n"
        "print('loaded', sorted(set(sys.modules) & {'tensorflow', 'pandas', 'recsys.config', 'recsys.train'}))"
    )
    assert run_python("-c", code).endswith("loaded []\n")
