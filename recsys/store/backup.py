"""`python -m recsys.store.backup STORE COPY`: a copy of an SQLite store, made while servers read and write it.

SQLite's online backup copies the pages of one moment (https://www.sqlite.org/backup.html); a copy of the file alone
would miss what is in its write-ahead log. PostgreSQL has `pg_dump`.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import NamedTemporaryFile

from recsys.core.disk import sync
from recsys.core.errors import ConfigError, RecsysError
from recsys.store.errors import StoreDamaged, StoreUnavailable

WAIT_S = 60.0


def back_up(store: Path, copy: Path) -> None:
    """Write a copy of the store as it is at one moment; where `copy` is there afterwards, it is whole and sound.

    Raises:
        ConfigError: there is no such store, or something of the copy's name.
        StoreDamaged: the copy is not sound, so the store is not either.
        StoreUnavailable: the store cannot be read, or the copy not be written.
    """
    if not store.is_file():
        raise ConfigError("the file of an SQLite store", f"{store}: no such file", "name the file that a server uses")
    if copy.exists():
        raise ConfigError("a name that is free", f"{copy} exists", "name another file: no backup is overwritten")
    try:
        with NamedTemporaryFile(dir=copy.parent, prefix=f".{copy.name}.", delete=False) as file:
            unfinished = Path(file.name)
        try:
            _copy(store, unfinished)
            os.link(unfinished, copy)  # fails where another backup has taken the name meanwhile
            sync(copy.parent)
        finally:
            for left in copy.parent.glob(f"{unfinished.name}*"):
                left.unlink()
    except (OSError, sqlite3.Error) as error:
        raise StoreUnavailable(
            "a store that can be read, and a copy that can be written", str(error), "look at both disks, and try again"
        ) from error


def _copy(store: Path, copy: Path) -> None:
    source_uri = f"{store.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(source_uri, WAIT_S, uri=True)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)  # all pages in one step: a backup in several begins anew whenever somebody writes
        (found,) = target.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise StoreDamaged("a sound store", f"{store}: {found}", "restore an older backup")
    sync(copy)


def main(argv: Sequence[str] | None = None) -> int:
    """Make a backup; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m recsys.store.backup", description="Copy an SQLite store in use.")
    parser.add_argument("store", type=Path, help="the store's file, such as data/store.sqlite")
    parser.add_argument("copy", type=Path, help="where to; nothing may be there")
    given = parser.parse_args(argv)
    try:
        back_up(given.store, given.copy)
    except RecsysError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{given.copy}: {given.copy.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
