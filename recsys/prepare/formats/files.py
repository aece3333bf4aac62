"""Raw files as blocks of whole lines: decompressed, hashed, and their bytes reported as they are read."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from isal import isal_zlib

from recsys.core.errors import DataError
from recsys.prepare.formats.reports import CUT_OFF, InputKind, InputReport

READ_BYTES = 1 << 18
BLOCK_BYTES = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
GZIP_WBITS = 31  # zlib's code for a gzip header and trailer
LONGEST_LINE = 64 << 20

# isal ships no types.
_DAMAGED = cast("type[Exception]", isal_zlib.IsalError)


class HashingReader(io.RawIOBase):
    """A file that hashes the bytes read from it and reports their number."""

    def __init__(self, file: BinaryIO, on_bytes: Callable[[int], object]) -> None:
        self._file, self._on_bytes = file, on_bytes
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._hash.update(data)
        self._on_bytes(len(data))
        return len(data)

    def hexdigest(self) -> str:
        """SHA-256 of the whole file: of the part already read, and of the rest, which this reads."""
        while data := self._file.read(BLOCK_BYTES):
            self._hash.update(data)
            self._on_bytes(len(data))
        return self._hash.hexdigest()


def open_file(path: Path, kind: InputKind) -> InputReport:
    """Start the report of a file.

    Raises:
        DataError: no such file, not a file, not readable, or empty.
    """
    try:
        if path.is_dir():
            raise DataError(f"a file at data.{kind}", f"the folder {path}", "name the file inside it")
        with path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
    except OSError as error:
        raise DataError(
            f"a file at data.{kind}",
            f"{path}: {error.strerror}",
            "check the path; docs/data-formats.md says where to download the files and how to make the sample's",
        ) from None
    if size == 0:
        raise _empty(path)
    return InputReport(path, kind, size=size)


def head_lines(path: Path, count: int) -> list[bytes]:
    """The first `count` lines, as far as they lie in the first block; none if the file is damaged there."""
    with path.open("rb") as file:
        try:
            head = next(_contents(file), b"")
        except _DAMAGED:
            return []  # reading the whole file raises the error that says what is wrong
    return list(head.split(b"\n")[:count])


def read_blocks(
    report: InputReport, allow_truncated: bool, on_bytes: Callable[[int], object] = lambda _: None
) -> Iterator[bytes]:
    """Yield a file as blocks of whole lines, each ending with a line feed; gzip is recognised by its first bytes.

    `report.sha256` is set at the end. A last line that a truncated gzip cuts off is counted as `CUT_OFF`.

    Raises:
        DataError: a damaged gzip; one that ends too early, unless `allow_truncated`; no lines; a
            line longer than 64 MiB.
    """
    path, rest = report.path, b""
    with path.open("rb") as file:
        raw = HashingReader(file, on_bytes)
        for data in _chunks(io.BufferedReader(raw, READ_BYTES), report):
            end = data.rfind(b"\n") + 1
            if end:
                yield b"".join((rest, memoryview(data)[:end]))
                rest = data[end:]
            else:
                rest += data
            if len(rest) > LONGEST_LINE:
                raise DataError(
                    f"one record a line in {path}",
                    f"a line longer than {LONGEST_LINE >> 20} MiB",
                    "convert the file to JSON lines: one object a line, no enclosing array",
                )
        report.sha256 = raw.hexdigest()
    if report.truncated and not allow_truncated:
        raise DataError(
            f"a complete gzip file at {path}",
            "one that ends in the middle of its data",
            "download it again, or use --allow-truncated to read what is there",
        )
    if report.truncated and rest:
        report.lines += 1
        report.drop(CUT_OFF, 0, rest)
    elif rest:
        yield rest + b"\n"


def _chunks(file: BinaryIO, report: InputReport) -> Iterator[bytes]:
    """The contents of a file, at most `BLOCK_BYTES` at a time; sets `report.truncated` if a gzip ends too early."""
    is_empty = True
    try:
        for data in _contents(file):
            is_empty = is_empty and not data
            yield data
    except EOFError:
        report.truncated = True
    except _DAMAGED as error:
        raise DataError(f"a sound gzip file at {report.path}", str(error), "download or compress it again") from None
    if is_empty:
        raise _empty(report.path)


def _contents(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file, decompressed if the first ones are those of gzip.

    isal's own file object is not used because it loses up to a buffer of the data before an early end.

    Raises:
        EOFError: a gzip stream is cut off; everything before has been yielded.
        IsalError: a gzip stream is damaged.
    """
    data = file.read(READ_BYTES)
    if not data.startswith(GZIP_MAGIC):
        while data:
            yield data
            data = file.read(BLOCK_BYTES)
        return
    decoder = isal_zlib.decompressobj(wbits=GZIP_WBITS)
    while data:
        yield decoder.decompress(data, BLOCK_BYTES)
        if decoder.eof:
            # Another member may follow, or zeros that fill the last block of a tape.
            data = (decoder.unused_data or file.read(READ_BYTES)).lstrip(b"\0")
            decoder = isal_zlib.decompressobj(wbits=GZIP_WBITS)
            started = False
        else:
            data = decoder.unconsumed_tail or file.read(READ_BYTES)
            started = True
    if started:
        raise EOFError


def _empty(path: Path) -> DataError:
    return DataError(f"lines in {path}", "an empty file", "download it again or remove it from the config")
