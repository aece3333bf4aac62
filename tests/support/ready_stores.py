"""Empty SQLite stores that have their tables: the migrations run once in a process, what they made is copied.

They take a tenth of a second, and more than a thousand tests want a store of their own.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy.engine import make_url

from recsys.store import Store


def make_tables(url: str) -> None:
    """Make the store at `url` with its tables, if it is a file that is not there yet, in a folder that is."""
    database = make_url(url).database if url.startswith("sqlite:") else None
    if database is None or Path(database).exists() or not Path(database).parent.is_dir():
        return
    content, mode = _migrated()
    path = Path(database)
    path.touch(mode)
    path.write_bytes(content)


@cache
def _migrated() -> tuple[bytes, int]:
    """Content and mode of the file of an empty store."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        with Store.open(f"sqlite:///{path}") as store:
            store.upgrade()
        return path.read_bytes(), path.stat().st_mode
