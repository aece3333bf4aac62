"""ZIP archives, as one or several files of lines."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import BinaryIO

from recsys.core.errors import DataError
from recsys.prepare.raw.compression import PIECE_BYTES

ZIP_MAGIC = b"PK\x03\x04"
# Names by which a ZIP archive is known to be a document.
_DOCUMENTS = {
    "xl/workbook.xml": "an Excel workbook (XLSX)",
    "xl/workbook.bin": "an Excel workbook (XLSB)",
    "word/document.xml": "a Word document",
    "META-INF/MANIFEST.MF": "a Java archive",
    "content.xml": "an OpenDocument file",
}
_ENCRYPTED = 1  # bit of a member's flags
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
    OSError,
)


@dataclass(frozen=True)
class Member:
    """A file in an archive.

    Attributes:
        name: within the archive.
        chunks: opens it; yields its bytes.
    """

    name: str
    chunks: Callable[[], Iterator[bytes]]


def zip_members(file: BinaryIO, file_name: str) -> list[Member]:
    """The files in a ZIP archive, in its order, without empty and hidden ones and those that macOS adds.

    Args:
        file: the archive, which stays open while members are read.
        file_name: names it in errors.

    Raises:
        DataError: it is damaged, encrypted, without files or a document. Reading a member raises it as well.
    """
    with _zip_errors(file_name):
        archive = zipfile.ZipFile(file)
    entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_hidden(entry.filename)]
    document = next((_DOCUMENTS[entry.filename] for entry in entries if entry.filename in _DOCUMENTS), None)
    if document:
        raise DataError(
            f"a file of lines at {file_name}",
            document,
            "export it as CSV (UTF-8) and name that file; docs/data-formats.md",
        )
    entries = [entry for entry in entries if entry.file_size]
    if not entries:
        raise DataError(f"files in the ZIP archive {file_name}", "none with anything in it", "pack it again")
    if locked := [entry.filename for entry in entries if entry.flag_bits & _ENCRYPTED]:
        raise DataError(
            f"a ZIP archive without a password at {file_name}",
            f"{locked[0]!r} encrypted",
            "unpack it and name its files",
        )
    return [Member(entry.filename, partial(_read, archive, entry, file_name)) for entry in entries]


def _is_hidden(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return "__MACOSX" in path.parts or path.name.startswith(".") or path.name in {"Thumbs.db", "desktop.ini"}


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file_name: str) -> Iterator[bytes]:
    where = f"{file_name} ({entry.filename})"
    with _zip_errors(where):
        member = archive.open(entry)
    with member:
        while True:
            with _zip_errors(where):
                data = member.read(PIECE_BYTES)
            if not data:
                return
            yield data


@contextmanager
def _zip_errors(file_name: str) -> Iterator[None]:
    try:
        yield
    except NotImplementedError as error:
        raise DataError(
            f"a ZIP archive that Python can unpack at {file_name}", str(error), "unpack it and name its files"
        ) from None
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise DataError(
            f"a sound ZIP archive at {file_name}",
            str(error) or "one that ends in the middle of its data",
            "download or pack it again",
        ) from None
