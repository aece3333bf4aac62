"""One rule set: files, HTTP and the store take the same values and refuse the same."""

import time
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from recsys.core.events import EVENT_WEIGHTS, UNDO_EVENTS
from recsys.core.values.event_types import check_event_type
from recsys.prepare.formats.delimited import DelimitedRows
from recsys.prepare.formats.event_checks import checked_tables
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.settings import DataConfig
from recsys.prepare.value_settings import NO_USER_IDS
from recsys.store import Event, InvalidRecord
from recsys.store.event_checks import check_events
from serve.events.schemas import EventBody

GOOD: dict[str, Any] = {"user_id": "u", "item_id": "i", "event_type": "purchase", "timestamp": 1_700_000_000.0}
TYPES = (*EVENT_WEIGHTS, *UNDO_EVENTS)
# A scale as wide as the bounds of all ratings, since only a bundle has a narrower one.
CONFIG = DataConfig.model_validate(
    {
        "format": "events",
        "interactions": ["log.csv"],
        "event_weights": dict(EVENT_WEIGHTS),
        "rating_range": (-1e9, 1e9),
        "time_unit": "s",
        "earliest_year": 1970,
        "max_bad_line_share": 1.0,
    }
)


def by_file(**changes: Any) -> dict[str, Any] | None:
    """The event as a file's reader takes it; None where it is refused."""
    texts = {name: value if isinstance(value, str) else repr(value) for name, value in {**GOOD, **changes}.items()}
    rows = DelimitedRows(InputReport(Path("log.csv"), "interactions"))
    batch = pa.table({name: pa.array([text]) for name, text in texts.items()})
    tables = checked_tables(rows, iter([batch]), CONFIG, CONFIG.event_weights, 0)
    events: list[dict[str, Any]] = next(tables).to_pylist()
    return events[0] if events else None


def by_http(**changes: Any) -> dict[str, Any] | None:
    """The event as the server takes it."""
    try:
        body = EventBody.model_validate({**GOOD, **changes})
        return {**body.model_dump(), "event_type": check_event_type(body.event_type, TYPES)}
    except (ValidationError, ValueError):
        return None


def by_store(**changes: Any) -> dict[str, Any] | None:
    """The event as the store takes it."""
    event = Event(**{"event_id": "e", **GOOD, **changes})
    try:
        check_events([event])
    except InvalidRecord:
        return None
    return event._asdict()


ids = st.text(min_size=1, max_size=8) | st.text(min_size=510, max_size=515) | st.text("aé\x07\x85\n\0", max_size=4)


@given(ids, st.sampled_from(["user_id", "item_id"]))
@example("a\x7fb", "user_id")
@example("x" * 512, "item_id")
@example("x" * 513, "item_id")
def test_ids(text: str, name: str) -> None:
    # A file's reader trims blanks, and knows words for no id and numbers that lost digits; the others take ids as they
    # are.
    assume(text == text.strip() and text.casefold() not in NO_USER_IDS and not text[:1].isdigit())
    taken = by_file(**{name: text})
    assert (taken is not None) == (by_http(**{name: text}) is not None) == (by_store(**{name: text}) is not None)
    assert taken is None or taken[name] == text


amounts = (
    st.floats(-1e10, 1e10, allow_nan=False)
    | st.sampled_from([0.0, -0.5, 1e9, 1e9 + 1000, -1e9, float("inf"), float("-inf"), 1e300])
)  # fmt: skip


@given(amounts, st.sampled_from(["rating", "price", "quantity"]))
def test_amounts(value: float, name: str) -> None:
    # Files tell of returns by negative quantities, which the others have event types for.
    assume(name != "quantity" or value >= 0)
    # In single precision, which training reads, some values a little beyond a bound are the bound.
    assume(not 1e9 < abs(value) < 1e9 + 100 and not 0 < abs(value) < 1e-30)
    taken = by_file(**{name: value})
    assert (taken is not None) == (by_http(**{name: value}) is not None) == (by_store(**{name: value}) is not None)


times = (
    st.floats(-10, 2**33 + 10)
    | st.integers(-10, 2**34)
    | st.sampled_from([0.5, 20_240_501, 20_241_301, 1_700_000_000_000, float("nan"), float("inf")])
)


@given(times)
@example(20_240_501)
def test_times_in_numbers(value: float) -> None:
    # The store keeps seconds, which no one writes as a date any more; what is to come only the bundle's reader minds.
    assume((value >= 1 and value < time.time()) or not 0 <= value < 2**33)
    taken, sent = by_file(timestamp=value), by_http(timestamp=value)
    digits = str(value).removesuffix(".0")
    if digits.startswith(("19", "20")) and len(digits) == 8:
        assert sent is None
        assert taken is None or taken["timestamp"] > 5e8
        return
    assert (taken is not None) == (sent is not None) == (by_store(timestamp=value) is not None)
    if taken and sent:
        assert taken["timestamp"] == int(sent["timestamp"]) == int(value)


stamps = st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S"))
zones = st.sampled_from(
    ["Z", "+02:00", " -0530", " UTC", " EST", " Europe/Paris", "+99:00", " GMT+2", "z", " PM", " x", ""]
)


@given(stamps, zones)
def test_times_in_texts(stamp: str, zone: str) -> None:
    text = stamp + zone
    taken, sent = by_file(timestamp=text), by_http(timestamp=text)
    # In files, second 0 is a time that is missing.
    assume(sent is None or sent["timestamp"] >= 1)
    if zone in ("", " PM"):
        assert sent is None  # without an offset
    else:
        assert (taken is not None) == (sent is not None)
    if taken and sent:
        assert taken["timestamp"] == int(sent["timestamp"])


@given(st.sampled_from(TYPES), st.sampled_from([str.lower, str.upper, str.title]), st.sampled_from(["", " ", "\t"]))
def test_event_types_whatever_their_case(name: str, change: Any, blank: str) -> None:
    text = blank + change(name) + blank
    rating = {"rating": 1.0} if name == "rating" else {}
    taken, sent = by_file(event_type=text, **rating), by_http(event_type=text, **rating)
    assert taken is not None
    assert sent is not None
    assert taken["event_type"] == sent["event_type"] == name
    assert by_store(event_type=name) is not None


@given(st.text(min_size=1, max_size=12))
def test_other_event_types(text: str) -> None:
    assume(text.strip().casefold() not in TYPES)
    assert by_file(event_type=text) is None
    assert by_http(event_type=text) is None
