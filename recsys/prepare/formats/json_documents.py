"""Texts of JSON as lines of an object each: they may be one array of objects, or objects on several lines each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

import msgspec

from recsys.core.errors import DataError
from recsys.prepare.formats.files import read_blocks
from recsys.prepare.formats.loose_records import json_tree
from recsys.prepare.formats.reports import InputReport

LARGEST_DOCUMENT: Final = 2 << 30
_BLOCK_RECORDS: Final = 1 << 12
# An object with a list of objects, perhaps behind numbers and texts.
_WRAPPED: Final = re.compile(
    rb'\s*\{(?:\s*"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[\w.+-]+)\s*,){0,9}\s*"[^"\\]*"\s*:\s*\[(?=\s*\{)'
)
# What the answers of interfaces say beside the list itself.
_ABOUT_LISTS: Final = frozenset(
    {"total", "count", "total_count", "size", "page", "pages", "per_page", "page_size", "limit", "offset", "next"}
    | {"previous", "cursor", "has_more", "next_page", "version", "status", "success", "generated_at", "updated_at"}
)

_objects = msgspec.json.Decoder(list[msgspec.Raw])


def first_values(text: bytes, count: int) -> Iterator[Any]:
    """At most so many of the first values in a text that is cut off anywhere."""
    if is_document(text):
        yield from islice(_document_values(text.decode("utf-8-sig", "replace")), count)
        return
    for line in text.split(b"\n", count)[:count]:
        try:
            yield json_tree(line)
        except (ValueError, RecursionError):
            continue


def _document_values(text: str) -> Iterator[Any]:
    """The values of an array, also of one that is all that an object has, or values one after the other."""
    values = _scan(text)
    first = list(islice(values, 2))
    if len(first) == 1 and (name := _only_list(first[0])) is not None:
        yield from first[0][name]
    elif not first and (opening := _WRAPPED.match(text.encode())):
        yield from _scan(text.encode()[opening.end() :].decode())
    else:
        yield from first
        yield from values


def _only_list(tree: Any) -> str | None:
    """The name of the list of objects that is all that an object has beside counts: `{"products": [...]}`."""
    if not isinstance(tree, dict):
        return None
    left = [entry for entry in tree.items() if entry[0].casefold() not in _ABOUT_LISTS]
    if len(left) != 1:
        return None
    ((name, entries),) = left
    is_list = isinstance(entries, list) and entries and all(isinstance(entry, dict) for entry in entries)
    return str(name) if is_list else None


def is_document(text: bytes) -> bool:
    """Whether JSON is one array, or objects each on several lines, or one that holds an array, by its first line."""
    head = text.removeprefix(b"\xef\xbb\xbf").lstrip()
    line = head.partition(b"\n")[0].strip()
    if head.startswith(b"["):
        return True
    if not head.startswith(b"{"):
        return False
    if _WRAPPED.match(head) and not head.partition(b"\n")[2].strip():
        return True
    return line == b"{" or (b"\n" in head and not line.endswith(b"}"))


def _scan(text: str) -> Iterator[Any]:
    """The values in a text, one after the other, in an array or without; ends where one is cut off."""
    read = json.JSONDecoder(parse_constant=lambda _: None).raw_decode
    place = _skipped(text, 0, " \t\r\n[")
    while place < len(text):
        try:
            tree, place = read(text, place)
        except (ValueError, RecursionError):
            return
        yield tree
        place = _skipped(text, place, " \t\r\n,]")


def _skipped(text: str, place: int, marks: str) -> int:
    while place < len(text) and text[place] in marks:
        place += 1
    return place


def object_lines(report: InputReport, allow_truncated: bool, on_bytes: Callable[[int], object]) -> Iterator[bytes]:
    """Yield a file as blocks of lines of one object each.

    Raises:
        DataError: see `read_blocks`; an array that is not whole, or is larger than `LARGEST_DOCUMENT`.
    """
    blocks = read_blocks(report, allow_truncated, on_bytes)
    first = next(blocks, b"")
    if not is_document(first):
        yield first
        yield from blocks
        return
    whole, size = [first], len(first)
    for block in blocks:
        whole.append(block)
        size += len(block)
        if size > LARGEST_DOCUMENT:
            raise DataError(
                f"an array of at most {LARGEST_DOCUMENT >> 30} GiB in {report.path}, or an object a line",
                "a larger one, which would have to be held in memory",
                "write each object on a line of its own: jq -c '.[]' FILE > LINES",
            )
    yield from _objects_as_lines(b"".join(whole), report)


def _objects_as_lines(text: bytes, report: InputReport) -> Iterator[bytes]:
    """An array, or objects one after the other, as blocks of lines: within JSON, line feeds are blanks."""
    try:
        objects = [bytes(raw) for raw in _objects.decode(text)]
    except msgspec.DecodeError:
        objects = _unwrapped(_scanned(text, report), report)
    for start in range(0, len(objects), _BLOCK_RECORDS):
        lines = (raw.replace(b"\n", b" ").replace(b"\r", b" ") for raw in objects[start : start + _BLOCK_RECORDS])
        yield b"\n".join(lines) + b"\n"


def _unwrapped(objects: list[bytes], report: InputReport) -> list[bytes]:
    """The objects, or, of a single one that has nothing but a list of objects, these."""
    if len(objects) != 1 or not _WRAPPED.match(objects[0]):
        return objects
    tree = json_tree(objects[0].decode("utf8", "surrogateescape"))  # an entry that is no UTF-8 does not cost the others
    if (name := _only_list(tree)) is None:
        return objects
    report.assume(f"records are the entries of {name}")
    return [json.dumps(entry).encode() for entry in tree[name]]


def _scanned(text: bytes, report: InputReport) -> list[bytes]:
    """Objects without an array around them, or with values that are no JSON, such as NaN."""
    decoded = text.decode("utf-8-sig", "surrogateescape")
    read = json.JSONDecoder(parse_constant=lambda _: None).raw_decode
    place = _skipped(decoded, 0, " \t\r\n[")
    objects: list[bytes] = []
    while place < len(decoded):
        try:
            _, end = read(decoded, place)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"JSON in {report.path}: an array of objects, objects one after the other, or one a line",
                f"{decoded[place : place + 60]!r} after {len(objects):,} objects ({str(error).partition(':')[0]})",
                "export the file again; jq -c '.[]' FILE > LINES writes one object a line",
            ) from None
        objects.append(decoded[place:end].encode("utf8", "surrogateescape"))
        place = _skipped(decoded, end, " \t\r\n,]")
    return objects
