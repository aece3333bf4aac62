"""Several processes that serve, and what they share: the listening socket and their metrics."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import tempfile
from contextlib import suppress
from multiprocessing.util import get_temp_dir
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead
from uvicorn import Config
from uvicorn._subprocess import subprocess_started
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from serve.metrics import MULTIPROCESS_FOLDER
from serve.signals import hangups_held, take_hangups
from serve.starting import CRASHED, Starting

logger = logging.getLogger(__name__)

# A process that reads the server's code once: the workers are forked from it and share its memory.
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["serve.preloaded"])
_LONGEST_FOLDER = 70  # bytes of a temporary folder in which a socket's address, of at most 107, still fits
UNKNOWN = 255  # multiprocessing's exit code of a worker whose end that process would have told, had it not ended itself


class Forked(Process):
    """A worker that begins with all that is read already."""

    def __init__(self, config: Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        arguments = {"config": config, "target": self.target, "sockets": sockets, "stdin_fileno": None}
        self.process = _forks.Process(target=subprocess_started, kwargs=arguments)  # type: ignore[assignment]


class Workers(Multiprocess):
    """Server processes. A dead one is replaced; SIGHUP lets each load the bundle anew, without a restart.

    The first one starts alone: what it compiles the others read, and what it verified they trust. They start once it
    serves.

    Attributes:
        exit_code: of a first worker that had nothing to serve, which ends the server; 0: none.
    """

    def __init__(self, config: Config, app: Starting, sockets: list[socket.socket]) -> None:
        """`app`: that of `config`."""
        super().__init__(config, sockets)
        self._app, self.exit_code = app, 0
        _shorten_addresses()
        take_hangups()

    def init_processes(self) -> None:
        self.processes = [self._started()]

    def handle_hup(self) -> None:
        for process in self.processes:
            if process.pid is not None and process.exitcode is None:
                os.kill(process.pid, signal.SIGHUP)

    def keep_subprocess_alive(self) -> None:
        if self._app.shared is not None and self._app.shared.keys is not None:
            self._app.shared.keys.look()  # a worker started later takes those last in force; the workers say the rest
        if self._app.first and self._app.served.value:
            self._app.trust_what_is_served()
            self.processes += [self._started() for _ in range(1, self.config.workers)]
        for slot, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if not process.is_alive(self.config.timeout_worker_healthcheck):
                self._replace(slot)

    def _started(self) -> Process:
        process = Forked(self.config, self.sockets)
        with hangups_held():
            process.start()
        return process

    def _replace(self, slot: int) -> None:
        """Replace a dead worker by another; end if the dead one had nothing to serve."""
        process = self.processes[slot]
        process.kill()  # one that hangs
        process.join()
        code = process.exitcode or 0
        if code == UNKNOWN:
            _end(process.pid)
        elif code > CRASHED:
            self.exit_code = code
            self.should_exit.set()
            return
        logger.warning("The worker %s died %s; another takes its place", process.pid, _cause(code))
        if process.pid is not None:
            _forget(process.pid)
        self.processes[slot] = self._started()


def shared_metrics() -> tempfile.TemporaryDirectory[str]:
    """Let the processes started from now on share their metrics; keep the object until they have ended."""
    folder = tempfile.TemporaryDirectory(prefix="recsys-metrics-")
    os.environ[MULTIPROCESS_FOLDER] = folder.name
    return folder


def _shorten_addresses() -> None:
    """Let multiprocessing's sockets lie in /tmp where the temporary folder's name is too long for their addresses."""
    folder = tempfile.gettempdir()
    if len(os.fsencode(folder)) <= _LONGEST_FOLDER:
        return
    tempfile.tempdir = "/tmp"  # noqa: S108  # nosec B108  # multiprocessing makes a folder that is its own
    try:
        get_temp_dir()
    finally:
        tempfile.tempdir = folder


def _end(pid: int | None) -> None:
    """End a worker of which nobody knows any more whether it lives."""
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _cause(code: int) -> str:
    """How a process ended, in words."""
    if code == UNKNOWN:
        return "or was ended, as the process that it was forked from has gone"
    if code == -signal.SIGBUS:
        return "of SIGBUS: a file of its bundle was cut off while it was mapped; publish versions, never write into one"
    return f"of signal {-code}, {signal.strsignal(-code)}" if code < 0 else f"with exit code {code}"


def _forget(pid: int) -> None:
    """A worker has ended: what it counted stays, its gauges go."""
    folder = os.environ.get(MULTIPROCESS_FOLDER)
    if folder and Path(folder).is_dir():
        mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]
