"""From what shops write to plain text and numbers."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

_HIDDEN = re.compile(r"<(script|style)\b.*?(</\1\s*>|$)|<!--.*?(-->|$)", re.IGNORECASE | re.DOTALL)
_INLINE = re.compile(r"</?(?:a|b|em|font|i|span|strong|sub|sup|u)(?:\s[^<>]*)?/?(?:>|$)", re.IGNORECASE)
# An unterminated tag runs to the end: many titles of 2018 are `<span class="a-size-medium"`.
_TAG = re.compile(r"<[/!]?[a-zA-Z][^<>]*(?:>|$)")
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\ufeff]")
# Page code that was scraped instead of a title; the authors of the 2018 data recognise it by getTime().
_PAGE_SCRIPT = ("getTime()", "function(", "function (")
_PAGE_STYLE = re.compile(r"\s*[.#][\w-]+\s*\{")


def clean_text(raw: str) -> str:
    """Plain text of an HTML fragment: tags and page code removed, entities decoded, white space single.

    Entities are decoded before and after the tags go, because files escape twice ("&amp;amp;").
    """
    text = raw
    if "<" in text or "&" in text:
        text = html.unescape(html.unescape(text))
        text = _HIDDEN.sub(" ", text)
        text = _TAG.sub(" ", _INLINE.sub("", text))
    if _PAGE_STYLE.match(text) or any(mark in text for mark in _PAGE_SCRIPT):
        return ""
    if not text.isprintable():
        text = _INVISIBLE.sub(" ", text)
    return " ".join(text.split())


# Brands and categories repeat from item to item.
clean_name = lru_cache(maxsize=1 << 14)(clean_text)


def clean_all(raw: Iterable[str], clean: Callable[[str], str] = clean_text) -> list[str]:
    """Cleaned texts in their order, without empty and repeated ones."""
    return list(dict.fromkeys(text for text in map(clean, raw) if text))


def category_separator(*, are_tags: bool) -> str:
    """What stands between the categories in an item's text: tags have no order, a path of a shop has one."""
    return " " if are_tags else " > "


def item_text(
    title: str,
    brand: str,
    categories: Sequence[str],
    description: str,
    max_chars: int,
    *,
    year: str = "",
    separator: str = " > ",
) -> str:
    """What the text encoder reads: title, year, brand, categories and description, cut at a word after `max_chars`."""
    parts = (title, year, brand, separator.join(categories), description)
    text = ". ".join(part.rstrip(".") for part in parts if part)
    if len(text) <= max_chars:
        return text
    head, space, _ = text[: max_chars + 1].rpartition(" ")
    return head if space else text[:max_chars]
