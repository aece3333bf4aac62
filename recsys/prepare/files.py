"""Source files as blocks of whole lines: decompressed, hashed and accounted for."""

from __future__ import annotations

import hashlib
import io
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from isal import isal_zlib

from recsys.core.errors import DataError

T = TypeVar("T")

READ_BYTES = 1 << 18
BLOCK_BYTES = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
GZIP_WBITS = 31  # zlib's code for a gzip header and trailer
LONGEST_LINE = 64 << 20
EXAMPLES = 5
EXAMPLE_CHARS = 120

# isal ships no types.
_DAMAGED = cast("type[Exception]", isal_zlib.IsalError)

# Causes for which a line is bad: their share is limited by `data.max_bad_line_share`.
MALFORMED = "malformed"
NOT_UTF8 = "not_utf8"
MISSING_FIELD = "missing_field"
MISTYPED_FIELD = "mistyped_field"
RATING_OUT_OF_RANGE = "rating_out_of_range"
TIMESTAMP_OUT_OF_RANGE = "timestamp_out_of_range"
UNKNOWN_EVENT_TYPE = "unknown_event_type"
# Causes that say nothing against the file.
BLANK = "blank_line"
CUT_OFF = "cut_off_line"
HARMLESS = frozenset({BLANK, CUT_OFF})


@dataclass
class SourceReport:
    """What became of the lines of one file.

    Attributes:
        path: the file.
        kind: "interactions" or "metadata".
        size: in bytes, as stored.
        sha256: of its bytes as stored; known once it has been read to the end.
        lines: read so far.
        dropped: number of lines by cause.
        truncated: the gzip stream ended too early (and that was allowed).
        examples: (line number, cause, first characters) of the first bad lines.
    """

    path: Path
    kind: str
    size: int = 0
    sha256: str = ""
    lines: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    truncated: bool = False
    examples: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def bad(self) -> int:
        """Number of bad lines."""
        return sum(count for cause, count in self.dropped.items() if cause not in HARMLESS)

    @property
    def kept(self) -> int:
        """Number of lines that were understood."""
        return self.lines - self.dropped.total()

    def drop(self, cause: str, line_number: int, line: bytes | str) -> None:
        """Count a dropped line; `line_number` counts from 1."""
        self.dropped[cause] += 1
        if cause not in HARMLESS and len(self.examples) < EXAMPLES:
            text = line.decode("utf8", "backslashreplace") if isinstance(line, bytes) else line
            self.examples.append((line_number, cause, text[:EXAMPLE_CHARS]))

    def check_bad_share(self, limit: float, hint: str = "") -> None:
        """Stop when more than `limit` of the lines are bad.

        Raises:
            DataError: with examples of bad lines, and `hint` in the remedy.
        """
        if self.bad <= limit * self.lines:
            return
        causes = ", ".join(
            f"{count:,} {cause}" for cause, count in sorted(self.dropped.items()) if cause not in HARMLESS
        )
        shown = "".join(f"\n       line {number} ({cause}): {text}" for number, cause, text in self.examples)
        raise DataError(
            f"at most {limit:.2%} bad lines in {self.path}",
            f"{self.bad:,} of {self.lines:,} ({causes}), for example{shown}",
            hint or "mend or download the file again, or raise data.max_bad_line_share to skip so many",
        )

    def to_manifest(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "path": self.path.as_posix(),
            "sha256": self.sha256,
            "bytes": self.size,
            "truncated": self.truncated,
            "lines": self.lines,
            "kept": self.kept,
            "dropped": dict(sorted(self.dropped.items())),
        }


class HashingReader(io.RawIOBase):
    """A file that hashes what is read from it and reports the number of bytes."""

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
        """SHA-256 of what was read and of the rest of the file."""
        while data := self._file.read(BLOCK_BYTES):
            self._hash.update(data)
            self._on_bytes(len(data))
        return self._hash.hexdigest()


def new_report(path: Path, kind: str) -> SourceReport:
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
            "check the path; README.md says where to download the files and how to make the sample's",
        ) from None
    if size == 0:
        raise _empty(path)
    return SourceReport(path, kind, size=size)


def head_lines(path: Path, count: int) -> list[bytes]:
    """The first `count` lines, as far as they lie in the first block; none if the file is damaged there."""
    with path.open("rb") as file:
        try:
            head = next(_contents(file), b"")
        except _DAMAGED:
            return []  # reading it whole will tell what is wrong
    return list(head.split(b"\n")[:count])


def read_blocks(
    report: SourceReport, allow_truncated: bool, on_bytes: Callable[[int], object] = lambda _: None
) -> Iterator[bytes]:
    """Yield a file as blocks of whole lines, each ending with a line feed; gzip is told by its first bytes.

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


def _chunks(file: BinaryIO, report: SourceReport) -> Iterator[bytes]:
    """What a file holds, at most `BLOCK_BYTES` at a time; tells `report` if a gzip ends too early."""
    found = False
    try:
        for data in _contents(file):
            found = found or bool(data)
            yield data
    except EOFError:
        report.truncated = True
    except _DAMAGED as error:
        raise DataError(f"a sound gzip file at {report.path}", str(error), "download or compress it again") from None
    if not found:
        raise _empty(report.path)


def _contents(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file, decompressed if the first ones are those of gzip.

    isal's own file object would lose up to a buffer of what comes before an early end.

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


def prefetch(items: Iterator[T], depth: int = 4) -> Iterator[T]:
    """Run an iterator in a thread of its own, `depth` items ahead; its exception follows its last item."""
    buffer: queue.Queue[tuple[bool, Any]] = queue.Queue(depth)
    stopped = threading.Event()

    def put(entry: tuple[bool, Any]) -> bool:
        while not stopped.is_set():
            try:
                buffer.put(entry, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    def run() -> None:
        try:
            for item in items:
                if not put((True, item)):
                    return
            put((False, None))
        except BaseException as error:  # handed to the consumer, whatever it is
            put((False, error))

    thread = threading.Thread(target=run, name="prefetch", daemon=True)
    thread.start()
    try:
        while True:
            more, item = buffer.get()
            if more:
                yield item
            elif item is None:
                return
            else:
                raise item
    finally:
        stopped.set()
        thread.join()


def _empty(path: Path) -> DataError:
    return DataError(f"lines in {path}", "an empty file", "download it again or remove it from the config")
