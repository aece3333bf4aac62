"""What tells that there is another bundle to load, or that the one served is no longer what it was."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys.bundle import Bundle
from recsys.bundle.layout import CURRENT_FILE, MANIFEST_FILE
from recsys.core.small_files import read_small_file

logger = logging.getLogger(__name__)

Signature = tuple[object, ...]

_MOST_TROUBLES = 100


def signature(path: Path) -> Signature | None:
    """Changes when there is another bundle in `path`; None: nothing there can be read."""
    try:
        status = (path / MANIFEST_FILE).stat()
    except OSError:
        pass
    else:
        return MANIFEST_FILE, status.st_ino, status.st_mtime_ns, status.st_size
    try:
        return CURRENT_FILE, (path / CURRENT_FILE).stat().st_mtime_ns, read_small_file(path / CURRENT_FILE)
    except OSError:
        return None


def damage(bundle: Bundle) -> str | None:
    """The first file that has grown or shrunk since it was written; None: all that are still there have their sizes.

    A file that was cut off in place ends the process that reads of it what is gone.
    """
    for name, entry in bundle.manifest.files.items():
        try:
            size = (bundle.path / name).stat().st_size
        except OSError:  # a version that was removed stays readable to those who have opened it
            continue
        if size != entry.bytes:
            return f"{name} has {size} bytes in the place of {entry.bytes}"
    return None


class Troubles:
    """Errors that are met again and again: each is logged once, until things go well again."""

    def __init__(self) -> None:
        self._logged: set[str] = set()

    @contextmanager
    def survived(self, failure: str, count: Callable[[], None]) -> Iterator[None]:
        """Go on after any error: a server that follows its bundles no longer would be worse.

        Args:
            failure: how the log calls it.
            count: called at each error.
        """
        try:
            yield
        except Exception as error:
            kind = f"{type(error).__name__}: {error}"
            if kind not in self._logged:
                if len(self._logged) >= _MOST_TROUBLES:
                    self._logged.clear()
                self._logged.add(kind)
                logger.exception(failure)
            try:
                count()
            except Exception:
                logger.exception("The metrics miss an error")
        else:
            self._logged.clear()
