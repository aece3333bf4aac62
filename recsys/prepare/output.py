"""A folder that appears whole or not at all."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec

from recsys.core.disk import sync
from recsys.core.errors import DataError

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """Yield a new empty folder beside `target` that replaces it when the block ends without an error.

    Until then an older `target` stays as it is. The next run removes the files that a killed run leaves behind.

    Raises:
        DataError: another process is writing the same target, or the parent cannot be written to.
    """
    partial = target.with_name(f".{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = target.with_name(f".{target.name}.lock").open("w")
    except OSError as error:
        raise DataError(
            f"a writable folder {target.parent}", str(error), "set another folder or its permissions"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"one process writing {target}", "another one at it", "wait for the other to end") from None
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            yield partial
            _sync(partial)
            _replace(partial, target)
            sync(target.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def upload(folder: Path, url: str, last: str) -> None:
    """Copy the files of a folder to a URL; one of them goes first and comes last, so that with it all are there.

    Raises:
        DataError: nothing knows such URLs, or the store does not let us in.
    """
    others = sorted(path for path in folder.iterdir() if path.name != last)
    try:
        files, place = fsspec.core.url_to_fs(url)
        files.makedirs(place, exist_ok=True)
        if files.exists(f"{place}/{last}"):
            files.rm_file(f"{place}/{last}")
        for path in (*others, folder / last):
            files.put_file(str(path), f"{place}/{path.name}")
    except Exception as error:  # a store's own package raises errors of its own, of missing credentials for example
        raise DataError(
            f"a writable place {url} (data.upload_to)",
            str(error) or type(error).__name__,
            f"check the URL and who may write it, or copy {folder} yourself; s3:// needs the package s3fs, gs:// gcsfs",
        ) from None


def _replace(new: Path, target: Path) -> None:
    """Move `new` to `target`; an older `target` is at `new` afterwards, or removed."""
    if not target.exists():
        new.rename(target)
        return
    # Linux can exchange two names in one step, so that a reader sees a whole dataset at any moment.
    libc = ctypes.CDLL(None, use_errno=True)
    exchange = getattr(libc, "renameat2", None)
    if exchange and exchange(_AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(target), _RENAME_EXCHANGE) == 0:
        return
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _sync(folder: Path) -> None:
    for path in [*folder.iterdir(), folder]:
        sync(path)
