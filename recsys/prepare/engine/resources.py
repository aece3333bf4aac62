"""Errors for a full disk and for too little memory."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from recsys.core.errors import DataError
from recsys.prepare.settings import DataConfig


@contextmanager
def resource_errors(config: DataConfig, target: Path) -> Iterator[None]:
    """Turn errors of a full disk and of too little memory into errors that say what to do.

    Raises:
        DataError: the disk is full; `data.memory_limit_mb` does not suffice.
    """
    try:
        yield
    except (OSError, duckdb.Error) as error:
        message = str(error)
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full or "No space left" in message or "failed to offload data block" in message:
            raise DataError(
                f"free disk space for {target}",
                f"a full disk ({message.splitlines()[0]})",
                "free some space, or set data.prepared_dir to a folder on another disk",
            ) from None
        if isinstance(error, duckdb.OutOfMemoryException):
            raise DataError(
                f"the work to fit into data.memory_limit_mb ({config.memory_limit_mb})",
                message.splitlines()[0],
                "raise data.memory_limit_mb",
            ) from None
        raise
