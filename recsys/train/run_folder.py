"""The folder of a training run: settings, log, checkpoints; one process at a time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from recsys.config import Config
from recsys.core.disk import write_whole
from recsys.core.errors import TrainingError
from recsys.core.process_lock import locked

CONFIG_FILE = "config.yaml"
INPUTS_FILE = "inputs.json"
LOG_FILE = "log.jsonl"
CHECKPOINTS = "checkpoints"
BEST = "best"
TENSORBOARD = "tensorboard"

# Settings that may differ between a run and its continuation: they do not change the weights.
_FREE_SECTIONS = (
    "data",
    "index",
    "retrieval",
    "bundle",
    "evaluation",
    "gate",
    "shadow",
    "drift",
    "retrain",
    "synthetic",
    "name",
)
_RANKING_KEYS = {"damping", "prefix_share"}  # the others shape the ranker alone, which is trained at export
_FREE_KEYS = (
    ("model", "text_match_factors"),
    ("model", "text_match_decays"),
    ("training", "run_dir"),
    ("training", "checkpoint_minutes"),
    ("training", "uniform_negatives"),  # of a loss that is gone: runs of the full softmax did not read it
    ("text", "cache_dir"),
    ("text", "hub_timeout_s"),
)


class RunFolder:
    """A run's folder, `<run_dir>/<name>/`.

    It holds config.yaml (resolved settings), inputs.json (fingerprints of the dataset and the text
    encoder), log.jsonl (one line an evaluation), checkpoints/, best/ and tensorboard/.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def checkpoints(self) -> Path:
        return self.path / CHECKPOINTS

    @property
    def best(self) -> Path:
        return self.path / BEST

    @property
    def tensorboard(self) -> Path:
        return self.path / TENSORBOARD

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out; the lock goes with the process, however it ends.

        Raises:
            TrainingError: another process trains here.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.path.with_name(f".{self.path.name}.lock"), self._taken):
            yield

    def _taken(self, process: str) -> TrainingError:
        return TrainingError(
            f"the run folder {self.path} to be free",
            f"process {process} training in it",
            "wait for it or stop it, or give this run another training.run_dir",
        )

    @property
    def previous(self) -> Path:
        """Where the run before this one is kept."""
        return self.path.with_name(f"{self.path.name}.previous")

    def start(self, config: Config, inputs: Mapping[str, str]) -> bool:
        """Begin anew; whether a run was there, which is kept as `previous`, replacing an older one.

        A run is there with all its files, or not at all.
        """
        new = self.path.with_name(f".{self.path.name}.new")
        shutil.rmtree(new, ignore_errors=True)  # of a process that was killed here
        (new / CHECKPOINTS).mkdir(parents=True)
        (new / INPUTS_FILE).write_text(json.dumps(inputs, indent=2) + "\n", "utf8")
        (new / CONFIG_FILE).write_text(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False), "utf8")
        replaces = self.path.exists()
        if replaces:
            shutil.rmtree(self.previous, ignore_errors=True)
            self.path.rename(self.previous)
        new.rename(self.path)
        return replaces

    def check_resumable(self, config: Config, inputs: Mapping[str, str]) -> None:
        """Make sure that going on gives what an uninterrupted run would have given.

        Args:
            config: settings of the continuation.
            inputs: name -> fingerprint of what the run reads.

        Raises:
            TrainingError: there is no run, or it had other settings or inputs.
        """
        try:
            then = yaml.safe_load((self.path / CONFIG_FILE).read_text("utf8"))
            inputs_then = json.loads((self.path / INPUTS_FILE).read_text("utf8"))
        except FileNotFoundError:
            raise TrainingError(f"a run to resume in {self.path}", "none there", "start it without --resume") from None
        now = config.model_dump(mode="json")
        changed = [
            f"{key}: {before!r} then, {after!r} now"
            for key, before, after in _differences(_weights_settings(then), _weights_settings(now))
        ]
        changed += [f"{key}: changed since" for key, before, after in _differences(inputs_then, dict(inputs))]
        if changed:
            raise TrainingError(
                f"the settings and inputs with which the run in {self.path} was started",
                "; ".join(changed),
                "put them back, or start anew without --resume",
            )

    def write_log(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Replace log.jsonl by `records`, one line each."""
        write_whole(self.path / LOG_FILE, "".join(json.dumps(record) + "\n" for record in records))


def _weights_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted key -> value of every setting that shapes the weights."""
    flat: dict[str, Any] = {}
    for section, value in settings.items():
        if section in _FREE_SECTIONS:
            continue
        if not isinstance(value, dict):
            flat[section] = value
            continue
        flat |= {
            f"{section}.{key}": entry
            for key, entry in value.items()
            if (section, key) not in _FREE_KEYS and (section != "ranking" or key in _RANKING_KEYS)
        }
    return flat


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    keys = sorted(before.keys() | after.keys())
    return [(k, before.get(k), after.get(k)) for k in keys if before.get(k) != after.get(k)]
