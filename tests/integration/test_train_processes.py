"""Training in real processes: killed and resumed, on several workers, on several devices."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recsys.bundle import open_bundle
from recsys.core.errors import BundleError, TrainingError
from tests.support.shop import open_shop

pytestmark = pytest.mark.slow  # every process loads TensorFlow and traces the model
TIMEOUT_S = 300
ROOT = Path(__file__).parents[2]


def start(module: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.support.{module}", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, errors[-3000:]


def cluster(n_workers: int) -> list[str]:
    """TF_CONFIG of each of several local workers, on free ports."""
    sockets = [socket.socket() for _ in range(n_workers)]
    for each in sockets:
        each.bind(("localhost", 0))
    addresses = [f"localhost:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return [
        json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})
        for index in range(n_workers)
    ]


def weights(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return {name: file[name] for name in file.files if name.startswith("w")}


def test_a_run_killed_with_sigkill_resumes_to_the_same_weights(tmp_path: Path) -> None:
    finish(start("training", tmp_path / "whole"))
    killed = start("training", tmp_path / "killed")
    assert killed.stdout is not None
    for line in killed.stdout:
        if line == "step 15\n":  # the fourth batch of the third epoch is under way
            killed.send_signal(signal.SIGKILL)
            break
    killed.communicate(timeout=TIMEOUT_S)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed/final.npz").exists()
    resumed = start("training", tmp_path / "killed", "--resume")
    assert resumed.stdout is not None
    assert resumed.stdout.readline() in {"step 14\n", "step 15\n", "step 16\n"}
    finish(resumed)
    whole = weights(tmp_path / "whole/final.npz")
    for name, value in weights(tmp_path / "killed/final.npz").items():
        np.testing.assert_array_equal(value, whole[name], err_msg=name)


@pytest.mark.parametrize("options", [(), ("--sampled", "--by-row")])
def test_two_workers_end_with_the_same_weights_as_two_devices_of_one(tmp_path: Path, options: tuple[str, ...]) -> None:
    """A step over rows alone sends the rows that each worker touched, which are not the same ones."""
    workers = [
        start("training_worker", tmp_path / "run", tmp_path / f"worker-{n}.npz", *options, TF_CONFIG=config)
        for n, config in enumerate(cluster(2))
    ]
    for worker in workers:
        finish(worker)
    outputs = [np.load(tmp_path / f"worker-{n}.npz") for n in range(2)]
    assert [bool(output["chief"]) for output in outputs] == [True, False]
    assert [int(output["replicas"]) for output in outputs] == [2, 2]
    first, second = (weights(tmp_path / f"worker-{n}.npz") for n in range(2))
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name], err_msg=name)

    finish(start("training_worker", tmp_path / "mirrored", tmp_path / "mirrored.npz", *options, REPLICAS="2"))
    for name, value in weights(tmp_path / "mirrored.npz").items():
        np.testing.assert_allclose(value, first[name], atol=1e-3, err_msg=name)  # sums in another order
    logs = [
        [json.loads(line)["loss"] for line in (tmp_path / run / "log.jsonl").read_text().splitlines()]
        for run in ("run", "mirrored")
    ]
    assert len(logs[0]) == 2
    np.testing.assert_allclose(logs[0], logs[1], rtol=1e-4)


def test_two_workers_train_the_whole_and_the_prefix_and_the_chief_exports(tmp_path: Path) -> None:
    shop = open_shop(
        tmp_path,
        training={"epochs": 2},
        retrieval={"retrievers": ["popularity", "transitions"], "trials": 1},
        ranking={"retrievers": ["transitions"], "scorers": [], "epochs": 1},
    )
    workers = [
        subprocess.Popen(
            [sys.executable, "train.py", "--config", str(shop.config)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TF_CONFIG": config},
        )
        for config in cluster(2)
    ]
    for worker in workers:
        finish(worker)
    with open_bundle(shop.bundles) as bundle:
        assert bundle.ranker is not None
        assert bundle.manifest.metrics.best_epoch in (1, 2)
    assert (shop.folder / "runs/tiny/prefix/log.jsonl").is_file()
    assert len(list(shop.bundles.glob("*/manifest.json"))) == 1


def test_two_runs_of_one_seed_write_the_same_bytes(tmp_path: Path) -> None:
    """However Python hashes its strings, and wherever objects lie in memory, on which the order of sets depends.

    Both encode their texts: SavedModels hold numbers that TensorFlow has counted up since the process began.
    """
    shop = open_shop(tmp_path, training={"epochs": 1}, ranking={"epochs": 1})
    files = []
    for seed in ("1", "2"):
        folders = {"bundle.dir": "", "training.run_dir": "runs", "text.cache_dir": "cache"}
        places = [f"{key}={tmp_path / seed / name}" for key, name in folders.items()]
        arguments = ["train.py", "--config", str(shop.config), "--set", *places]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=True, timeout=TIMEOUT_S)
        with open_bundle(tmp_path / seed / "tiny") as bundle:
            files.append(bundle.manifest.files)
    assert len(files[0]) > 40
    assert {name for name in files[0] | files[1] if files[0].get(name) != files[1].get(name)} == set()


@pytest.mark.parametrize("most", [1_000, 10_000, 18_000, 60_000])
def test_wherever_the_disk_gets_full_training_says_so(tmp_path: Path, most: int) -> None:
    """Cache of texts, run folder, checkpoints, SavedModels, ONNX files: no file gets longer than `most` bytes."""
    shop = open_shop(tmp_path, training={"epochs": 1}, ranking={"epochs": 1})
    limited = "import sys; from recsys import cli; from tests.support.disks import full_disk\n"
    limited += f"with full_disk({most}): sys.exit(cli.main(['train', '--config', {str(shop.config)!r}]))"
    process = subprocess.run(
        [sys.executable, "-c", limited], cwd=ROOT, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
    )
    assert process.returncode in (TrainingError.exit_code, BundleError.exit_code), process.stderr[-3000:]
    assert "Traceback" not in process.stderr
    assert "free space" in " ".join(process.stderr.split())
    assert not list(shop.bundles.glob("*/manifest.json"))


@pytest.mark.parametrize("loss", [("--sampled",), ("--sampled", "--by-row")])
def test_two_workers_resume_where_they_were_killed(tmp_path: Path, loss: tuple[str, ...]) -> None:
    def run(folder: str, *options: str) -> list[subprocess.Popen[str]]:
        return [
            start(
                "training_worker", tmp_path / folder, tmp_path / f"{folder}-{n}.npz", *loss, *options, TF_CONFIG=config
            )
            for n, config in enumerate(cluster(2))
        ]

    # Each worker draws items of its own; a resumed one draws what it would have drawn.
    for worker in run("whole"):
        finish(worker)
    killed = run("killed", "--until=8")
    for worker in killed:
        worker.communicate(timeout=TIMEOUT_S)
        assert worker.returncode == -signal.SIGKILL
    for worker in run("killed", "--resume"):
        finish(worker)
    whole = weights(tmp_path / "whole-0.npz")
    for name, value in weights(tmp_path / "killed-1.npz").items():
        np.testing.assert_array_equal(value, whole[name], err_msg=name)
