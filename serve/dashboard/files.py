"""The built files of the page, read once into memory, with what a browser is told of each."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath

from msgspec import Struct

FOLDER = Path(__file__).parent / "static"
INDEX = "index.html"
ASSETS = "assets/"  # the names of files below it hold a hash of their content
FOR_EVER, ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"

# Of our own: Python's module goes by files of the machine, which may call a script plain text.
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
OTHER = "application/octet-stream"
COMPRESSED = frozenset({".ico", ".jpg", ".png", ".webp", ".woff2"})  # by their format; gzip makes them no smaller


class StaticFile(Struct, frozen=True):
    """A file as it is sent.

    Attributes:
        zipped: the same in gzip; None where that is not shorter.
        tag: names the content, without quotes.
        caching: the value of Cache-Control.
    """

    content: bytes
    zipped: bytes | None
    media_type: str
    tag: str
    caching: str


@cache
def built_files(folder: Path = FOLDER) -> Mapping[str, StaticFile]:
    """All files below a folder by their paths in it; none where the page has not been built.

    Raises:
        OSError: one of them cannot be read.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        name: _read(path, name) for path in paths if not (name := path.relative_to(folder).as_posix()).startswith(".")
    }


def _read(path: Path, name: str) -> StaticFile:
    content = path.read_bytes()
    zipped = None if path.suffix in COMPRESSED else gzip.compress(content, 9, mtime=0)
    return StaticFile(
        content,
        zipped if zipped is not None and len(zipped) < len(content) else None,
        MEDIA_TYPES.get(path.suffix, OTHER),
        hashlib.sha256(content).hexdigest()[:32],
        FOR_EVER if name.startswith(ASSETS) else ASK_AGAIN,
    )


def file_for(files: Mapping[str, StaticFile], path: str) -> StaticFile | None:
    """What an address below the page's is answered with.

    An address that is no file is a view of the page, which its index shows. One that looks like a file is missing:
    a browser that got the index for a script would say nothing of what is wrong.
    """
    found = files.get(path or INDEX)
    if found is not None or path.startswith(ASSETS) or PurePosixPath(path).suffix in MEDIA_TYPES:
        return found
    return files.get(INDEX)
