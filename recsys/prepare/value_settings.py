"""Settings that say how the values of raw files are written, where the files do not show it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, field_validator

from recsys.core.events import SECONDS_PER_DAY
from recsys.core.settings import Section, unmentioned
from recsys.core.values.dates import DateOrder
from recsys.core.values.event_types import normal_event_type
from recsys.core.values.missing import MISSING_IDS
from recsys.core.values.numbers import DecimalMark
from recsys.core.values.times import TimeRules, TimeUnit, check_zone

NO_USER_IDS = (*sorted(MISSING_IDS - {""}), "nil", "undefined", "anonymous")


def _type_name(key: Any) -> Any:
    """An event type in its normal form; YAML reads a bare 1 or true as a number or a truth value."""
    return normal_event_type(str(key)) if isinstance(key, str | int) else key


EventTypeKey = Annotated[str, BeforeValidator(_type_name)]


def each_type_once(types: Any) -> Any:
    """The map of event types itself.

    Raises:
        ValueError: two of its keys differ in case or blanks alone, and so are one type.
    """
    if isinstance(types, dict):
        seen: dict[Any, Any] = {}
        for key in types:
            if (first := seen.setdefault(_type_name(key), key)) is not key:
                raise ValueError(f"{first!r} and {key!r} are one event type, because case and blanks do not count")
    return types


class ValueConfig(Section):
    """How times, numbers and ids are written in raw files."""

    time_unit: Literal["auto", "order", TimeUnit] = unmentioned(
        "auto",
        description="Unit of times that are plain numbers since 1970; auto takes the one that fits the first rows of a "
        "file, and says which. Other units in the same file are bad values. order: whole numbers that order events, as "
        "those of orders do, and no times.",
    )
    date_order: DateOrder | None = unmentioned(
        None,
        description="Order of dates such as 5/6/2014. Without it they are bad values.",
    )
    time_zone: Annotated[str, AfterValidator(check_zone)] = unmentioned(
        "UTC",
        description="Zone of times that name none, as in the IANA database (Europe/Paris).",
    )
    earliest_year: Annotated[int, Field(ge=1970, le=2242)] = unmentioned(
        1990,
        description="Events of years before are dropped and counted, unless most of the first ones of a file are: its "
        "times are then taken for numbers that order events.",
    )
    latest_time: AwareDatetime | None = unmentioned(
        None,
        description="Events after it are dropped and counted; null: a day after the moment of preparing.",
    )
    decimal: Literal["auto", DecimalMark] = unmentioned(
        "auto",
        description="Decimal mark of numbers written as text; auto takes the one that they show.",
    )
    no_user_ids: list[str] = unmentioned(
        list(NO_USER_IDS),
        description="User ids, whatever their case, that stand for no user: such events are bad lines.",
    )

    @field_validator("no_user_ids")
    @classmethod
    def _in_small_letters(cls, words: list[str]) -> list[str]:
        return [word.strip().casefold() for word in words]

    @property
    def decimal_mark(self) -> DecimalMark | None:
        """The decimal mark if it is set."""
        return None if self.decimal == "auto" else self.decimal

    def time_rules(self, unit: TimeUnit, counted: bool = False) -> TimeRules:
        """How times are read where plain numbers count a unit; `counted`, where that is known."""
        return TimeRules(unit, self.date_order, self.time_zone, counted)

    def latest_second(self) -> float:
        """Seconds since 1970 until which events count; unless it is set, it moves with the clock."""
        return time.time() + SECONDS_PER_DAY if self.latest_time is None else self.latest_time.timestamp()

    @property
    def earliest_time(self) -> int:
        """Seconds since 1970 from which on events count."""
        return int(datetime(self.earliest_year, 1, 1, tzinfo=UTC).timestamp())
