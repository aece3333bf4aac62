"""Bytes of text in any encoding as UTF-8, and its lines as lines that end with a line feed."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from recsys.core.errors import DataError
from recsys.prepare.raw.compression import peeked
from recsys.prepare.text_settings import AUTO

UTF8 = "utf-8"
_MARKS = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ERRORS = "recsys-mark"
_LEAST_ZEROS = 0.4  # of every other byte: Latin letters in UTF-16


def _mark(error: UnicodeError) -> tuple[str | bytes, int]:
    """Put a byte that UTF-8 has not where text cannot be decoded, so that its line is counted as bad."""
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    if isinstance(error, UnicodeEncodeError):
        return b"\xff" * (error.end - error.start), error.end
    raise error


codecs.register_error(_ERRORS, _mark)


def as_utf8(chunks: Iterator[bytes], encoding: str, file_name: str) -> tuple[str, Iterator[bytes]]:
    """Text as UTF-8 without a byte order mark.

    A byte order mark tells more than a setting. What cannot be decoded becomes a byte that is not UTF-8.

    Args:
        chunks: the text.
        encoding: a name that Python knows, or `AUTO`: UTF-8 unless there is a byte order mark.
        file_name: names the file in errors.

    Returns:
        What the encoding is, and the text.

    Raises:
        DataError: `AUTO`, and the text looks like UTF-16 without a byte order mark; it is in another encoding than is
            set, one that cannot go on behind what it has not.
    """
    head, chunks = peeked(chunks)
    mark, name = next(((mark, name) for mark, name in _MARKS if head.startswith(mark)), (b"", encoding))
    if mark:
        chunks = _without(mark, chunks)
    elif encoding == AUTO:
        _refuse_utf16(head, file_name)
        name = UTF8
    if codecs.lookup(name).name != UTF8:
        chunks = _transcoded(chunks, name, file_name)
    if codecs.lookup(name).name == UTF8:
        return UTF8.upper(), chunks
    return (name.removesuffix("-le").removesuffix("-be") if mark else name).upper(), chunks


def with_line_feeds(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Text whose lines end with carriage returns alone, as old Macs wrote it, with line feeds; other text as it is."""
    head, chunks = peeked(chunks)
    if b"\n" in head or b"\r" not in head:
        yield from chunks
        return
    held = b""
    for chunk in chunks:
        data = held + chunk
        held = b"\r" if data.endswith(b"\r") else b""
        yield line_feeds_alone(data[: len(data) - len(held)])
    if held:
        yield b"\n"


def line_feeds_alone(text: bytes) -> bytes:
    """Text with line feeds in the place of carriage returns, and of both together."""
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text


def without_inner_marks(text: bytes) -> bytes:
    """Whole lines without the byte order marks that files put together have at the start of some."""
    mark = codecs.BOM_UTF8
    return text.removeprefix(mark).replace(b"\n" + mark, b"\n") if mark in text else text


def _without(mark: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield next(chunks)[len(mark) :]
    yield from chunks


def _transcoded(chunks: Iterator[bytes], name: str, file_name: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(name)(_ERRORS)
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode(UTF8, _ERRORS)
        yield decoder.decode(b"", final=True).encode(UTF8, _ERRORS)
    except UnicodeError as error:  # UTF-16 and UTF-32 without a byte order mark, for one
        raise DataError(
            f"text in the encoding {name} at {file_name}",
            str(error),
            "leave data.encoding at auto, or set what the file is in (utf-16-le and utf-16-be need no mark)",
        ) from None


def _refuse_utf16(head: bytes, file_name: str) -> None:
    for name, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if len(zeros) > 8 and zeros.count(0) > _LEAST_ZEROS * len(zeros):
            raise DataError(
                f"text in UTF-8, or with a byte order mark, at {file_name}",
                "what looks like UTF-16 without a byte order mark",
                f"set data.encoding: {name}, or save the file as UTF-8",
            )
