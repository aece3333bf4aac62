"""Compressed streams, recognised by their first bytes, decompressed a bounded piece at a time."""

from __future__ import annotations

import bz2
import io
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

import pyarrow as pa
from isal import igzip_lib

from recsys.core.errors import DataError
from recsys.prepare.raw.signatures import HEAD_BYTES

PIECE_BYTES = 1 << 20
ZSTD_PIECE_BYTES = 1 << 16  # Arrow keeps a piece to itself in which a stream ends too early
MAX_LAYERS = 4
# Of the dictionary of an xz file, which its writer chooses.
MAX_DICTIONARY_BYTES = 256 << 20
# isal ships no types.
_DAMAGED = (cast("type[Exception]", igzip_lib.IsalError), lzma.LZMAError, ValueError, OSError)


class CutOffError(Exception):
    """A compressed stream ends too early; all that precedes the end has been yielded."""


class _Decompressor(Protocol):
    """What decompressors of the standard library have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


@dataclass(frozen=True)
class _Compression:
    """A way to compress; its streams start with `magic`."""

    name: str
    magic: bytes
    decompressor: Callable[[], _Decompressor] | None


_COMPRESSIONS = (
    _Compression("gzip", b"\x1f\x8b", lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)),
    _Compression("bzip2", b"BZh", bz2.BZ2Decompressor),
    _Compression("xz", b"\xfd7zXZ\0", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_DICTIONARY_BYTES)),
    _Compression("zstd", b"\x28\xb5\x2f\xfd", None),
)
MAGICS = tuple(compression.magic for compression in _COMPRESSIONS)
# What follows the level in the head of a bzip2 stream: a block, or the end of an empty stream.
_BZIP2_MARKS = (b"1AY&SY", b"\x17rE8P\x90")


def decompressed(chunks: Iterator[bytes], file_name: str, layers: list[str]) -> Iterator[bytes]:
    """Yield what is compressed in a file, however often; a file that is not compressed comes as it is.

    Args:
        chunks: the stored bytes.
        file_name: names the file in errors.
        layers: the names of the compressions are appended to it.

    Raises:
        CutOffError: a stream ends too early.
        DataError: a stream is damaged, or compressed too often.
    """
    while True:
        head, chunks = peeked(chunks)
        compression = _compression_of(head)
        if compression is None:
            yield from chunks
            return
        if len(layers) == MAX_LAYERS:
            raise DataError(f"at most {MAX_LAYERS} compressions in {file_name}", "one more", "unpack the file")
        layers.append(compression.name)
        chunks = _sound(_streams(compression, chunks, file_name), compression.name, file_name)


def peeked(chunks: Iterator[bytes], count: int = HEAD_BYTES) -> tuple[bytes, Iterator[bytes]]:
    """The first `count` bytes of `chunks` or a few more, and all of them again; an early end comes in its turn."""
    pieces: list[bytes] = []
    size = 0
    cut_off: CutOffError | None = None
    try:
        while size < count and (chunk := next(chunks, None)) is not None:
            pieces.append(chunk)
            size += len(chunk)
    except CutOffError as error:
        cut_off = error

    def again() -> Iterator[bytes]:
        yield from pieces
        pieces.clear()
        if cut_off:
            raise cut_off
        yield from chunks

    return b"".join(pieces), again()


def _compression_of(head: bytes) -> _Compression | None:
    for compression in _COMPRESSIONS:
        if head.startswith(compression.magic):
            is_text = compression.name == "bzip2" and not head.startswith(_BZIP2_MARKS, 4)
            return None if is_text else compression
    return None


def _streams(compression: _Compression, chunks: Iterator[bytes], file_name: str) -> Iterator[bytes]:
    """Decompress streams that follow each other; zeros that fill the last block of a tape may follow the last one."""
    if compression.decompressor is None:
        yield from _zstd(chunks)
        return
    decoder, data = compression.decompressor(), b""
    while True:
        if decoder.eof:
            data = _behind(decoder.unused_data, chunks)
            if not data:
                return
            if not data.startswith(compression.magic[: len(data)]):
                raise DataError(
                    f"nothing after the end of the {compression.name} file at {file_name}",
                    f"more bytes, which are no {compression.name}: {data[:20]!r}",
                    f"cut them off, or unpack the file by hand ({compression.name} -dc) and compare what it holds",
                )
            decoder = compression.decompressor()
        elif decoder.needs_input:
            data = next(chunks, b"")
            if not data:
                raise CutOffError(compression.name)
        else:
            data = b""
        yield decoder.decompress(data, PIECE_BYTES)


def _behind(data: bytes, chunks: Iterator[bytes]) -> bytes:
    """What follows a stream, without zeros before it; enough of it to tell what it is."""
    while len(data := data.lstrip(b"\0")) < HEAD_BYTES:
        more = next(chunks, b"")
        if not more:
            break
        data += more
    return data


def _zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    with pa.CompressedInputStream(pa.PythonFile(io.BufferedReader(ChunkFile(chunks)), "r"), "zstd") as file:
        while True:
            try:
                data = file.read(ZSTD_PIECE_BYTES)
            except OSError as error:
                if "runcated" in str(error) or "nexpected end" in str(error):
                    raise CutOffError("zstd") from None
                raise
            if not data:
                return
            yield data


def _sound(pieces: Iterator[bytes], name: str, file_name: str) -> Iterator[bytes]:
    """Turn the errors of decompressors into ours."""
    while True:
        try:
            piece = next(pieces, None)
        except _DAMAGED as error:
            if isinstance(error, OSError) and error.errno:
                raise
            raise DataError(
                f"a sound {name} file at {file_name}", str(error) or "damaged data", "download or compress it again"
            ) from None
        if piece is None:
            return
        if piece:
            yield piece


class ChunkFile(io.RawIOBase):
    """Chunks of bytes as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
