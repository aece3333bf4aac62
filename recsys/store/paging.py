"""Cursors: the key after which the next page begins, in a form that callers pass on without reading it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from recsys.store.errors import InvalidCursor
from recsys.store.records import Page

T = TypeVar("T")


def page(listing: str, rows: Sequence[T], limit: int, key: Callable[[T], list[Any]]) -> Page[T]:
    """The first `limit` of `rows`, with a cursor to the `key` of the last one if there are more."""
    shown = list(rows[:limit])
    return Page(shown, encode(listing, key(shown[-1])) if shown and len(rows) > limit else None)


def encode(listing: str, key: list[Any]) -> str:
    """The cursor that continues a listing after `key`."""
    text = json.dumps([listing, *key], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode("utf8")).decode("ascii").rstrip("=")


def decode(listing: str, cursor: str, *types: type) -> list[Any]:
    """The key in a cursor.

    Raises:
        InvalidCursor: `encode` gave no such cursor for this listing.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("utf8")
        parts: list[Any] = json.loads(text)
        name, *key = parts
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise _invalid(listing) from None
    sound = name == listing and len(key) == len(types)
    if not sound or not all(type(value) is kind and _plausible(value) for value, kind in zip(key, types, strict=True)):
        raise _invalid(listing)
    return key


def _plausible(value: object) -> bool:
    """Whether `encode` may have been given the value."""
    if isinstance(value, int):
        return 0 <= value < 1 << 62
    return not any("\ud800" <= char <= "\udfff" for char in str(value))


def _invalid(listing: str) -> InvalidCursor:
    return InvalidCursor(
        f"a cursor that the listing of {listing} gave", "another text", "pass a cursor on as it came, or none to begin"
    )
