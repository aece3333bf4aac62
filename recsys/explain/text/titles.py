"""Titles, names of brands and categories in a text: data, whatever they hold."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

MAX_CHARS: Final = 60
ELLIPSIS: Final = "…"
_JOINERS: Final = "\u200c\u200d"  # scripts of India and Persia and some emoji need them
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_INNER: Final = "'"


def clean(text: str, max_chars: int = MAX_CHARS) -> str:
    """One line of visible characters, cut at a word where it is too long.

    Control characters, marks that turn the direction of writing and line breaks become blanks, blanks in a row one.
    """
    shown = text[: 4 * max_chars]
    if not shown.isprintable():  # which almost all titles are: it is true of visible characters and blanks alone
        shown = "".join(char if _visible(char) else " " for char in shown)
    words = " ".join(shown.split())
    if len(words) <= max_chars:
        return words
    start = words[: max_chars - len(ELLIPSIS)]
    if words[len(start)] != " ":
        # A word is cut only where it fills more than half of the room by itself.
        whole = start.rfind(" ")
        start = start[:whole] if whole > max_chars // 2 else start
    return start.rstrip(" ,;:-–—(") + ELLIPSIS


def quoted(text: str, quotes: Sequence[str], max_chars: int = MAX_CHARS) -> str:
    """A clean text in quotes. None within looks like one of them, or like the straight one."""
    inner = clean(text, max_chars)
    for mark in (*quotes, '"'):
        inner = inner.replace(mark, _INNER)
    return f"{quotes[0]}{inner}{quotes[1]}"


def _visible(char: str) -> bool:
    return char in _JOINERS or unicodedata.category(char) not in _HIDDEN
