"""A shop that lives: a server over a store, and retrainings of it that are killed at random while it answers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import recsys  # noqa: F401 - sets TF_USE_LEGACY_KERAS before TensorFlow is imported
from recsys.bundle import open_bundle
from recsys.bundle.versions import Versions
from recsys.retrain.report import Runs
from recsys.store import Event, Store
from tests.support.encoders import write_encoder
from tests.support.retraining import BOUGHT, GROUP_ITEMS, GROUPS, make_config
from tests.support.server_processes import command, get, server
from tests.support.waiting import eventually

REPOSITORY = Path(__file__).parents[2]
KILLS = 5


@dataclass(frozen=True)
class Shop:
    folder: Path
    config: Path

    def retrain(self, *more: str) -> subprocess.Popen[str]:
        arguments = [sys.executable, "-m", "recsys", "retrain", "--config", str(self.config), "--json", *more]
        return subprocess.Popen(
            arguments, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def retrained(self, *more: str) -> dict[str, Any]:
        """What a run that is left alone decides."""
        process = self.retrain(*more)
        out, err = process.communicate(timeout=600)
        assert out, err
        said: dict[str, Any] = json.loads(out)
        assert process.returncode == said["exit_code"], err
        return said

    @property
    def versions(self) -> Versions:
        return Versions(self.folder / "bundles/shop")


def events(users: range) -> list[Event]:
    """User n buys from group n % GROUPS, one item a day, until today."""
    today = time.time()
    made = []
    for user in users:
        items = np.random.default_rng(user).permutation(GROUP_ITEMS)[:BOUGHT]
        for day, item in enumerate(items):
            at = today - 86_400 * (BOUGHT - day) + user
            made.append(Event(f"e{user}-{day}", f"u{user}", f"g{user % GROUPS}-i{item}", "purchase", at))
    return made


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    encoder = write_encoder(tmp_path / "encoder", "bert", safetensors=True)
    config = make_config(
        tmp_path,
        data={"format": "store", "interactions": [str(tmp_path / "store.sqlite")]},
        text={
            "encoder": [str(encoder)],
            "cache_dir": str(tmp_path / "cache"),
            "max_tokens": 16,
            "precision": "float32",
        },
        model={"dim": 16, "layers": 1, "max_history": 8, "text_match_dim": 4, "rating_hidden": [8]},
        training={"run_dir": str(tmp_path / "runs"), "epochs": 8, "checkpoint_minutes": 0.001, "batch_size": 16},
        retrieval={
            "retrievers": ["popularity", "neighbours_bm25", "transitions"],
            "trials": 2,
            "neighbours_k": [20],
            "decay": [0.5],
        },
        ranking={"retrievers": ["neighbours_bm25", "transitions"], "scorers": [], "epochs": 2, "hidden": [8]},
        gate={
            "least_users": 20,
            "tolerance": 1.0,
            "coverage_loss": 1.0,
            "latency_ratio": 1000.0,
            "calibration_factor": 1000.0,
        },
        shadow={"slower": 1000.0, "least_overlap": 0.0, "more_fallback": 1.0},
    )
    path = tmp_path / "shop.yaml"
    path.write_text(yaml.safe_dump(config.model_dump(mode="json", exclude_defaults=True)))
    with Store.open(str(tmp_path / "store.sqlite")) as store:
        store.upgrade()
        store.append(events(range(60)))
    return Shop(tmp_path, path)


def model_of(url: str) -> str:
    """The version that answers, and that it does."""
    answer = get(f"{url}/recommendations/u1?k=5")
    assert answer.status == 200, answer.body
    assert answer.json()["items"]
    return str(answer.json()["bundle"]["version"])


@pytest.mark.slow
def test_retrainings_killed_at_random_leave_a_server_that_answers_and_end_in_a_new_bundle(shop: Shop) -> None:
    first = shop.retrained()
    assert (first["decision"], first["in_use"]) == ("published", None)
    options = ["--bundle", str(shop.versions.home), "--port", "0", "--reload-poll-s", "0.2"]
    with server(command(*options, "--store", f"sqlite:///{shop.folder}/store.sqlite")) as (url, _):
        assert model_of(url) == first["version"]
        with Store.open(str(shop.folder / "store.sqlite")) as store:
            store.append(events(range(60, 90)))
        random = np.random.default_rng(19)
        for _ in range(KILLS):
            process = shop.retrain()
            time.sleep(random.uniform(1, 30))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            with open_bundle(shop.versions.home) as bundle:  # all checksums
                serving = bundle.version
            eventually(lambda version=serving: model_of(url) == version)
        last = shop.retrained()
        assert last["decision"] == "published"
        assert last["version"] != first["version"]
        eventually(lambda: model_of(url) == last["version"])
    assert shop.versions.in_use == last["version"]
    assert not shop.versions.waiting
    assert not list(shop.versions.home.glob(".writing-*"))
    runs = Runs(shop.folder / "retrain/shop")
    report = runs.last()
    assert report is not None
    assert report.shadow is not None
    assert report.shadow["state"] == "compared"
    states = {json.loads(path.read_text())["state"] for path in runs.path.glob("*/retrain.json")}
    assert "running" not in states
