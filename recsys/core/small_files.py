"""Read files that ought to be small, whatever they are instead."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

MOST_BYTES = 1 << 20


def read_small_file(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of a plain file. Neither a pipe that nobody writes to nor a device without an end is waited for.

    Raises:
        OSError: it cannot be read, is no plain file, or holds more than `most` bytes.
        ValueError: the path holds a NUL.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a plain file", str(path))
        if status.st_size > most:
            raise OSError(errno.EFBIG, f"{status.st_size} bytes, more than {most}", str(path))
        return os.read(descriptor, status.st_size)  # the kernel gives all of a plain file of this size at once
    finally:
        os.close(descriptor)
