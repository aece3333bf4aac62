"""Raw files as blocks of whole lines: unpacked, in UTF-8, hashed, and their bytes reported as they are read."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from recsys.core.errors import DataError
from recsys.prepare.formats.reports import CUT_OFF, InputKind, InputReport
from recsys.prepare.raw.compression import CutOffError, peeked
from recsys.prepare.raw.parts import Part, open_parts
from recsys.prepare.text_settings import AUTO

READ_BYTES = 1 << 18
BLOCK_BYTES = 1 << 20
LONGEST_LINE = 64 << 20


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


def head_lines(path: Path, count: int, encoding: str = AUTO) -> list[bytes]:
    """The first `count` lines in UTF-8, as far as they lie in the first `BLOCK_BYTES`, of a file or the first packed.

    Raises:
        DataError: the file is no text, or damaged there.
    """
    _, head = next(head_texts(path, encoding))
    return head.split(b"\n")[:count]


def head_texts(path: Path, encoding: str = AUTO) -> Iterator[tuple[str, bytes]]:
    """Yield the first `BLOCK_BYTES` or a few more of a file, or of each one packed, with its name; see `head_lines`."""
    with open_parts(path) as parts:
        for part in parts:
            head, rest = peeked(part.text(encoding), BLOCK_BYTES)
            if not head:
                try:
                    next(rest, None)
                except CutOffError:
                    raise _cut_off(part, "download it again") from None
                raise _empty(path)
            yield part.file_name, head


def read_blocks(
    report: InputReport, allow_truncated: bool, on_bytes: Callable[[int], object] = lambda _: None
) -> Iterator[bytes]:
    """Yield a file as blocks of whole lines in UTF-8, each ending with a line feed; see `read_parts`."""
    for _, block in read_parts(report, allow_truncated, on_bytes):
        yield block


def read_parts(
    report: InputReport, allow_truncated: bool, on_bytes: Callable[[int], object] = lambda _: None
) -> Iterator[tuple[int, bytes]]:
    """Yield a file as blocks of whole lines in UTF-8, each with the number of the file (from 0) if several are packed.

    How it is packed, compressed and encoded is told by its first bytes, whatever its name. Each line ends with a line
    feed. `report.written_as` is set, and at the end `report.sha256`. A last line that a compressed stream cuts off is
    counted as `CUT_OFF`.

    Raises:
        DataError: the file is damaged, no text or without lines; it ends too early, unless `allow_truncated`; a line
            is longer than 64 MiB.
    """
    path, lines = report.path, 0
    with path.open("rb") as file:
        raw = HashingReader(file, on_bytes)
        with open_parts(path, io.BufferedReader(raw, READ_BYTES)) as parts:
            for number, part in enumerate(parts):
                for block in _blocks(part, report):
                    lines += 1
                    yield number, block
                report.written_as = part.description
        report.sha256 = raw.hexdigest()
    if report.truncated and not allow_truncated:
        raise _cut_off(part, "download it again, or use --allow-truncated to read what is there")
    if not lines and not report.truncated:
        raise _empty(path)


def _blocks(part: Part, report: InputReport) -> Iterator[bytes]:
    """Blocks of whole lines; sets `report.truncated` if the part ends too early."""
    rest: list[bytes] = []
    size, is_cut_off = 0, False
    chunks = part.text(report.text.encoding)
    while True:
        try:
            data = next(chunks, None)
        except CutOffError:
            report.truncated = is_cut_off = True
            break
        if data is None:
            break
        end = data.rfind(b"\n") + 1
        if end:
            yield b"".join((*rest, memoryview(data)[:end]))
            rest, size = [], 0
        rest.append(data[end:])
        size += len(data) - end
        if size > LONGEST_LINE:
            raise DataError(
                f"one record a line in {part.file_name}",
                f"a line longer than {LONGEST_LINE >> 20} MiB",
                "check that it is a file of lines; JSON has one object a line, no enclosing array",
            )
    last = b"".join(rest)
    if last and is_cut_off:
        report.lines += 1
        report.drop(CUT_OFF, 0, last)
    elif last:
        yield last + b"\n"


def _cut_off(part: Part, remedy: str) -> DataError:
    return DataError(
        f"a complete file ({part.description}) at {part.file_name}", "one that ends in the middle of its data", remedy
    )


def _empty(path: Path) -> DataError:
    return DataError(f"lines in {path}", "an empty file", "download it again or remove it from the config")
