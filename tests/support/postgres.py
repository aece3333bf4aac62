"""A real PostgreSQL for tests: the programs of the package pgserver, started and stopped here.

PostgreSQL refuses to run as root. pgserver's own start would then add a user to the machine and open folders to
everyone; this runs the server as `nobody` instead.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

START_S = 60.0


class CannotStart(Exception):  # noqa: N818 - a reason to skip tests
    """Why there is no PostgreSQL here."""


class PostgresServer:
    """A server on a socket in a temporary folder, with any number of empty schemas for stores.

    Attributes:
        programs: folder of PostgreSQL's programs, pg_dump among them.
        folder: of its data and its socket.
    """

    def __init__(self) -> None:
        """Raises CannotStart."""
        self.programs = _programs()
        self._user = _user()
        self._numbers = count()
        # Short, because a socket's path may have 107 characters at most.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        if self._user:
            os.chown(self.folder, self._user["user"], self._user["group"])
        try:
            self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
            self.start()
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise CannotStart(f"PostgreSQL does not start: {getattr(error, 'stderr', None) or error}") from error

    def start(self) -> None:
        """Start the server and wait until it answers."""
        # No fsync: the tests end processes, not the machine.
        options = ("listen_addresses=", f"unix_socket_directories={self.folder}", "fsync=off", "max_connections=60")
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.folder / "data", *(f"--{option}" for option in options)],
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **self._user,
            )
        until = time.monotonic() + START_S
        while True:
            try:
                psycopg.connect(self._conninfo).close()
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > until:
                    self.stop()
                    raise OSError((self.folder / "log").read_text("utf8", "replace")[-500:]) from error
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server as at a crash of the program; it recovers at the next start."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)

    def freeze(self) -> None:
        """Let the server and its connections stand still: they accept, and never answer."""
        os.killpg(self._process.pid, signal.SIGSTOP)
        for child in self._children():
            os.kill(child, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        for child in self._children():
            os.kill(child, signal.SIGCONT)
        os.killpg(self._process.pid, signal.SIGCONT)

    def remove(self) -> None:
        """Stop the server and delete its files."""
        if self._process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_url(self) -> str:
        """URL of an empty schema for a store; not of a database, because one takes seven megabytes."""
        name = f"test{next(self._numbers)}"
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return f"postgresql://postgres@/postgres?host={self.folder}&options=-csearch_path={name}"

    def _children(self) -> list[int]:
        # Each connection has a process, which is the leader of a session of its own.
        tasks = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(child) for child in tasks.read_text().split()]

    @property
    def _conninfo(self) -> str:
        return f"host={self.folder} user=postgres dbname=postgres"

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.programs / program, "-D", self.folder / "data", *arguments],
            check=True,
            capture_output=True,
            text=True,
            timeout=START_S,
            cwd="/",
            **self._user,
        )


def _programs() -> Path:
    spec = importlib.util.find_spec("pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart("the package pgserver is not installed")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _user() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
