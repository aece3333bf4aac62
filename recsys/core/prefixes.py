"""Texts that begin alike, as a range of the order by code points: what an index finds without looking at the others."""

from __future__ import annotations

from typing import Final

_LAST: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)  # no text that UTF-8 can hold has one


def end_of_prefix(prefix: str) -> str | None:
    """The first text behind all that begin with `prefix`; None: all texts from `prefix` on begin so."""
    for place in range(len(prefix) - 1, -1, -1):
        following = ord(prefix[place]) + 1
        if following in _SURROGATES:
            following = _SURROGATES.stop
        if following <= _LAST:
            return prefix[:place] + chr(following)
    return None
