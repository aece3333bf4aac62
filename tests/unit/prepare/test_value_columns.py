"""Whole columns give the verdicts of the rules for one value, and what is said of them."""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.errors import DataError
from recsys.core.values.times import TimeRules, parse_nanoseconds
from recsys.prepare.formats.id_columns import IdColumn, whole_numbers
from recsys.prepare.formats.number_columns import NumberColumn
from recsys.prepare.formats.plausible_times import PlausibleTimes
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.formats.time_columns import TimeColumn, Times
from recsys.prepare.formats.type_columns import TypeColumn
from recsys.prepare.value_settings import NO_USER_IDS, ValueConfig

SEND = 1_400_000_000


def report() -> InputReport:
    return InputReport(Path("log.csv"), "interactions")


def read_times(*texts: str | None, **settings: Any) -> tuple[Times, InputReport]:
    told = report()
    return TimeColumn(told, ValueConfig.model_validate(settings)).read(pa.array(texts, pa.string())), told


moments = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1))
written = st.one_of(
    moments.map(lambda moment: str(int(moment.replace(tzinfo=UTC).timestamp()))),
    st.tuples(moments, st.sampled_from(["", "Z", "+02:00", "-0530", " +01", " UTC", " Europe/Paris", " CEST"])).map(
        lambda pair: pair[0].isoformat(sep=" ", timespec="auto") + pair[1]
    ),
    moments.map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M")),
    moments.map(lambda moment: moment.strftime("%Y-%m-%d")),
    moments.map(lambda moment: moment.strftime("%Y%m%d%H%M%S")),
    moments.map(lambda moment: moment.strftime("%a, %d %b %Y %H:%M:%S GMT")),
    st.sampled_from(["2014-02-30", "2014-13-01", "soon", "1.4e9", "2014-05-13T16:53:20.123456789Z", "5/6/2014"]),
    st.text(max_size=8),
)


@given(st.lists(written, max_size=20), st.sampled_from(["UTC", "Europe/Paris", "America/St_Johns"]))
def test_a_column_of_times_is_read_as_each_time_is(texts: list[str], zone: str) -> None:
    times, _ = read_times(*texts, time_zone=zone, time_unit="s")
    rules = TimeRules(zone=zone, counted=True)
    for row, text in enumerate(texts):
        if times.missing[row]:
            continue
        try:
            seconds = parse_nanoseconds(text, rules) // 10**9
        except ValueError:
            assert times.wrong[row]
        else:
            assert not times.wrong[row]
            assert times.beyond[row] == (not 0 <= seconds < 2**33)
            assert times.beyond[row] or times.seconds[row] == seconds


@pytest.mark.parametrize(
    ("digits", "read_as"),
    [("", "seconds"), ("123", "milliseconds"), ("123456", "microseconds"), ("123456789", "nanoseconds")],
)
def test_the_unit_is_that_of_most_times_and_is_said(digits: str, read_as: str) -> None:
    odd = "1400000000" if digits else "1400000000123"
    times, told = read_times(f"{SEND}{digits}", f"{SEND + 7}{digits}", odd, f"{SEND}{digits}")
    assert times.seconds[[0, 1, 3]].tolist() == [SEND, SEND + 7, SEND]
    assert times.beyond.tolist() == [False, False, True, False]
    assert told.read_as == f"{read_as} since 1970"


def test_the_first_rows_decide_for_those_that_follow() -> None:
    column = TimeColumn(report(), ValueConfig())
    assert column.read(pa.array(["1400000000123"])).seconds.tolist() == [SEND]
    assert column.read(pa.array(["1400000000"])).beyond.tolist() == [True]


def test_numbers_of_a_spreadsheets_days_are_refused_and_numbers_that_count_events_are_not() -> None:
    times, told = read_times("nan", "41772.7037", "41773", "41773.5")
    assert times.wrong.tolist() == [False, True, True, True]
    assert "spreadsheet" in told.explanations["timestamp"]
    times, _ = read_times("1", "41772", "41773", "90000")
    assert times.seconds.tolist() == [1, 41772, 41773, 90000]
    assert read_times("41772", time_unit="s")[0].seconds.tolist() == [41772]


def test_a_set_unit_is_kept_to() -> None:
    times, _ = read_times("1400000000123", "1400000000", time_unit="s")
    assert times.beyond.tolist() == [True, False]


def test_missing_times_and_blanks_around_times() -> None:
    times, _ = read_times(None, "NULL", "\\N", " 1400000000 ", " 2014-05-13 16:53:20 ")
    assert times.missing.tolist() == [True, True, True, False, False]
    assert times.seconds[3:].tolist() == [SEND, SEND]


def test_a_day_that_no_month_has_costs_no_other_row() -> None:
    times, told = read_times("2014-02-30", "2014-05-13T16:53:20Z", "2014-05-13 16:53:20")
    assert times.wrong.tolist() == [True, False, False]
    assert times.seconds[1:].tolist() == [SEND, SEND]
    assert "day" in told.explanations["timestamp"]


def test_times_that_cannot_be_right() -> None:
    told = report()
    plausible = PlausibleTimes(told, ValueConfig(latest_time=datetime(2020, 1, 1, tzinfo=UTC)))
    rows = plausible.faults(np.array([0, SEND, 500_000_000, 1_577_836_800, 1_577_836_801, SEND]))
    assert {cause: mask.tolist() for cause, mask in rows.items()} == {
        "missing_time": [True, False, False, False, False, False],
        "time_too_early": [False, False, True, False, False, False],
        "time_in_future": [False, False, False, False, True, False],
    }
    assert not told.remarks


def test_dates_of_long_ago_and_far_ahead_are_no_bad_lines_and_numbers_of_another_unit_are() -> None:
    texts = ["0001-01-01", "1899-12-30 00:00:00", "0000-00-00 00:00:00", "9999-12-31T23:59:59Z", "31 Dec 1969"]
    texts += ["-3600", "1400000000123", f"{SEND}"]
    times, _ = read_times(*texts, time_unit="s")
    assert times.beyond.tolist() == [False, False, False, False, False, True, True, False]
    assert not times.wrong.any()
    faults = PlausibleTimes(report(), ValueConfig()).faults(times.seconds[[0, 1, 2, 3, 4, 7]])
    assert {cause: np.flatnonzero(mask).tolist() for cause, mask in faults.items()} == {
        "missing_time": [2],
        "time_too_early": [0, 1, 4],
        "time_in_future": [3],
    }


@pytest.mark.parametrize(
    "numbers",
    [
        [31_122_023, 1_012_024, 15_062_023],  # the first of January without its leading zero
        [12_312_023, 1_012_024, 6_152_023],
        [231_231, 240_101],
    ],
)
def test_dates_that_numbers_do_not_order_are_no_order(numbers: list[int]) -> None:
    told = report()
    faults = PlausibleTimes(told, ValueConfig()).faults(np.array(numbers))
    assert faults["time_too_early"].all()
    assert "2023-12-31" in told.explanations["timestamp"]
    for settings in ({"time_unit": "s"}, {"earliest_year": 1970}):
        kept = PlausibleTimes(report(), ValueConfig.model_validate(settings)).faults(np.array(numbers))
        assert not any(mask.any() for mask in kept.values())
    others = PlausibleTimes(report(), ValueConfig()).faults(np.array([*numbers, 999_999]))
    assert not any(mask.any() for mask in others.values())


def test_the_unit_of_numbers_with_exponents_is_said() -> None:
    times, told = read_times("1.400000000123E12", "1.4E+12")
    assert (times.seconds.tolist(), told.read_as) == ([SEND, SEND], "milliseconds since 1970")


def test_small_numbers_in_the_place_of_times_order_events() -> None:
    told = report()
    plausible = PlausibleTimes(told, ValueConfig())
    for _ in range(2):
        assert not any(mask.any() for mask in plausible.faults(np.array([0, 86_400, 172_800])).values())
    assert told.remarks == {"times before 1990, taken for an order alone": 4}


def read_numbers(*texts: str | None, mark: Any = None, prices: bool = True) -> tuple[list[Any], InputReport]:
    told = report()
    column = NumberColumn("price", told, mark, prices=prices)
    numbers = column.read(pa.array(texts, pa.string()))
    column.remark_currencies()
    shown = np.where(numbers.wrong, np.inf, numbers.values).tolist()
    return [None if math.isnan(value) else round(value, 4) for value in shown], told


BAD = float("inf")


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1.5", "2", None, "nan", "NULL"], [1.5, 2.0, None, None, None]),
        (["12,99", "1.299,00 €", "-", "9,5"], [12.99, 1299.0, None, 9.5]),
        (["12,99", "1.299", "1,299"], [12.99, 1299.0, 1.299]),
        (["12.99", "1,299"], [12.99, 1299.0]),
        (["12.99 only", "inf", "1e39", "0x10", "5"], [BAD, BAD, BAD, BAD, 5.0]),
        ([None, None], [None, None]),
    ],
)
def test_numbers(texts: list[str | None], values: list[float | None]) -> None:
    assert read_numbers(*texts)[0] == values


@pytest.mark.parametrize("texts", [["1.299", "7"], ["1,299", "7"], ["1.299", "$7"]])
def test_numbers_that_may_be_two_are_counted_until_the_mark_is_known(texts: list[str]) -> None:
    _, told = read_numbers(*texts)
    assert told.remarks == {"price that may be 1.299 or 1299; set data.decimal": 1}
    assert not read_numbers(*texts, "12.99")[1].remarks
    mark = "." if "." in texts[0] else ","
    values, told = read_numbers(*texts, mark=mark)
    assert (values[0], dict(told.remarks)) == (1.299, {})


def test_several_currencies_are_said() -> None:
    assert read_numbers("5 EUR", "6 EUR", "7 USD")[1].remarks == {"price in EUR": 2, "price in USD": 1}
    assert not read_numbers("5 EUR", "6 EUR")[1].remarks


def read_ids(*texts: str | None, exact: bool = False) -> tuple[list[str | None], list[bool], InputReport]:
    told = report()
    ids, unfit = IdColumn("user_id", told, NO_USER_IDS, exact).read(pa.array(texts, pa.string()))
    return ids.to_pylist(), unfit.tolist(), told


def test_ids_that_pandas_made_floats_of() -> None:
    ids, _, told = read_ids("1000.0", "NULL", "007.0", None)
    assert ids == ["1000", None, "007", None]
    assert told.remarks == {"user_id such as 13085.0, read as 13085": 2}
    ids, _, told = read_ids("1000.0", "a", "1.50")
    assert ids == ["1000.0", "a", "1.50"]
    assert told.remarks == {"user_id that ends in .0, kept beside others that do not": 1}


def test_whole_numbers_with_more_zeros_behind_the_point() -> None:
    assert read_ids("1000.00", "7.0000000000")[0] == ["1000", "7"]
    assert read_ids("1000.00", "7.50")[0] == ["1000.00", "7.50"]


def test_ids_that_are_kept_from_spreadsheets_by_a_formula() -> None:
    ids, _, told = read_ids('="00123"', '="u 1"', '=""', '="a"b', "=1+1", "00123")
    assert ids == ["00123", "u 1", None, '="a"b', "=1+1", "00123"]
    assert told.remarks == {'user_id such as ="0123", read as 0123': 3}
    assert read_ids('="00123"', exact=True)[0] == ['="00123"']


def test_ids_in_quotes_are_told_of() -> None:
    ids, _, told = read_ids(' "u1"', "'u1'", "O'Neil", '5"', '"u2')
    assert ids == ['"u1"', "'u1'", "O'Neil", '5"', '"u2']
    assert told.remarks["user_id in quotes that belong to it; see data.quote"] == 2


def test_the_first_ids_decide_for_those_that_follow() -> None:
    column = IdColumn("user_id", report(), ())
    assert column.read(pa.array(["7.0"]))[0].to_pylist() == ["7"]
    assert column.read(pa.array(["8.0", "a"]))[0].to_pylist() == ["8", "a"]
    column = IdColumn("user_id", report(), ())
    assert column.read(pa.array(["a"]))[0].to_pylist() == ["a"]
    assert column.read(pa.array(["8.0"]))[0].to_pylist() == ["8.0"]


def test_words_for_no_user_blanks_and_leading_zeros() -> None:
    ids, unfit, told = read_ids("NULL", "nan", "None", "\\N", "N/A", "Anonymous", " u1", "0012", "null ", "nullo")
    assert ids == [None, None, None, None, None, None, "u1", "0012", None, "nullo"]
    assert not any(unfit)
    assert told.remarks == {"blanks around user_id": 2}


def test_what_is_no_id() -> None:
    texts = ["a\0b", "a\x07", "x" * 513, "x" * 512, "é" * 512, "2.10381E+18", "2103807459595387904.0", "1e3", "a\x85b"]
    _, unfit, told = read_ids(*texts)
    assert unfit == [True, True, True, False, False, True, False, False, True]
    assert "U+0000" in told.explanations["user_id"]
    assert read_ids("2103807459595387904.0", "7.0")[1] == [True, False]
    assert read_ids(" u ", "2.1E+18", "7.0", exact=True)[:2] == ([" u ", "2.1E+18", "7.0"], [False] * 3)


def test_floats_of_a_parquet_column_as_ids() -> None:
    values = whole_numbers(pa.array([13085.0, None, float("nan"), 2.0**53]), "item_id", report())
    assert values.to_pylist() == ["13085", None, None, "9007199254740992"]
    assert whole_numbers(pa.array([1.5, 2.0]), "item_id", report()).to_pylist() == ["1.5", "2"]
    with pytest.raises(DataError, match="the file has lost"):
        whole_numbers(pa.array([2.0**53 + 2]), "item_id", report())
    assert whole_numbers(pa.array([7.0, None]).cast(pa.float16()), "item_id", report()).to_pylist() == ["7", None]
    with pytest.raises(DataError, match="16,777,216"):
        whole_numbers(pa.array([2.0**24 + 2], pa.float32()), "item_id", report())


def test_event_types_in_any_case_and_unknown_ones_with_the_nearest() -> None:
    told = report()
    column = TypeColumn(told, {"view": 1.0, "purchase": 5.0}, {"refund": 5.0})
    types = column.read(pa.array(["View ", "PURCHASE", "Refund", "purchse", None, "NULL"]))
    assert types.names.to_pylist() == ["view", "purchase", "refund", None, None, None]
    assert types.weights.tolist() == [1.0, 5.0, 5.0, 0.0, 0.0, 0.0]
    assert types.missing.tolist() == [False, False, False, False, True, True]
    assert types.unknown.tolist() == [False, False, False, True, False, False]
    assert told.explanations["event_type"] == (
        "expected an event type of view, purchase, got 'purchse' (do you mean purchase?)"
    )
