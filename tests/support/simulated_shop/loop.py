"""The programs of a simulated shop: its server and its nightly retraining, which are killed at random places."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

import yaml

from tests.support.encoders import write_encoder
from tests.support.server_processes import ROOT, command, environment, get, workers_of
from tests.support.simulated_shop.clock import MovedClock
from tests.support.simulated_shop.shop import SimulatedShop
from tests.support.waiting import START_TIMEOUT_S, eventually

NAME = "simulated"
KEPT = 10  # exit code of a retraining whose bundle was refused
SETTINGS: Mapping[str, Any] = {
    "text": {"max_tokens": 16, "precision": "float32"},
    "model": {"dim": 16, "layers": 1, "max_history": 12, "dropout": 0.1, "text_match_dim": 4, "rating_hidden": [8]},
    "training": {"batch_size": 128, "learning_rate": 0.01, "epochs": 8},
    "retrieval": {
        "retrievers": ["popularity", "neighbours_bm25", "transitions", "als", "content_tfidf"],
        "trials": 2,
        "neighbours_k": [20],
        "bm25_b": [0.2],
        "decay": [0.8],
        "transitions_reverse": [0.3],
        "transitions_target_power": [0.3],
        "als_factors": [8],
        "als_iterations": 3,
    },
    "ranking": {
        "retrievers": ["neighbours_bm25", "transitions"],
        "candidates": 40,
        "retriever_candidates": 20,
        "hidden": [8],
        "epochs": 4,
        "batch_size": 64,
    },
}


@dataclass
class Loop:
    """A shop's folder, with its files, store, bundles and config; its server, while `serving`.

    Attributes:
        folder: of all of it.
        shop: whose it is.
        seed: of when what is killed.
        kills: what was killed until now: "server", "worker", "retrain", each time once.
    """

    folder: Path
    shop: SimulatedShop
    seed: int = 0
    kills: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = MovedClock(self.folder / "clock")
        self._dice = random.Random(self.seed)
        self._server: subprocess.Popen[str] | None = None
        self._swapping = threading.Lock()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]

    @property
    def url(self) -> str:
        """Of the server, also while it is down."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def store(self) -> str:
        """The store's URL."""
        return f"sqlite:///{self.folder / 'store.sqlite'}"

    @property
    def bundles(self) -> Path:
        """Where the versions of the bundle are."""
        return self.folder / "bundles" / NAME

    @property
    def in_use(self) -> str:
        """The version that is current."""
        return (self.bundles / "current").read_text().strip()

    @property
    def config(self) -> Path:
        """The file that preparation, training and retraining read."""
        return self.folder / "config.yaml"

    def write(self) -> None:
        """Files of the time before the loop, and a config that reads them together with the server's store."""
        self.shop.write(self.folder / "raw")
        encoder = write_encoder(self.folder / "encoder", "bert", safetensors=True)
        parts: dict[str, dict[str, Any]] = {
            "data": {
                "format": "store",
                "interactions": [str(self.folder / "raw/events.csv"), str(self.folder / "store.sqlite")],
                "metadata": [str(self.folder / "raw/items.jsonl")],
                "prepared_dir": str(self.folder / "prepared"),
                "split": {"method": "temporal"},
                "event_weights": {"view": 1, "click": 2, "add_to_cart": 3, "purchase": 5},
            },
            "text": {"encoder": [str(encoder)], "cache_dir": str(self.folder / "cache")},
            "training": {"run_dir": str(self.folder / "runs")},
            "bundle": {"dir": str(self.folder / "bundles")},
            "retrain": {"dir": str(self.folder / "retrain")},
            "gate": {"least_users": 30},
        }
        for name, section in SETTINGS.items():
            parts[name] = {**section, **parts.get(name, {})}
        self.config.write_text(yaml.safe_dump({"name": NAME, **parts}))

    def run(self, *arguments: str, kill_after_s: float | None = None) -> tuple[int, dict[str, Any]]:
        """Run a command of the product that prints JSON; its exit code and what it printed.

        Args:
            arguments: of the command.
            kill_after_s: kill it after that time, if it still runs: the exit code is -9 then.
        """
        process = subprocess.Popen(
            [sys.executable, "-m", "recsys", *arguments, "--config", str(self.config), "--json"],
            cwd=ROOT,
            env=environment(**self.clock.variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            printed, said = process.communicate(timeout=kill_after_s or 2 * START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return -signal.SIGKILL, {}
        assert process.returncode in (0, KEPT), f"{arguments}: exit code {process.returncode}\n{said}"
        return process.returncode, json.loads(printed)

    def open(self) -> None:
        """The first bundle, from the files alone: the store has no events yet."""
        code, _ = self.run("retrain", "--set", f"data.interactions=[{self.folder / 'raw/events.csv'}]")
        assert code == 0

    def retrain(self, *settings: str, kills: int = 0) -> tuple[int, dict[str, Any]]:
        """Retrain until a run comes to its end, after killing that many runs at random places."""
        options = ["--set", *settings] if settings else []
        for _ in range(kills):
            code, said = self.run("retrain", *options, kill_after_s=self._dice.uniform(1, 20))
            if code != -signal.SIGKILL:
                return code, said
            self.kills.append("retrain")
        return self.run("retrain", *options)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """The server, of two workers; it is started again whenever it has ended."""
        closing = threading.Event()
        self._start()
        keeper = threading.Thread(target=self._keep, args=(closing,), daemon=True)
        keeper.start()
        try:
            eventually(self._is_ready, START_TIMEOUT_S)
            yield
        finally:
            closing.set()
            keeper.join()
            self._end()

    @contextmanager
    def accidents(self, between_s: tuple[float, float]) -> Iterator[None]:
        """Kill the server, or one of its workers, time and again, after random times in which it was up."""
        closing = threading.Event()

        def happen() -> None:
            while not closing.wait(self._dice.uniform(*between_s)):
                self._kill(self._dice.choice(("server", "worker")))
                while not closing.wait(0.2) and not self._is_ready():
                    pass

        thread = threading.Thread(target=happen, daemon=True)
        thread.start()
        try:
            yield
        finally:
            closing.set()
            thread.join()

    def _kill(self, what: str) -> None:
        with self._swapping:
            server = self._server
            if server is None or server.poll() is not None:
                return
            if what == "server":
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()
            else:
                workers = workers_of(server)
                if not workers:  # it starts
                    return
                self._dice.choice(workers).kill()
            self.kills.append(what)

    def _is_ready(self) -> bool:
        try:
            return get(f"{self.url}/ready").status == 200
        except (OSError, HTTPException):  # it starts
            return False

    def _start(self) -> None:
        variables = {
            "RECSYS_RELOAD_POLL_S": "0.5",
            "RECSYS_EXPERIMENTS_POLL_S": "0.5",
            "RECSYS_STORE": self.store,
            **self.clock.variables,
        }
        with (self.folder / "server.log").open("a") as log:
            self._server = subprocess.Popen(
                command("--bundle", str(self.bundles), "--port", str(self._port), "--workers", "2"),
                cwd=ROOT,
                env=environment(**variables),
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def _keep(self, closing: threading.Event) -> None:
        while not closing.wait(0.2):
            with self._swapping:
                if self._server is not None and self._server.poll() is not None:
                    self._start()

    def _end(self) -> None:
        if self._server is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._server.pid, signal.SIGTERM)
            try:
                self._server.wait(START_TIMEOUT_S)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(self._server.pid, signal.SIGKILL)
                self._server.wait()
