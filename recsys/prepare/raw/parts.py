"""A stored file as texts: one, or several if it is an archive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from recsys.core.errors import DataError
from recsys.prepare.raw.archives import ZIP_MAGIC, zip_members
from recsys.prepare.raw.compression import decompressed, peeked
from recsys.prepare.raw.encodings import as_utf8, with_line_feeds
from recsys.prepare.raw.signatures import kind_of, remedy_for

READ_BYTES = 1 << 20


class Part:
    """A text as it is stored: maybe in an archive, compressed, and in any encoding.

    Attributes:
        file_name: names it in errors.
    """

    def __init__(self, file_name: str, chunks: Callable[[], Iterator[bytes]], packed: str = "") -> None:
        """`chunks`: opens what is stored; `packed`: what it is packed in, in words."""
        self.file_name, self._chunks, self._packed = file_name, chunks, packed
        self._layers: list[str] = []
        self._encoding = "UTF-8"

    @property
    def description(self) -> str:
        """How it is stored, in words, as far as that is known once its text has been read; "" of plain UTF-8."""
        encoding = [] if self._encoding == "UTF-8" else [self._encoding]
        return ", ".join([*filter(None, [self._packed]), *self._layers, *encoding])

    def text(self, encoding: str) -> Iterator[bytes]:
        """The text in UTF-8, the ends of its lines as line feeds if they are carriage returns alone.

        Raises:
            CutOffError: see `decompressed`; all that precedes the end has been yielded.
            DataError: it is damaged, or no text.
        """
        self._layers = []
        head, chunks = peeked(decompressed(self._chunks(), self.file_name, self._layers))
        if kind := kind_of(head):
            within = f" in {self.description}" if self.description else ""
            raise DataError(f"a file of lines at {self.file_name}", f"{kind}{within}", remedy_for(kind))
        self._encoding, chunks = as_utf8(chunks, encoding, self.file_name)
        yield from with_line_feeds(chunks)


@contextmanager
def open_parts(path: Path, stream: BinaryIO | None = None) -> Iterator[Iterator[Part]]:
    """The texts of a file, one at least.

    Args:
        path: of the file.
        stream: the file, to read it from; an archive is opened once more.

    Raises:
        DataError: see `zip_members`.
    """
    with path.open("rb") as file:
        is_archive = file.read(len(ZIP_MAGIC)) == ZIP_MAGIC
        file.seek(0)
        if not is_archive:
            source = stream or file
            yield iter([Part(str(path), lambda: iter(lambda: source.read(READ_BYTES), b""))])
            return
        members = zip_members(file, str(path))
        packed = "ZIP" if len(members) == 1 else f"ZIP of {len(members)} files"
        yield (Part(f"{path} ({member.name})", member.chunks, packed) for member in members)
