"""Zones of times: UTC, offsets, and the names of the IANA database."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# No place is further than 14 hours from UTC. "GMT+0200" says what browsers mean by it; "GMT+2" means the opposite to
# POSIX and is not taken.
_OFFSET = re.compile(r"(?:utc|gmt)?([+\-\u2212])(0\d|1[0-4])(?::?([0-5]\d))?", re.IGNORECASE)
_UTC = frozenset({"z", "utc", "gmt", "ut"})


def offset_of(zone: str, local: datetime) -> timedelta:
    """What is to be taken off a local time to have UTC.

    Args:
        zone: Z, UTC, GMT, an offset such as +02:00, +0200, +02 or GMT+0200, or a name such as Europe/Paris; an offset
            may be followed by the name in brackets.
        local: without a zone. Of a time that comes twice as summer ends, the first is meant.

    Raises:
        ValueError: the zone is none of these, as CEST is none: abbreviations mean several zones each.
    """
    if zone.casefold() in _UTC:
        return timedelta(0)
    text, bracket, name = zone.partition("[")
    if bracket and text:
        offset = offset_of(text, local)
        # Java writes both. The offset decides where the name alone would mean either of two.
        if not name.endswith("]") or offset not in _offsets_in(named_zone(name[:-1]), local):
            raise ValueError(f"the zone {zone[:60]!r} is not understood, or its parts contradict each other")
        return offset
    match = _OFFSET.fullmatch(zone)
    if match:
        size = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        return size if match[1] == "+" else -size
    return offset_in(named_zone(zone), local)


def offset_in(zone: ZoneInfo, local: datetime) -> timedelta:
    """The offset of a zone at a local time, see `offset_of`."""
    return local.replace(tzinfo=zone).utcoffset() or timedelta(0)


def _offsets_in(zone: ZoneInfo, local: datetime) -> set[timedelta | None]:
    """The offsets of a zone at a local time, two where it comes twice."""
    return {local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}


@lru_cache(maxsize=1024)
def named_zone(name: str) -> ZoneInfo:
    """The zone of a name such as Europe/Paris.

    Raises:
        ValueError: no such zone. Names without a slash (EST, CET) are taken for none, but for UTC.
    """
    try:
        if "/" in name or name == "UTC":
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise ValueError(f"the zone {name[:60]!r} is not understood; write an offset (+02:00) or a name (Europe/Paris)")
