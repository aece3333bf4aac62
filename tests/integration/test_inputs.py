"""Inputs of a preparation as shops have them: many files, several formats, and files that are not what they seem."""

import bz2
import csv
import gzip
import json
import os
import re
import sqlite3
import zipfile
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from recsys.config import parse_config
from recsys.core.errors import ConfigError, DataError
from recsys.core.events import EVENT_WEIGHTS
from recsys.prepare.formats import events as events_module
from recsys.prepare.formats.event_checks import checked_tables
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset
from recsys.store import Event, Store

FILES = ("interactions.parquet", "users.parquet", "items.parquet")
COLUMNS = ("event_id", "user_id", "item_id", "event_type", "timestamp")
HEADER = "user_id,item_id,event_type,timestamp\n"
Settings = dict[str, Any]


def run(tmp_path: Path, interactions: Sequence[Any], **data: Any) -> PreparedDataset:
    return PreparedDataset.load(prepare_at(tmp_path, interactions, **data))


def prepare_at(tmp_path: Path, interactions: Sequence[Any], console: Console | None = None, **data: Any) -> Path:
    given_ = {
        "format": "events",
        "interactions": interactions,
        "prepared_dir": tmp_path / "prepared",
        "k_core_users": 0,
        "k_core_items": 0,
        **data,
    }
    return prepare(parse_config({"name": "shop", "data": given_}, "the test"), console or Console(quiet=True))


def day(number: int, users: str = "uvw") -> str:
    """A log of one day of September 2020: each user views two items of that day."""
    start = 1_598_918_400 + (number - 1) * 86_400
    return HEADER + "".join(
        f"{user},i{number}{n},view,{start + 60 * n + ord(user)}\n" for n in range(2) for user in users
    )


def days(*numbers: int) -> str:
    return HEADER + "".join(day(number).removeprefix(HEADER) for number in numbers)


@pytest.fixture
def daily(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in (3, 1, 2):
        (folder / f"2020-09-0{number}.csv").write_text(day(number))
    (folder / "_SUCCESS").touch()
    return folder


@pytest.mark.parametrize("entry", ["logs", "logs/*.csv", "logs/2020-09-0?.csv"])
def test_daily_files_in_the_order_of_their_names(tmp_path: Path, daily: Path, entry: str) -> None:
    dataset = run(tmp_path, [tmp_path / entry])
    sources = dataset.manifest["sources"]
    assert [Path(source["path"]).name for source in sources] == [f"2020-09-0{n}.csv" for n in (1, 2, 3)]
    assert [(source["lines"], source["kept"]) for source in sources] == [(6, 6)] * 3
    assert dataset.manifest["counts"]["interactions"] == 18
    assert sources[1]["first_event"] == "2020-09-02T00:01:57Z"  # 'u' is 117
    assert sources[1]["last_event"] == "2020-09-02T00:02:59Z"  # 60 s and 'w', 119
    assert sources[1]["event_types"] == {"view": 6}


def test_a_file_that_a_glob_and_a_name_lead_to_counts_once(tmp_path: Path, daily: Path) -> None:
    dataset = run(tmp_path, [daily / "2020-09-02.csv", daily / "*.csv", daily])
    assert dataset.manifest["interactions"]["read"] == 18
    assert len(dataset.manifest["sources"]) == 3
    assert any("4 named more than once" in warning for warning in dataset.manifest["warnings"])


def test_a_day_that_was_exported_twice_counts_once(tmp_path: Path, daily: Path) -> None:
    # The third file holds the last of the second day again, and one event that is new.
    again = day(2).splitlines(keepends=True)[-2:]
    with (daily / "2020-09-03.csv").open("a") as file:
        file.writelines([*again, "x,i20,view,1599004800\n"])
    dataset = run(tmp_path, [daily])
    assert dataset.manifest["interactions"]["dropped"]["repeated_event"] == 2
    assert dataset.manifest["counts"]["interactions"] == 19
    assert any(
        "2 events came more than once" in warning and "2020-09-03.csv 2" in warning
        for warning in dataset.manifest["warnings"]
    )


def test_a_day_without_events(tmp_path: Path, daily: Path) -> None:
    (daily / "2020-09-04.csv").write_text(HEADER)
    (daily / "2020-09-05.csv").touch()
    dataset = run(tmp_path, [daily])
    assert dataset.manifest["counts"]["interactions"] == 18
    assert dataset.manifest["sources"][3]["first_event"] is None
    warnings = " ".join(dataset.manifest["warnings"])
    assert "2020-09-04.csv" in warnings
    assert "2020-09-05.csv" in warnings
    with pytest.raises(DataError, match="header alone"):
        run(tmp_path, [daily / "2020-09-04.csv"])


def test_each_input_may_have_a_format_of_its_own(tmp_path: Path, daily: Path) -> None:
    atomic = tmp_path / "old.inter"
    atomic.write_text("user_id:token\titem_id:token\ttimestamp:float\nu\told1\t1500000000\nv\told2\t1500000001\n")
    dataset = run(tmp_path, [{"path": atomic, "format": "recbole"}, daily, {"path": daily / "2020-09-01.csv"}])
    assert dataset.manifest["counts"]["interactions"] == 20
    assert {source["format"] for source in dataset.manifest["sources"]} == {"recbole", "events"}
    assert {"price", "quantity"} <= set(dataset.interactions.columns)
    assert dataset.manifest["config"]["data"]["interactions"][0] == {"path": str(atomic), "format": "recbole"}


def test_the_store_may_be_named_as_the_server_names_it(tmp_path: Path) -> None:
    stored = write_store(
        tmp_path / "s.db", [Logged(f"e{n}", f"u{n % 2}", f"i{n}", "view", 1_600_000_000 + n) for n in range(8)]
    )
    for kind in ("store", "events"):
        dataset = run(tmp_path, [f"sqlite:///{stored}"], format=kind)
        assert dataset.manifest["counts"]["interactions"] == 8


class Logged(NamedTuple):
    event_id: str
    user_id: str
    item_id: str
    event_type: str
    timestamp: int


def csv_text(events: Sequence[Logged]) -> str:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerows([COLUMNS, *events])
    return text.getvalue()


def write_csv(path: Path, events: Sequence[Logged]) -> Path:
    path.write_text(csv_text(events), "utf8")
    return path


def write_gzip(path: Path, events: Sequence[Logged]) -> Path:
    path.write_bytes(gzip.compress(csv_text(events).encode()))
    return path


def write_zip(path: Path, events: Sequence[Logged]) -> Path:
    """Two files packed in one, each with its names of columns, where there are so many events."""
    half = len(events) // 2
    with zipfile.ZipFile(path, "w") as archive:
        for number, part in enumerate(part for part in (events[:half], events[half:]) if part):
            archive.writestr(f"{number}.csv", csv_text(part))
    return path


def write_spreadsheet(path: Path, events: Sequence[Logged]) -> Path:
    """Semicolons and UTF-16, compressed."""
    rows = [";".join(f'"{value}"' for value in row) + "\r\n" for row in (COLUMNS, *events)]
    path.write_bytes(bz2.compress("".join(rows).encode("utf-16")))
    return path


def write_parquet(path: Path, events: Sequence[Logged]) -> Path:
    pq.write_table(pa.table(dict(zip(COLUMNS, zip(*events, strict=True), strict=True))), path)
    return path


def write_store(path: Path, events: Sequence[Logged]) -> Path:
    with Store.open(str(path), timeout_s=20) as store:
        store.upgrade()
        store.append([Event(*event) for event in events])
    return path


WRITERS: Sequence[Callable[[Path, Sequence[Logged]], Path]] = (
    write_csv,
    write_gzip,
    write_zip,
    write_spreadsheet,
    write_parquet,
    write_store,
)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("kind", ["events", "store"])
def test_what_an_input_is_shows_in_its_first_bytes(tmp_path: Path, kind: str, write: Any) -> None:
    path = write(tmp_path / "no-ending", [Logged(f"e{n}", "u", f"i{n}", "view", 1_600_000_000 + n) for n in range(6)])
    source = run(tmp_path, [path], format=kind).manifest["sources"][0]
    assert (source["format"], source["kept"]) == ("store" if write is write_store else "events", 6)


@st.composite
def logs(draw: st.DrawFn) -> list[Logged]:
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["u", "v", "Ü x", "0012"]),
                st.sampled_from(["i", "j", "k,l", "1e3", "日本"]),
                st.sampled_from(list(EVENT_WEIGHTS)),
                st.integers(1_500_000_000, 1_500_000_009),
            ),
            min_size=4,
            max_size=30,
        )
    )
    # One user has three items, so that there is a test part.
    rows += [("w", item, "purchase", 1_500_000_003) for item in "ijk"]
    return [Logged(f"e{number}", *row) for number, row in enumerate(rows)]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logs(), st.lists(st.tuples(st.integers(0, 30), st.sampled_from(WRITERS)), min_size=1, max_size=4))
def test_a_log_in_pieces_of_any_kind_is_the_log(
    tmp_path_factory: pytest.TempPathFactory, log: list[Logged], cuts: list[tuple[int, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    options: Settings = {"event_weights": dict(EVENT_WEIGHTS), "split": {"method": "leave_one_out"}}
    whole = write_csv(folder / "whole.csv", log)
    pieces, start = [], 0
    for number, (end, write) in enumerate([*sorted(cuts, key=lambda cut: cut[0]), (len(log), write_csv)]):
        if log[start:end]:
            # Each piece but the first begins with the end of the one before: what overlaps counts once.
            pieces.append(write(folder / f"piece{number}", log[max(0, start - 2) : end]))
            start = end
    expected = prepare_at(folder / "whole", [whole], **options)
    came = prepare_at(folder / "pieces", pieces, **options)
    for name in FILES:
        assert (came / name).read_bytes() == (expected / name).read_bytes()


JSON_LINES = json.dumps({"UserId": "u", "ItemId": "i", "FeedbackType": "view", "Timestamp": "2019-08-28"}) + "\n"
REVIEWS = json.dumps({"reviewerID": "u", "asin": "i", "overall": 5.0, "unixReviewTime": 1}) + "\n"
# What is named, in which format, as which kind; words of the message.
MISNAMED: dict[str, tuple[str, str, str, str]] = {
    "JSON lines as a log": (JSON_LINES * 9, "events", "interactions", r"JSON lines that begin(.|\n)*CSV or Parquet"),
    "reviews as a log": (REVIEWS * 9, "events", "interactions", r"JSON lines(.|\n)*data.format: amazon_2014"),
    "other names": (
        "visitorid,itemid,event,timestamp\n1,2,view,3\n",
        "events",
        "interactions",
        r"no user_id, item_id, event_type among visitorid.*nearest: visitorid for user_id, itemid for item_id, event",
    ),
    "no time": ("user_id,item_id,event_type\nu,i,view\n", "events", "interactions", "no timestamp(.|\n)*add timestamp"),
    "orders of Instacart": (
        "order_id,product_id,add_to_cart_order,reordered\n0,1,1,0\n",
        "events",
        "interactions",
        r"no user_id, item_id, event_type, timestamp among(.|\n)*rename product_id to item_id; add user_id",
    ),
    "no header": ("17,4,400,pv,1567000580\n" * 9, "events", "interactions", "holds data and no names"),
    "no header, letters": ("u1,i1,view,2020-09-13\n" * 9, "events", "interactions", "holds data and no names"),
    "ratings alone": (
        "A1,B2,3.0,1567000580\n" * 9,
        "amazon_2018",
        "interactions",
        r"delimited text(.|\n)*ratings-only",
    ),
    "ratings alone, 2023": (
        "user_id,parent_asin,rating,timestamp\nA,B,3.0,1567000580000\n",
        "amazon_2023",
        "interactions",
        r"delimited text that begins with 'user_id,parent_asin(.|\n)*ratings-only",
    ),
    "a catalogue in CSV": (
        "item_id,title\ni11,Cup\n",
        "events",
        "metadata",
        r"delimited text(.|\n)*JSON lines.*read_csv",
    ),
    "a catalogue with other names": (
        '{"id": "i11", "name": "Cup"}\n',
        "events",
        "metadata",
        "no item_id among id, name; nearest: id(.|\n)*rename id to item_id",
    ),
    "RecBole's visitor": (
        "visitor_id:token\titem_id:token\ttimestamp:float\nu\ti\t1\n",
        "recbole",
        "interactions",
        "no user_id among visitor_id, item_id, timestamp; nearest: visitor_id(.|\n)*rename the field visitor_id",
    ),
    "ratings from 0 to 10": (
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        + "".join(f"u\ti{n}\t{n}\t15000000{n:02}\n" for n in range(11)),
        "recbole",
        "interactions",
        "6 of 11.*rating_out_of_range(.|\n)*data.rating_range",
    ),
}


@pytest.mark.parametrize(("content", "kind", "place", "words"), MISNAMED.values(), ids=MISNAMED)
def test_what_is_misnamed_is_said_and_not_called_damaged(
    tmp_path: Path, content: str, kind: str, place: str, words: str
) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    log = tmp_path / "log.csv"
    log.write_text(day(1))
    named: Settings = (
        {"interactions": [path]} if place == "interactions" else {"interactions": [log], "metadata": [path]}
    )
    with pytest.raises(DataError, match=words) as error:
        run(tmp_path, **named, format=kind)
    assert str(path) in str(error.value)
    assert "download" not in error.value.remedy


def test_a_database_in_a_wrong_place_is_refused_by_name(tmp_path: Path) -> None:
    stored = write_store(tmp_path / "s.db", [Logged("e", "u", "i", "view", 1)])
    with pytest.raises(DataError, match=r"SQLite database(.|\n)*format: store"):
        run(tmp_path, [stored], format="amazon_2023")
    with pytest.raises(DataError, match=r"SQLite database(.|\n)*format: store"):
        run(tmp_path, [{"path": stored, "format": "events"}])
    with pytest.raises(DataError, match=r"SQLite database(.|\n)*data.interactions"):
        run(tmp_path, [stored], metadata=[stored])
    with pytest.raises(DataError, match="a URL"):
        run(tmp_path, ["https://example.com/log.csv"])
    with pytest.raises(DataError, match=r"a URL(.|\n)*format: store") as error:
        run(tmp_path, ["postgresql://me:geheim@host/shop"], format="amazon_2018")
    assert "geheim" not in str(error.value)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"pth": "x"}, "map.path"),
        ({"path": "x", "format": "xml"}, "no such format"),
        (3, r"interactions.0.path"),
    ],
)
def test_entries_that_are_no_input(tmp_path: Path, entry: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        run(tmp_path, [entry])


def change_while_reading(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Change something as soon as the first rows of a log have been read."""

    def tables(*args: Any, **named: Any) -> Any:
        change()
        yield from checked_tables(*args, **named)

    monkeypatch.setattr(events_module, "checked_tables", tables)


def test_a_file_that_grows_or_goes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log.csv"
    log.write_text(days(1, 2))
    before = run(tmp_path, [log]).manifest
    with monkeypatch.context() as patch:
        change_while_reading(patch, lambda: log.write_text(days(1, 2, 3)))
        with pytest.raises(DataError, match="to stay as it is"):
            run(tmp_path, [log])
    with monkeypatch.context() as patch:
        change_while_reading(patch, log.unlink)
        with pytest.raises(DataError, match=r"to be there until(.|\n)*No such file"):
            run(tmp_path, [log])
    assert PreparedDataset.load(tmp_path / "prepared/shop").manifest == before


def test_a_file_that_cannot_be_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log.csv"
    log.write_text(days(1, 2))

    def fail() -> None:
        raise OSError(5, os.strerror(5))

    change_while_reading(monkeypatch, fail)
    with pytest.raises(DataError, match=r"log\.csv(.|\n)*Input/output error"):
        run(tmp_path, [log])


def test_rows_that_a_reader_loses_are_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log.csv"
    log.write_text(days(1, 2))
    monkeypatch.setattr(
        events_module, "checked_tables", lambda *args, **named: (table[1:] for table in checked_tables(*args, **named))
    )
    with pytest.raises(DataError, match=r"all 12 lines of .*(.|\n)*11 events and 0 dropped"):
        run(tmp_path, [log])


def test_warnings(tmp_path: Path) -> None:
    times = [1_599_955_200 + 86_400 * n for n in range(300)]
    lines = [f"u{n % 30},i{n % 60},view,{times[n]}\n" for n in range(300)]
    lines += [f"bot,i{n},view,{times[n]}\n" for n in range(60)]  # each usual user has two pairs
    lines += [f"U1,caf\u00e9,view,{times[0]}\n", f"u2,cafe\u0301,view,{times[0]}\n"]
    (tmp_path / "log.csv").write_text(HEADER + "".join(lines), "utf8")
    (tmp_path / "items.jsonl").write_text('{"item_id": "i1", "name": "One"}\n{"item_id": "i2", "title": ""}\n')
    dataset = run(tmp_path, [tmp_path / "log.csv"], metadata=[tmp_path / "items.jsonl"])
    counts = dataset.manifest["counts"]
    assert (counts["interactions"], counts["items"]) == (122, 62)
    warnings = dataset.manifest["warnings"]
    expected = [
        "All times are at midnight",
        "user 'bot' has 49% of all interactions (60)",
        "1 user ids differ from another only in case, blanks or Unicode form ('U1' and 'u1')",
        "1 item ids differ",
        "Only 2 of 62 items have a record in the catalogue",
        "2 of 2 items of the catalogue have no title",
    ]
    assert [next((w for w in warnings if words in w), words) for words in expected] == warnings
    assert "caf\\xe9" in warnings[3]


def test_a_sound_shop_has_no_warnings(tmp_path: Path, daily: Path) -> None:
    (daily / "_SUCCESS").unlink()
    catalogue = tmp_path / "items.jsonl"
    catalogue.write_text(
        "".join(json.dumps({"item_id": f"i{d}{n}", "title": f"Item {d} {n}"}) + "\n" for d in (1, 2, 3) for n in (0, 1))
    )
    assert run(tmp_path, [daily], metadata=[catalogue]).manifest["warnings"] == []


def test_events_at_one_time_are_said(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(HEADER + "".join(f"u{n % 3},i{n},view,1600000000\n" for n in range(12)))
    (warning,) = run(tmp_path, [tmp_path / "log.csv"]).manifest["warnings"]
    assert "All events are at one time, 2020-09-13T12:26:40Z" in warning


def test_several_currencies_are_said(tmp_path: Path, daily: Path) -> None:
    prices = {"i10": "12,99 €", "i11": "$3.50", "i20": "4.00 EUR"}
    catalogue = tmp_path / "items.jsonl"
    catalogue.write_text(
        "".join(json.dumps({"item_id": item, "title": item, "price": price}) + "\n" for item, price in prices.items())
    )
    warnings = run(tmp_path, [daily], metadata=[catalogue]).manifest["warnings"]
    assert any("catalogue are in several currencies (EUR 2, $ 1)" in warning for warning in warnings)
    (tmp_path / "paid.csv").write_text(
        HEADER.replace("\n", ",price\n")
        + "".join(f"u,i{n},purchase,160000000{n},{'$' if n % 3 else '€'}2\n" for n in range(5))
    )
    warnings = run(tmp_path, [tmp_path / "paid.csv"]).manifest["warnings"]
    assert any("paid.csv are in several currencies ($ 3, EUR 2)" in warning for warning in warnings)


def test_the_summary(tmp_path: Path, daily: Path) -> None:
    console = Console(record=True, width=110, file=StringIO())
    for number in range(4, 31):
        (daily / f"2020-09-{number:02}.csv").write_text(day(number))
    prepare_at(tmp_path, [daily], console)
    shown = console.export_text()
    assert "2020-09-01.csv │ 2020-09-01 00:01 │ 2020-09-01 00:02" in shown
    assert "... 22 more" in shown
    assert "Reading 30 inputs" in shown
    assert "2020-09-15.csv" not in shown
    assert re.search(r"30 inputs +│ read +│ +180", shown)
    assert "Events by type: view 180 (100.0%)" in shown
    assert "Please look at this" in shown
    assert "_SUCCESS" in shown


def test_the_inputs_are_shown_when_a_later_step_fails(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(HEADER + "u,i,view,2014-05-13 04:53:20 PM\n")
    console = Console(record=True, width=110, file=StringIO())
    with pytest.raises(DataError, match="test part"):
        prepare_at(tmp_path, [tmp_path / "log.csv"], console)
    assert "log.csv │ 2014-05-13 16:53 │ 2014-05-13 16:53" in console.export_text()


def test_no_event_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + "u,i,view,3/4/2020\n")
    (tmp_path / "b.csv").write_text(HEADER)
    with pytest.raises(DataError, match=r"none; dropped 1 of 1 \(1 mistyped_field\)(.|\n)*data.date_order") as error:
        run(tmp_path, [tmp_path / "a.csv", tmp_path / "b.csv"], max_bad_line_share=1)
    assert "no lines" in error.value.got


def test_a_store_of_something_else(tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")
    with pytest.raises(DataError, match=r"the server's store in .*other.sqlite"):
        run(tmp_path, [other])
