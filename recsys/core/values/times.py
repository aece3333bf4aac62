"""Times as shops write them, as seconds since 1970. What is not fully understood is refused, never guessed.

    2014-05-13T18:53:20+02:00   ISO 8601, also with a blank, slashes, a comma, without seconds; weeks; 20140513T165320Z
    Tue, 13 May 2014 16:53:20 GMT   RFC 2822 and its relatives, with English names
    20140513, 201405131653, 20140513165320   compact dates; such a number is never one of seconds
    1400000000, 1.4e9, 1400000000123   seconds since 1970, or parts of a second as `TimeRules.unit` says
    13/05/2014 04:53:20 PM   where `TimeRules.date_order` says which comes first

`dates` reads the date at the head of a text, `zones` the zone at its end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from recsys.core.events import END_OF_TIME, SECONDS_PER_DAY
from recsys.core.values.dates import DateOrder, read_date
from recsys.core.values.zones import named_zone, offset_of

TimeUnit = Literal["s", "ms", "us", "ns"]
# How many of a unit are in a second.
TICKS: Final[dict[TimeUnit, int]] = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
UNIT_NAMES: Final[dict[TimeUnit, str]] = {
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
}
NANOSECONDS: Final = 10**9
START_OF_LOGS: Final = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp())  # no shop has older ones

_NUMBER = re.compile(r"[+-]?\d{1,30}(?:\.\d*)?(?:e(?:-\d{1,3}|\+?\d{1,2}))?", re.IGNORECASE)
# As a number of seconds it would lie between 1970 and 1973, or as one of milliseconds before 1977.
_COMPACT = re.compile(r"((?:19|20)\d{6})(?:(\d\d)(\d\d)(\d\d)?)?(?:\.0*)?")

# A comment in brackets may follow an offset of four digits, which has said all; else it might name the zone.
_AFTER_DATE = r"(?:t|,?\s+|:(?=\d\d:))"
_CLOCK = re.compile(
    rf"{_AFTER_DATE}(?P<hour>\d{{1,2}}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?(?![a-z]))?(?:\s*(?P<zone>[a-z+\-\u2212][^\s()]*))?(?:(?<=[+-]\d{4})\s*\([^()]*\))?",
    re.IGNORECASE,
)
# Also an hour alone behind a blank, as in "2014-12-06 02".
_BASIC_CLOCK = re.compile(
    r"(?:t|\s+(?=\d\d$))(?P<hour>\d\d)(?:(?P<minute>\d\d)(?:(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?(?P<half>)"
    r"(?P<zone>z|[+\-\u2212]\d\d:?(?:\d\d)?)?",
    re.IGNORECASE,
)
# As the C library writes times: the year behind the clock.
_YEAR_BEHIND = re.compile(
    r"(?P<date>(?:[a-z]{3}\s+)?[a-z]{3}\s+\d{1,2})\s+(?P<clock>\d\d:\d\d:\d\d(?:\s+[a-z+-]\S*)?)\s+(?P<year>\d{4})",
    re.IGNORECASE,
)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class TimeRules:
    """What texts alone do not say.

    Attributes:
        unit: of a plain number.
        date_order: of dates such as 5/6/2014; None refuses them.
        zone: of times that name none; None refuses them.
        counted: whether plain numbers are known to count the unit, as a type or an API says; else those that look like
            days of a spreadsheet are refused.
    """

    unit: TimeUnit = "s"
    date_order: DateOrder | None = None
    zone: str | None = "UTC"
    counted: bool = False


IN_UTC: Final = TimeRules()
_WITH_OFFSET: Final = TimeRules(zone=None)


def parse_time(value: str | float, rules: TimeRules = IN_UTC) -> float:
    """Seconds since 1970 of a text or a number.

    Raises:
        AmbiguousTimeError: it can be read in two ways.
        ValueError: it is not understood, in words that say why.
    """
    if not isinstance(value, str):
        text = str(value)
        if rules.counted and _NUMBER.fullmatch(text) and not _COMPACT.fullmatch(text):
            return value / TICKS[rules.unit]
        return parse_nanoseconds(text, rules) / NANOSECONDS
    quick = _quickly(value)
    return parse_nanoseconds(value, rules) / NANOSECONDS if quick is None else quick


def parse_day_or_time(text: str) -> float:
    """Seconds since 1970 of a day such as 2024-05-01, its start in UTC, or of a time with its offset.

    Raises:
        ValueError: it is neither.
    """
    return parse_time(text if len(text) > len("2024-05-01") else f"{text}T00:00:00Z", _WITH_OFFSET)


def parse_nanoseconds(text: str, rules: TimeRules = IN_UTC) -> int:
    """Like `parse_time`, exact to the nanosecond; further digits are cut off."""
    text = text.strip()
    compact = _COMPACT.fullmatch(text)
    if compact:
        return _compact(compact, rules)
    if _NUMBER.fullmatch(text):
        return _number(text, rules)
    behind = _YEAR_BEHIND.fullmatch(text)
    if behind:
        text = f"{behind['date']} {behind['year']} {behind['clock']}"
    dated = read_date(text, rules.date_order)
    if dated is None:
        raise ValueError(f"{text[:60]!r} is not understood as a time")
    day, end = dated
    rest = text[end:]
    if not rest:
        return _nanoseconds(day, 0, 0, rules.zone)
    clock = _CLOCK.fullmatch(rest) or _BASIC_CLOCK.fullmatch(rest)
    if clock is None:
        raise ValueError(f"{rest[:60]!r} after the date is not understood")
    return _nanoseconds(day, _second_of_day(clock), _fraction(clock), clock["zone"] or rules.zone)


def _quickly(text: str) -> float | None:
    """Seconds of the usual way to send a time, an RFC 3339 one; None for others, which take longer to read."""
    if not (20 <= len(text) <= 32 and text[10] == "T"):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    offset = time.utcoffset()
    if offset is None or abs(offset) >= timedelta(hours=15) or offset.seconds % 60:
        return None
    return time.timestamp()


def check_time(seconds: float) -> float:
    """Seconds since 1970, as a store holds them.

    Raises:
        ValueError: before 1970 or after 2242, or no number.
    """
    if 0 <= seconds < END_OF_TIME:
        return seconds
    raise ValueError(
        f"expected a time from 1970 to 2242, got {str(seconds)[:30]} seconds since 1970{_unit_hint(seconds)}"
    )


def unit_of(number: float) -> TimeUnit | None:
    """The unit in which a number since 1970 is a time from 1990 to 2242; the ranges do not meet. None: no unit."""
    for unit, ticks in TICKS.items():
        if START_OF_LOGS * ticks <= number < END_OF_TIME * ticks:
            return unit
    return None


def is_count(text: str) -> bool:
    """Whether a text is a plain number since 1970, and no date."""
    return bool(_NUMBER.fullmatch(text)) and not _COMPACT.fullmatch(text)


def is_spreadsheet_day(number: float | Decimal) -> bool:
    """Whether a number may be the days since 1900 of a time from 1954 to 2119, as spreadsheets keep times."""
    return 20_000 <= number <= 80_000


def _unit_hint(seconds: float) -> str:
    unit = unit_of(seconds)
    return f", which may be {UNIT_NAMES[unit]}" if unit else ""


def _compact(match: re.Match[str], rules: TimeRules) -> int:
    try:
        day = date.fromisoformat(match[1])
    except ValueError as error:
        raise ValueError(f"{match[1]} is no date such as 20231231: {error}") from None
    hour, minute, second = (int(part or 0) for part in match.group(2, 3, 4))
    return _nanoseconds(day, _seconds(hour, minute, second), 0, rules.zone)


def _number(text: str, rules: TimeRules) -> int:
    number = Decimal(text)
    if rules.unit == "s" and not rules.counted and is_spreadsheet_day(number):
        raise ValueError(f"{text} looks like a spreadsheet's number of days; export the column as dates")
    return int(number * (NANOSECONDS // TICKS[rules.unit]))


def _second_of_day(clock: re.Match[str]) -> int:
    hour = int(clock["hour"])
    if clock["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"there is no hour {hour} {clock['half'].upper()}M")
        hour = hour % 12 + (12 if clock["half"] in "pP" else 0)
    return _seconds(hour, int(clock["minute"] or 0), int(clock["second"] or 0))


def _seconds(hour: int, minute: int, second: int) -> int:
    total = hour * 3600 + minute * 60 + second
    if minute > 59 or second > 59 or total > SECONDS_PER_DAY:
        raise ValueError(f"there is no time {hour:02}:{minute:02}:{second:02} of a day")
    return total


def _fraction(clock: re.Match[str]) -> int:
    return int((clock["fraction"] or "")[:9].ljust(9, "0"))


def _nanoseconds(day: date, second_of_day: int, fraction: int, zone: str | None) -> int:
    if zone is None:
        raise ValueError("a time needs its offset from UTC, as in 2024-05-01T12:00:00Z")
    seconds = (day.toordinal() - _EPOCH_DAY) * SECONDS_PER_DAY + second_of_day
    if zone != "UTC":
        local = datetime.fromordinal(day.toordinal()).replace(
            hour=second_of_day // 3600 % 24, minute=second_of_day // 60 % 60, second=second_of_day % 60
        )
        seconds -= int(offset_of(zone, local).total_seconds())
    return seconds * NANOSECONDS + fraction


def check_zone(name: str) -> str:
    """The name of a zone.

    Raises:
        ValueError: no such zone.
    """
    return named_zone(name).key
