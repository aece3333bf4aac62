"""Words of texts: what items and names are found by, and what titles are sorted by."""

from __future__ import annotations

import re
import unicodedata

MAX_WORD_CHARS = 60
MAX_TITLE_KEY_CHARS = 100
_WORD = re.compile(r"[^\W_]+")


def words_of(*texts: str) -> list[str]:
    """The distinct words of letters and digits, without case and accents, in their order."""
    words = _WORD.findall(_plain(" ".join(texts)))
    return list(dict.fromkeys(word[:MAX_WORD_CHARS] for word in words))


def title_key(title: str) -> str | None:
    """What a title is sorted by: all its words, cut off where it is long; None for a title without a word."""
    return " ".join(_WORD.findall(_plain(title)))[:MAX_TITLE_KEY_CHARS] or None


def _plain(text: str) -> str:
    if not text.isascii():
        text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return text.casefold()
