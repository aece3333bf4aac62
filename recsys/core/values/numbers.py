"""Numbers as people write them: with a decimal point or comma, and marks between groups of digits.

    1299, 1299.5, 1,299.00, 1.299,00, 1 299,00, 1'299.00, 12,34,567.00, 12,99, -2, 1.4e9

A point or a comma before exactly three digits may be either: `1.299` and `1,299` are ambiguous, unless the decimal mark
is known. They are read with the point as decimal mark and the comma between thousands, and said to be ambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

DecimalMark = Literal[".", ","]

# Arrow and DuckDB read these alike; each of the other forms is read here alone.
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_UNCLEAR = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
# A mark that cannot stand between groups of digits: no three digits follow, or more than three or a zero precede.
_SHOWS_MARK = re.compile(
    r"(?:(?:^|[^.,\d])0|\d{4})(?:(\.)|,)\d{3}(?!\d)|\d(?:(\.)|,)(?:\d\d?|\d{4,})(?![\d.,])", re.ASCII
)
# Several groups of digits: what stands between them is not the decimal mark.
_SHOWS_GROUPS = re.compile(
    r"(?<![\d.,])(?:[1-9]\d{0,2}(?:(?P<points>(?:\.\d{3}){2,})|(?:,\d{3}){2,})|[1-9]\d?(?:,\d\d)+,\d{3})(?![\d.,])",
    re.ASCII,
)
_MARKS: Final[tuple[DecimalMark, DecimalMark]] = (".", ",")
_BLANK = r"[ \u00a0\u2009\u202f]"
_APOSTROPHE = "['\u2019]"
# Between groups stands one and the same mark; in India groups of two precede the last of three.
_GROUPS: Final = (
    r"[1-9]\d{{0,2}}(?:{mark}\d{{3}})+",
    r"[1-9]\d?(?:{mark}\d\d)+{mark}\d{{3}}",
)


class Number(NamedTuple):
    """A number, and whether the same text could mean another one."""

    value: float
    ambiguous: bool = False


def read_number(text: str, mark: DecimalMark | None = None) -> Number:
    """The number that a text means.

    Args:
        text: with any blanks around.
        mark: the decimal mark; None takes the one that each text shows.

    Raises:
        ValueError: it is no number, or none with this decimal mark.
    """
    text = text.strip()
    if mark is None and _UNCLEAR.fullmatch(text):
        return Number(float(text.replace(",", "")), ambiguous=True)
    if mark != "," and _PLAIN.fullmatch(text):
        return Number(float(text))
    for decimal in _MARKS if mark is None else (mark,):
        if _PATTERNS[decimal].fullmatch(text):
            digits = re.sub(rf"{_BLANK}|{_APOSTROPHE}|[{'.' if decimal == ',' else ','}]", "", text)
            return Number(float(digits.replace(",", ".")))
    hint = f" with {mark!r} as its decimal mark" if mark else ""
    raise ValueError(f"{text[:60]!r} is not understood as a number{hint}")


def shown_mark(texts: Iterable[str]) -> DecimalMark | None:
    """The decimal mark that the texts of a column show by those of them that are not ambiguous.

    None where none of them shows one, or they contradict each other.
    """
    shown = {mark for text in texts if (mark := _mark_in(text))}
    return next((mark for mark in _MARKS if shown == {mark}), None)


def _mark_in(text: str) -> DecimalMark | None:
    if match := _SHOWS_MARK.search(text):
        return "." if match[1] or match[2] else ","
    if match := _SHOWS_GROUPS.search(text):
        return "," if match["points"] else "."
    return None


def _pattern(decimal: DecimalMark) -> re.Pattern[str]:
    marks = (_BLANK, _APOSTROPHE, r"\." if decimal == "," else ",")
    whole = "|".join(group.format(mark=mark) for mark in marks for group in _GROUPS)
    return re.compile(rf"[+-]?(?=\d|[{decimal}]\d)(?:\d+|{whole})?(?:[{decimal}]\d*)?", re.ASCII)


_PATTERNS: Final = {mark: _pattern(mark) for mark in _MARKS}
