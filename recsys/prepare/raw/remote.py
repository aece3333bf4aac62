"""Files in object stores and behind other URLs, read as those of a disk are: fsspec opens them."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path, PosixPath
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import fsspec

from recsys.core.errors import DataError

# As a path has it, which has lost one of the slashes.
_URL = re.compile(r"^(\w[\w+.-]*):/+(?=.)")


class RemoteFile(PosixPath):
    """A file behind a URL: a path whose text is the URL, which can be opened and asked what changes with the file."""

    def __str__(self) -> str:
        return url_of(Path(super().__str__()))

    @property
    def _files(self) -> Any:
        return fsspec.core.url_to_fs(str(self))[0]

    def open(self, mode: str = "rb", *_: Any, **__: Any) -> Any:
        """The file, to read its bytes at any place."""
        return self._files.open(str(self), mode)

    def exists(self, **_: Any) -> bool:
        """True: it was listed."""
        return True

    def is_dir(self) -> bool:
        """False: what is listed are files."""
        return False

    def stat(self, **_: Any) -> os.stat_result:
        """Of a file, with its size in bytes."""
        return os.stat_result((stat.S_IFREG, 0, 0, 1, 0, 0, int(self._files.info(str(self))["size"]), 0, 0, 0))

    @property
    def state(self) -> tuple[int | str, ...]:
        """What is another after the file has changed, as far as its store tells."""
        self._files.invalidate_cache()
        return self.stat().st_size, str(self._files.ukey(str(self)))


def is_remote(path: Path) -> bool:
    """Whether a path is a URL that fsspec knows, and neither that of a database nor a file on a disk."""
    scheme = _URL.match(path.as_posix())
    return scheme is not None and scheme[1] in fsspec.available_protocols() and not path.exists()


def url_of(path: Path) -> str:
    """The URL that a path was."""
    return _URL.sub(r"\1://", path.as_posix())


def remote_files(entry: Path, setting: str) -> list[RemoteFile]:
    """The files that a URL names: one, those right in a folder, or those of a glob; in the order of their names.

    Raises:
        DataError: there is none, what reads such URLs is not installed, the store does not let us in, or the URL has
            a password, which would stand in manifests and messages.
    """
    url = url_of(entry)
    if urlsplit(url).password is not None:
        raise DataError(
            f"a URL without a password at {setting}",
            "one that has it",
            "give credentials as the store's own tools find them: environment or configuration file",
        )
    try:
        files, path = fsspec.core.url_to_fs(url)
        found = files.glob(path) if fsspec.core.has_magic(path) else files.ls(path, detail=False)
        named = sorted(str(files.unstrip_protocol(each)) for each in found if files.isfile(each))
    except Exception as error:  # a store's own package raises errors of its own, of missing credentials for example
        raise DataError(
            f"files at a URL that can be read, {url} ({setting})",
            "no such file or folder" if isinstance(error, FileNotFoundError) else str(error) or type(error).__name__,
            "check the URL and who may read it; s3:// needs the package s3fs, gs:// gcsfs, abfs:// adlfs",
        ) from None
    if not named:
        raise DataError(
            f"files at {url} ({setting})", "none", "check the URL; a folder stands for the files right in it"
        )
    return [RemoteFile(each) for each in named]


def binary(path: Path) -> Path | BinaryIO:
    """What Arrow reads a file from: its path, or what a URL names as an open file."""
    return path.open("rb") if isinstance(path, RemoteFile) else path
