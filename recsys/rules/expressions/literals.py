"""How texts, times and durations are written."""

from __future__ import annotations

import json
import re
from datetime import datetime

_ESCAPE = re.compile(
    r"\\(?:x(?P<x>[0-9a-fA-F]{2})|X(?P<X>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})"
    r"|(?P<octal>[0-3][0-7]{2})|(?P<other>.))",
    re.DOTALL,
)
_ESCAPES = r"\\ \" \' \` \? \a \b \f \n \r \t \v \xHH \uHHHH \UHHHHHHHH and \OOO (octal)"
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"} | {
    char: char for char in "\\?\"'`"
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DURATION = re.compile(r"(-?)((?:\d+(?:\.\d+)?(?:d|h|ms|m|s))+)", re.ASCII)
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)(d|h|ms|m|s)", re.ASCII)
_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def unescaped(written: str) -> str:
    """A text without its quotes and escapes.

    Raises:
        ValueError: an escape that there is none, or a character that no text of a catalogue holds.
    """
    text = _ESCAPE.sub(_character, written[1:-1])
    try:  # two escapes may be the halves of one character
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise ValueError("a text holds no halves of surrogate pairs") from None
    if "\0" in text:
        raise ValueError("a text holds no character 0")
    return text


def is_sound(text: str) -> bool:
    """Whether it holds neither the character 0 nor halves of surrogate pairs, which no text of a catalogue does."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _character(match: re.Match[str]) -> str:
    kind, digits = match.lastgroup, match[match.lastgroup or 0]
    if kind == "other":
        if digits not in _PLAIN:
            written = match[0] if digits.isprintable() else ascii(match[0])
            raise ValueError(f"there is no escape {written}; there are {_ESCAPES}")
        return _PLAIN[digits]
    code = int(digits, 8 if kind == "octal" else 16)
    if code > 0x10FFFF:
        raise ValueError(f"there is no character {match[0]}")
    return chr(code)


def seconds_since_1970(text: str) -> float:
    """Of a time as RFC 3339 writes it.

    Raises:
        ValueError: it is none.
    """
    try:
        if not _TIME.fullmatch(text):
            raise ValueError
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(
            f'{json.dumps(text)} is no time; one is written "2026-12-01T00:00:00Z" or with +01:00 for Z'
        ) from None


def seconds(text: str) -> float:
    """Of a duration such as 30d or 1h30m.

    Raises:
        ValueError: it is none.
    """
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError(
            f'{json.dumps(text)} is no duration; one is written "30d", "12h" or "1h30m": units are d, h, m, s, ms'
        )
    total = sum(float(amount) * _SECONDS[unit] for amount, unit in _AMOUNT.findall(match[2]))
    if total > 1e12:
        raise ValueError(f"{json.dumps(text)} is too long")
    return -total if match[1] else total
