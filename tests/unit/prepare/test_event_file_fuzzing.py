"""Any file at all under data.interactions ends in events and counted drops, or in an error of ours."""

import csv
import gzip
import io
import json
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
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


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["u", "view", 1_500_000_000, "2020-09-13", "\ud800", "1e5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "sku", "n"]), inner, max_size=3),
    max_leaves=6,
)
records = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("user_id", "user", "items", "event_type", "timestamp", "price", "brand", "event_id"), values
    ),
)
SOUND = {"user_id": "u", "items": [{"sku": "i"}], "event_type": "view", "timestamp": 1_500_000_000, "brand": "b"}
MAPPED = {"user_id": "user.id", "item_id": "items[].sku", "item.brand": "brand"}


@st.composite
def json_logs(draw: st.DrawFn) -> bytes:
    """Records of any shape behind a sound one, as lines or one array, some of them damaged."""
    trees = [SOUND, *draw(st.lists(records, max_size=8))]
    in_array, ascii_only = draw(st.booleans()), draw(st.booleans())
    lines = [json.dumps(tree, ensure_ascii=ascii_only) for tree in trees]
    content = bytearray((f"[{','.join(lines)}]" if in_array else "\n".join(lines)).encode("utf8", "surrogatepass"))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(content)))
        content[place : place + draw(st.integers(0, 4))] = draw(st.binary(max_size=3))
    return bytes(content)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(json_logs(), st.booleans())
@example(json.dumps(SOUND).encode().replace(b'"u"', b'"\x80u"') + b"\n", False)
@example(
    b'{"events": [%s, %s]}' % (json.dumps(SOUND).encode(), json.dumps(SOUND).encode().replace(b'"u"', b'"\x80u"')),
    False,
)
def test_any_json_ends_in_events_and_drops_or_an_error_of_ours(tmp_path: Path, content: bytes, is_mapped: bool) -> None:
    path = tmp_path / "log.json"
    path.write_bytes(content or b"\n")
    columns = MAPPED if is_mapped else {"item_id": "items[].sku"}
    config = DataConfig.model_validate(
        {"format": "events", "interactions": [path], "max_bad_line_share": 1.0, "columns": columns}
    )
    report = open_file(path, "interactions")
    report.text = report.mapping = config
    try:
        check(report)
        events = sum(len(table) for table in event_tables(report, config, 0, lambda _: None))
    except DataError:
        return
    assert events == report.kept
    assert events + report.dropped.total() == report.lines


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
