"""Times: what is read, against independent readers and by hand, and what is refused and why."""

import math
import string
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest
from dateutil import parser as dateutil_parser
from hypothesis import assume, given
from hypothesis import strategies as st

from recsys.core.values.dates import AmbiguousTimeError
from recsys.core.values.times import TimeRules, check_time, check_zone, parse_nanoseconds, parse_time, unit_of

SEND = 1_400_000_000  # 2014-05-13 16:53:20 UTC, a Tuesday


@pytest.mark.parametrize(
    "text",
    [
        "1400000000",
        " 1400000000 ",
        "1400000000.0",
        "1.4e9",
        "1.4E+9",
        "2014-05-13T16:53:20Z",
        "2014-05-13t16:53:20z",
        "2014-05-13 16:53:20",
        "2014-05-13T18:53:20+02:00",
        "2014-05-13T18:53:20+0200",
        "2014-05-13 18:53:20 +0200",
        "2014-05-13 18:53:20+02",
        "2014-05-13 11:23:20-05:30",
        "2014-05-13 16:53:20 UTC",
        "2014-05-13 16:53:20 GMT",
        "2014-05-13 18:53:20 GMT+0200",
        "2014-05-13 18:53:20 UTC+02:00",
        "2014-05-13 18:53:20 Europe/Paris",
        "2014-05-13T18:53:20+02:00[Europe/Paris]",
        "2014/05/13 16:53:20",
        "2014-5-13 16:53:20",
        "2014-05-13 04:53:20 PM",
        "2014-05-13 4:53:20pm",
        "2014-05-13 4:53:20 p.m.",
        "20140513165320",
        "20140513T165320Z",
        "20140513 16:53:20",
        "2014-05-13T16:53:20.000Z[UTC]",
        "2014-W20-2T16:53:20Z",
        "Tue, 13 May 2014 16:53:20 GMT",
        "Tue, 13 May 2014 18:53:20 +0200 (CEST)",
        "13 May 2014 16:53:20",
        "13-May-2014 16:53:20",
        "May 13, 2014 4:53:20 PM",
        "Tue May 13 16:53:20 2014",
        "Tue May 13 16:53:20 UTC 2014",
        "Tue May 13 2014 18:53:20 GMT+0200 (Central European Summer Time)",
        "13/May/2014:18:53:20 +0200",
    ],
)
def test_ways_to_write_one_second(text: str) -> None:
    assert parse_time(text) == SEND


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2014-05-13", 1_399_939_200),
        ("20140513", 1_399_939_200),
        ("20140513.0", 1_399_939_200),
        ("201405131653", SEND - 20),
        ("2014-05-13T16:53Z", SEND - 20),
        ("2014-05-13 16", SEND - 53 * 60 - 20),  # an hour alone, as in logs of Tianchi
        ("2014-05-13 04", SEND - 53 * 60 - 20 - 12 * 3600),
        ("2014-05-13T18:53+02:00", SEND - 20),
        ("2014-05-13 12:53:20 AM", 1_399_942_400),
        ("2014-05-13 12:53:20 PM", 1_399_985_600),
        ("2014-05-13T24:00:00Z", 1_400_025_600),
        ("2014-02-28T24:00:00", 1_393_632_000),
        ("2014-05-13 16:53:20,125", SEND + 0.125),
        ("0", 0),
        ("-9", -9),
    ],
)
def test_other_seconds(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


def test_nanoseconds_are_exact_and_further_digits_cut_off() -> None:
    assert parse_nanoseconds("2014-05-13T16:53:20.999999999Z") == SEND * 10**9 + 999_999_999
    assert parse_nanoseconds("2014-05-13T16:53:20.9999999999Z") == SEND * 10**9 + 999_999_999
    assert parse_nanoseconds("1400000000.999999999") == SEND * 10**9 + 999_999_999


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("soon", "not understood as a time"),
        ("", "not understood as a time"),
        ("nan", "not understood as a time"),
        ("inf", "not understood as a time"),
        ("1e400", "not understood as a time"),
        ("2014-05", "not understood as a time"),
        ("16:53:20", "not understood as a time"),
        ("20140231", "day is out of range"),
        ("2014-02-30", "day .* (range|month)"),
        ("2014-13-01", "month must be in 1..12"),
        ("2014-05-13 16:53:20 EST", "the zone 'EST' is not understood"),
        ("2014-05-13 16:53:20 CEST", "the zone 'CEST' is not understood"),
        ("2014-05-13 16:53:20 CET", "the zone 'CET' is not understood"),
        ("2014-05-13 16:53:20 Europe/Pariss", "the zone 'Europe/Pariss' is not understood"),
        ("2014-05-13T18:53:20+09:00[Europe/Paris]", "contradict"),
        ("2014-05-13 16:53:20 (CEST)", "after the date is not understood"),
        ("2014-05-13 16:53:20 junk", "the zone 'junk'"),
        ("2014-05-13 16:53:20Z junk", "after the date is not understood"),
        ("2014-05-13junk", "after the date is not understood"),
        ("2014-05-13 16:53:20+25:00", "zone"),
        ("2014-05-13 16:53:20 GMT+2", "zone"),
        ("2014-05-13 25:00:00", "no time 25:00:00"),
        ("2014-05-13 24:00:01", "no time 24:00:01"),
        ("2014-05-13 16:60:00", "no time 16:60:00"),
        ("2014-05-13 16:53:20 AM", "no hour 16"),
        ("2014-05-13 00:53:20 PM", "no hour 0"),
        ("Wed, 13 May 2014 16:53:20 GMT", "is no Wed"),
        ("13 Mai 2014", "'Mai' is the name of no month"),
        ("41772.7037", "spreadsheet's number of days"),
        ("41772", "spreadsheet's number of days"),
    ],
)
def test_what_is_not_fully_understood_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "day_first", "month_first"),
    [
        ("5/6/2024", "2024-06-05", "2024-05-06"),
        ("13/05/2014", "2014-05-13", None),
        ("5-13-2014", None, "2014-05-13"),
        ("13.05.2014", "2014-05-13", None),
    ],
)
def test_the_order_of_day_and_month_is_set_or_the_time_is_refused_with_both_readings(
    text: str, day_first: str | None, month_first: str | None
) -> None:
    with pytest.raises(AmbiguousTimeError) as refused:
        parse_time(text)
    for order, reading in (("day_first", day_first), ("month_first", month_first)):
        assert f"{reading or 'no date'} with data.date_order: {order}" in str(refused.value)
        rules = TimeRules(date_order=order)  # type: ignore[arg-type]
        if reading is None:
            with pytest.raises(ValueError, match="month"):
                parse_time(text, rules)
        else:
            expected = datetime.fromisoformat(reading).replace(tzinfo=UTC).timestamp()
            assert parse_time(text, rules) == expected
            assert parse_time(f"{text} 04:53:20 PM", rules) == expected + 60_800
    with pytest.raises(AmbiguousTimeError, match="two digits"):
        parse_time("5/6/24", TimeRules(date_order="day_first"))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_units(unit: str) -> None:
    digits = {"s": "", "ms": "123", "us": "123456", "ns": "123456789"}[unit]
    seconds = parse_time(f"{SEND}{digits}", TimeRules(unit=unit))  # type: ignore[arg-type]
    assert math.floor(seconds) == SEND
    assert unit_of(float(f"{SEND}{digits}")) == unit
    # A compact date is one whatever the unit.
    assert parse_time("20140513", TimeRules(unit=unit)) == 1_399_939_200  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [0, 1, 20_140_513, 600_000_000, 10**10, 2 * 10**13, 10**20])
def test_no_unit_fits(number: int) -> None:
    assert unit_of(number) is None


def test_the_zone_of_times_that_name_none() -> None:
    in_paris = TimeRules(zone="Europe/Paris")
    assert parse_time("2014-05-13 18:53:20", in_paris) == SEND
    assert parse_time("2014-01-13 17:53:20", in_paris) == 1_389_632_000
    assert parse_time("2014-05-13 16:53:20Z", in_paris) == SEND
    # The hour that comes twice as summer ends is the first; the one that is skipped counts on from before.
    assert parse_time("2014-10-26 02:30:00", in_paris) == 1_414_283_400
    assert parse_time("2014-03-30 02:30:00", in_paris) == 1_396_143_000
    with pytest.raises(ValueError, match="needs its offset"):
        parse_time("2014-05-13 18:53:20", TimeRules(zone=None))
    with pytest.raises(ValueError, match="needs its offset"):
        parse_time("20140513", TimeRules(zone=None))
    with pytest.raises(ValueError, match="needs its offset"):
        parse_time(20_140_513, TimeRules(zone=None, counted=True))


@pytest.mark.parametrize("name", ["Europe/Paris", "UTC", "America/St_Johns", "Asia/Kolkata"])
def test_zones(name: str) -> None:
    assert check_zone(name) == name


@pytest.mark.parametrize("name", ["CET", "EST", "", "Europe", "Europe/", "../etc/passwd", "a/b", "+02:00"])
def test_what_is_no_zone(name: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        check_zone(name)


@pytest.mark.parametrize("seconds", [-1, 2**33, math.nan, math.inf, 10**400, 1_400_000_000_000])
def test_times_that_no_store_holds(seconds: float) -> None:
    with pytest.raises(ValueError, match="from 1970 to 2242"):
        check_time(seconds)


moments = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(moments, offsets, st.sampled_from(["auto", "hours", "minutes", "seconds", "milliseconds", "microseconds"]))
def test_what_python_writes_in_iso_8601_is_the_same_moment(moment: datetime, zone: timezone, timespec: str) -> None:
    text = moment.replace(tzinfo=zone).isoformat(timespec=timespec)
    assume("T" in text and (timespec != "hours"))
    expected = datetime.fromisoformat(text).timestamp()
    assert parse_time(text) == expected
    assert parse_time(text.replace("T", " ").replace("+", " +")) == expected
    naive = text[: text.rindex("+" if "+" in text else "-")]
    assert parse_time(naive) == datetime.fromisoformat(naive).replace(tzinfo=UTC).timestamp()


@given(moments, offsets)
def test_what_python_writes_in_rfc_2822_is_the_same_moment(moment: datetime, zone: timezone) -> None:
    moment = moment.replace(tzinfo=zone, microsecond=0)
    assert parse_time(format_datetime(moment)) == moment.timestamp()


@given(
    moments,
    st.sampled_from(
        [
            "%Y/%m/%d %H:%M:%S",
            "%Y%m%dT%H%M%S",
            "%d %B %Y %I:%M:%S %p",
            "%b %d, %Y %H:%M:%S",
            "%a %b %d %H:%M:%S %Y",
            "%G-W%V-%uT%H:%M:%S",
            "%A, %d %b %Y %H:%M:%S",
        ]
    ),
)
def test_other_ways_as_dateutil_reads_them(moment: datetime, way: str) -> None:
    text = moment.replace(microsecond=0).strftime(way)
    read = dateutil_parser.isoparse if way.startswith("%G") else dateutil_parser.parse
    assert parse_time(text) == read(text).replace(tzinfo=UTC).timestamp()


@given(moments, st.sampled_from(["Europe/Paris", "America/New_York", "America/St_Johns", "Australia/Lord_Howe"]))
def test_local_times_as_the_zone_database_has_them(moment: datetime, zone: str) -> None:
    expected = moment.replace(tzinfo=ZoneInfo(zone), microsecond=0).timestamp()
    assert parse_time(moment.strftime("%Y-%m-%d %H:%M:%S"), TimeRules(zone=zone)) == expected
    assert parse_time(moment.strftime("%Y-%m-%d %H:%M:%S ") + zone) == expected


@given(st.text(st.sampled_from(string.ascii_letters + " ,;?!()"), max_size=20))
def test_letters_alone_are_never_a_time(text: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        parse_time(text)


@given(moments, st.text(st.sampled_from(string.ascii_letters + "!?;"), min_size=1, max_size=12))
def test_a_time_with_anything_behind_it_is_never_one(moment: datetime, behind: str) -> None:
    assume(behind.casefold() not in {"z", "utc", "gmt", "ut", "am", "pm", "a", "p"})
    with pytest.raises(ValueError, match=r"zone|not understood"):
        parse_time(f"{moment:%Y-%m-%d %H:%M:%S} {behind}")


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_numbers_that_are_counted_are_themselves(number: float) -> None:
    rules = TimeRules(zone=None, counted=True)
    try:
        read = parse_time(number, rules)
    except ValueError:
        text = str(number).removesuffix(".0")
        assert abs(number) > 1e29 or (text.startswith(("19", "20")) and len(text) in (8, 12, 14))
    else:
        assert read == float(number)
