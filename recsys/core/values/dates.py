"""The date at the head of a time: ISO 8601, numbers with slashes or points, English names of months."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Final, Literal

DateOrder = Literal["day_first", "month_first"]


def _numbered(names: str) -> dict[str, int]:
    """The position of each name, and of its first three letters, from 0."""
    positions = enumerate(names.split())
    return {form: position for position, name in positions for form in (name, name[:3])}


_MONTHS: Final = _numbered("january february march april may june july august september october november december") | {
    "sept": 8
}
_WEEKDAYS: Final = _numbered("monday tuesday wednesday thursday friday saturday sunday")
_WEEKDAY = r"(?:(?P<weekday>[a-z]{3,9})(?:,\s*|\s+))?"
_MONTH = r"(?P<month>[a-z]{3,9})"

_YEAR_FIRST = re.compile(r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?!\d)")
_BASIC = re.compile(r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?=t|\s+\d\d:)", re.IGNORECASE)
_WEEK = re.compile(r"\d{4}-?w\d\d-?\d(?!\d)", re.IGNORECASE)
_YEAR_LAST = re.compile(r"(?P<first>\d{1,2})(?P<mark>[-/.])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d)(?!\d)")
_NAMED = re.compile(rf"{_WEEKDAY}(?P<day>\d{{1,2}})[\s/-]+{_MONTH}\.?,?[\s/-]+(?P<year>\d{{4}})(?!\d)", re.IGNORECASE)
_MONTH_FIRST = re.compile(rf"{_WEEKDAY}{_MONTH}\.?\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}})(?!\d)", re.IGNORECASE)


class AmbiguousTimeError(ValueError):
    """A date that can be read in two ways, and no setting says which."""


def read_date(text: str, order: DateOrder | None) -> tuple[date, int] | None:
    """The date at the head of a text and the number of characters it takes; None if there is none.

    Args:
        text: a time.
        order: of day and month where the year comes last and all are numbers.

    Raises:
        AmbiguousTimeError: there is no order and the date needs one.
        ValueError: there is no such day, or it is no such weekday.
    """
    for pattern, read in _READERS:
        match = pattern.match(text)
        if match:
            return read(match), match.end()
    match = _YEAR_LAST.match(text)
    return (_ordered(match, order), match.end()) if match else None


def _numbers(match: re.Match[str]) -> date:
    return date(int(match["year"]), int(match["month"]), int(match["day"]))


def _week(match: re.Match[str]) -> date:
    return date.fromisoformat(match[0].upper())


def _named(match: re.Match[str]) -> date:
    day = date(int(match["year"]), 1 + _position(match["month"], _MONTHS), int(match["day"]))
    if match["weekday"] and day.weekday() != _position(match["weekday"], _WEEKDAYS):
        raise ValueError(f"{day} is no {match['weekday']}")
    return day


_READERS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], date]], ...]] = (
    (_YEAR_FIRST, _numbers),
    (_BASIC, _numbers),
    (_WEEK, _week),
    (_NAMED, _named),
    (_MONTH_FIRST, _named),
)


def _position(name: str, names: dict[str, int]) -> int:
    position = names.get(name.casefold())
    if position is None:
        raise ValueError(f"{name!r} is the name of no month or weekday")
    return position


def _ordered(match: re.Match[str], order: DateOrder | None) -> date:
    """A date of three numbers, the year last."""
    if len(match["year"]) == 2:
        raise AmbiguousTimeError(f"{match[0]!r} has a year of two digits, which may stand for several")
    first, second, year = int(match["first"]), int(match["second"]), int(match["year"])
    if order is not None:
        day, month = (first, second) if order == "day_first" else (second, first)
        return date(year, month, day)
    readings = [
        f"{_shown(year, month, day)} with data.date_order: {name}"
        for name, day, month in (("day_first", first, second), ("month_first", second, first))
    ]
    raise AmbiguousTimeError(f"{match[0]!r} is {readings[0]} and {readings[1]}")


def _shown(year: int, month: int, day: int) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return "no date"
