"""What a file is by its first bytes, where it is no text."""

from __future__ import annotations

import re

HEAD_BYTES = 1 << 12

# What files of other kinds start with. Formats that end in X or a document's name are ZIP archives, see `archives`.
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "a Parquet file"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"ARROW1\0\0", "an Arrow file (Feather)"),
    (b"FEA1", "an Arrow file (Feather)"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook of the old kind (XLS)"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"PK\x07\x08", "one part of a split ZIP archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x04\x22\x4d\x18", "a file compressed by LZ4"),
    (b"\xff\x06\0\0sNaPpY", "a file compressed by Snappy"),
    (b"\x1f\x9d", "a file compressed by compress (.Z)"),
    (b"\x5d\0\0\x80\0", "a file compressed by LZMA"),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"\x7fELF", "a program"),
    (b"PGDMP", "a dump of PostgreSQL in its own format"),
    (b"\x80\x04\x95", "a Python pickle"),
    (b"\x80\x05\x95", "a Python pickle"),
)
_TAR_MARK = 257
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(!doctype\s+html|html|\?xml)\b", re.IGNORECASE)
# What no text holds; tabs, line ends, form feeds and escapes may stand in one, and a NUL here and there.
_CONTROLS = bytes({*range(1, 32), 127} - set(b"\t\n\v\f\r\x1b\x01\x02\x03"))
_MOST_CONTROLS = 0.05
_MOST_ZEROS = 0.6  # UTF-16 has fewer
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")  # byte order marks of UTF-16 and UTF-32


def kind_of(head: bytes) -> str | None:
    """What a file is whose first bytes these are: "a PDF document"; None if it may be text."""
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[_TAR_MARK : _TAR_MARK + 5] == b"ustar":
        return "a tar archive"
    if markup := _MARKUP.match(head):
        return "an XML document" if markup[1].lower() == b"?xml" else "a web page (HTML)"
    odd = len(head) - len(head.translate(None, _CONTROLS))
    is_binary = odd > _MOST_CONTROLS * len(head) or head.count(0) > _MOST_ZEROS * len(head)
    return "a binary file" if is_binary and not head.startswith(_WIDE_MARKS) else None


def remedy_for(kind: str) -> str:
    """What to do with a file of a kind that `kind_of` names, where a text is wanted."""
    for words, remedy in _REMEDIES.items():
        if words in kind:
            return remedy
    return "export it as delimited text (CSV, UTF-8), or as Parquet, and name that file"


_REMEDIES = {
    "archive": "unpack it, and name its files or their folder",
    "compressed by": "unpack it; gzip, bzip2, xz and zstd are read as they are",
    "web page": "what was downloaded is a page, maybe of a login or an error: download the file itself",
    "Parquet": "name the Parquet file itself, unpacked; event logs may be Parquet files (data.format: events)",
    "SQLite": "the server's store is read with data.format: store; export tables of other databases as CSV",
}
