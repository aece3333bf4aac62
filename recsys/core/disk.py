"""What is written is whole or not there, outlives a power cut, and tells what to do where it cannot be written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys.core.errors import RecsysError


def sync(path: Path) -> None:
    """Force a file, or the entries of a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, text: str) -> None:
    """Write the file `path`; whenever the process is killed, the text before is there or the new one."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, "utf8")
    sync(partial)
    partial.replace(path)


def link(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`, which nobody will change; a copy where the file system cannot.

    Raises:
        OSError: neither can be done.
    """
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


@contextmanager
def writing(what: str, kind: type[RecsysError], remedy: str, *others: type[Exception]) -> Iterator[None]:
    """Around what writes files.

    Args:
        what: is written, and where.
        kind: of the error.
        remedy: what helps, such as space in another folder.
        others: what libraries raise in the place of an OSError.

    Raises:
        RecsysError: of the `kind`, in the place of an OSError such as that of a full disk.
    """
    failures: tuple[type[Exception], ...] = (OSError, *others)
    try:
        yield
    except failures as error:
        raise kind(f"to write {what}", str(error), remedy) from error
