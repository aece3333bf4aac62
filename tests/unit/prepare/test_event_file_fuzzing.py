"""Any file at all under data.interactions ends in events and counted drops, or in an error of ours."""

import csv
import gzip
import io
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.core.errors import DataError
from recsys.prepare.formats.events import check, event_tables
from recsys.prepare.formats.files import open_file
from recsys.prepare.settings import DataConfig

NAMES = ["user_id", "item_id", "event_type", "timestamp", "note"]
NOTES = ["plain", "b, c", '19" rack', "two\nlines", "é", "", 'say "so"']


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    """A sound event log in some dialect and encoding."""
    notes = draw(st.lists(st.sampled_from(NOTES), max_size=20))
    rows = [[f"u{row}", f"i{row % 7}", "view", str(1_500_000_000 + row), note] for row, note in enumerate(notes)]
    text = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    csv.writer(text, delimiter=draw(st.sampled_from(",;\t|")), quoting=quoting, lineterminator="\n").writerows(
        [NAMES, *rows]
    )
    lines = text.getvalue().replace("\n", draw(st.sampled_from(["\n", "\r\n", "\r"])))
    return lines.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"])))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A log with bytes put in, taken out, changed and repeated, below its first line or anywhere."""
    content = bytearray(draw(logs()))
    first = draw(st.sampled_from([0, 60]))
    for _ in range(draw(st.integers(0, 5))):
        place = draw(st.integers(min(first, len(content)), len(content)))
        length = draw(st.integers(0, 40))
        content[place : place + draw(st.integers(0, 4))] = draw(
            st.binary(max_size=4)
            | st.sampled_from([b'"', b",", b"\n", b"\r", b"\\", b"\0"])
            | st.just(content[:length])
        )
    whole = bytes(content)
    return gzip.compress(whole)[: draw(st.integers(20, 2000))] if draw(st.booleans()) else whole


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(damaged() | st.binary(min_size=1, max_size=200))
def test_any_file_ends_in_events_and_drops_or_an_error_of_ours(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(content or b"\n")
    config = DataConfig(format="events", interactions=[path], max_bad_line_share=1.0, allow_truncated=True)
    report = open_file(path, "interactions")
    try:
        check(report)
        events = sum(len(table) for table in event_tables(report, config, 0, lambda _: None))
    except DataError as error:
        text = str(error)
    else:
        text = ""
        assert events == report.kept
        assert events + report.dropped.total() == report.lines
    assert "fault of the reader" not in text
