"""Inspecting files: what they seem to be, and the config that is proposed for them."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from recsys.cli import main
from recsys.inspect.inspection import inspect
from recsys.inspect.tables import look_at

START = 1_600_000_000


def proposed(*files: Path) -> dict[str, Any]:
    proposal = inspect(files, console=Console(quiet=True))
    assert proposal is not None
    tree = yaml.safe_load(proposal.text)
    return dict(tree["data"])


def write(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join(rows) + "\n", "utf8")
    return path


def test_a_log_under_other_names(tmp_path: Path) -> None:
    types = ["view", "view", "addtocart", "transaction", "zoomed"]
    rows = [f"{START * 1000 + n},{n % 7},{types[n % 5]},{n % 11}" for n in range(100)]
    data = proposed(write(tmp_path / "events.csv", ["time,visitorid,event,itemid", *rows]))
    assert data["columns"] == {"user_id": "visitorid", "item_id": "itemid", "event_type": "event", "timestamp": "time"}
    # What is not known is left out until somebody says what it is.
    assert data["event_types"] == {"addtocart": "add_to_cart", "transaction": "purchase", "zoomed": "ignore"}


def test_a_log_without_names(tmp_path: Path) -> None:
    rows = [f"{n % 17},{n % 13},{n % 3},{['pv', 'buy'][n % 2]},{START + n}" for n in range(100)]
    data = proposed(write(tmp_path / "UserBehavior.csv", rows))
    assert data["header"] == ["user_id", "item_id", "_", "event_type", "timestamp"]
    assert data["event_types"] == {"pv": "view", "buy": "purchase"}


def test_ids_of_amazon_are_told_by_their_form(tmp_path: Path) -> None:
    rows = [f"B00000{n % 9:04},A{n % 7:013},{n % 5 + 1}.0,{START + n}" for n in range(100)]
    data = proposed(write(tmp_path / "ratings.csv", rows))
    assert data["header"] == ["item_id", "user_id", "rating", "timestamp"]


def test_entries_of_a_list_are_events(tmp_path: Path) -> None:
    records = [
        {"ts": START + n, "user": {"id": f"u{n % 5}"}, "action": "buy", "items": [{"sku": f"i{n % 3}", "price": 2.5}]}
        for n in range(40)
    ]
    data = proposed(write(tmp_path / "log.jsonl", [json.dumps(record) for record in records]))
    assert data["columns"]["item_id"] == "items[].sku"
    assert data["columns"]["user_id"] == "user.id"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty file"),
        (b"\n\n  \n", "blank lines"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "picture"),
        (bytes(range(256)) * 40, "binary file"),
        (b"%PDF-1.7\n", "PDF"),
        (b"Dear customer,\nthank you for your order.\n", "No table"),
        (b"[]", "No objects of JSON"),
        (b'{"a": [1, 2', "objects"),
        (b"{}\n{}\n", "without any field"),
        (b"<!doctype html><html></html>", "web page"),
        (gzip.compress(b"user_id,item_id\n" * 1000, mtime=0)[:30], "ends in the middle"),
        (b"user_id,item_id,event_type,timestamp\n", "names alone"),
    ],
)
def test_what_is_no_table_gets_a_sentence(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    table = look_at(path)
    assert table.kind == "something else"
    assert said in table.what
    console = Console(record=True, width=100)
    inspect([path], console=console)
    assert said in " ".join(console.export_text().split())


def test_output_is_a_whole_config_and_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"u{n % 7},i{n % 5},view,{START + n}" for n in range(50)]
    log, output = write(tmp_path / "log.csv", ["user_id,item_id,event_type,timestamp", *rows]), tmp_path / "shop.yaml"
    assert main(["inspect", str(log), "--output", str(output)]) == 0
    tree = yaml.safe_load(output.read_text("utf8"))
    assert tree["name"] == "log"
    assert tree["data"]["interactions"] == [str(log)]
    assert "of the first 50 lines 50 are events" in capsys.readouterr().out
    assert main(["inspect", str(log), "--output", str(output)]) == 2


def test_a_schema_tells_the_columns(tmp_path: Path) -> None:
    fields = [{"name": name, "type": "string"} for name in ("USER_ID", "PRODUCT_ID", "EVENT_TYPE", "TIMESTAMP")]
    path = write(tmp_path / "schema.json", [json.dumps({"type": "record", "name": "Interactions", "fields": fields})])
    assert look_at(path).kind == "schema"
    assert proposed(path)["columns"] == {"item_id": "PRODUCT_ID"}


def test_one_of_many_alike_stands_for_all(tmp_path: Path) -> None:
    for day in range(5):
        rows = [f"u{n % 7},p{n % 5},buy,{START + 86_400 * day + n}" for n in range(40)]
        write(tmp_path / f"{day}.csv", ["user_id,product,event_type,timestamp", *rows])
    data = proposed(tmp_path)
    assert data["interactions"] == [str(tmp_path)]
    assert data["columns"] == {"item_id": "product"}


def test_a_log_larger_than_a_sample_is_estimated(tmp_path: Path) -> None:
    rows = [f"{n % 1009:05},{n % 977:05},view,{START + n}" for n in range(300_000)]
    table = look_at(write(tmp_path / "log.csv", ["user,item,event,time", *rows]))
    sample = table.sample
    assert sample is not None
    assert not sample.is_exact
    assert sample.places == 24
    # Rows are of one length: all bytes but those of the first line.
    assert sample.total == pytest.approx(300_000, rel=0.001)
    times = table.column("timestamp")
    assert times is not None
    assert times.times is not None
    # The places lie all over the file, the last in its last twenty-fourth.
    assert times.times.last > START + 280_000


def test_dates_that_fit_both_orders_are_left_to_somebody(tmp_path: Path) -> None:
    rows = [f"u{n % 7},i{n % 5},buy,{1 + n % 12}/{1 + n % 9}/2020" for n in range(60)]
    proposal = inspect(
        [write(tmp_path / "log.csv", ["user_id,item_id,event_type,timestamp", *rows])], console=Console(quiet=True)
    )
    assert proposal is not None
    assert "# unclear: the other order fits as well" in proposal.text


def test_a_large_catalogue_is_looked_up_whole(tmp_path: Path) -> None:
    items = write(tmp_path / "items.csv", ["sku,name", *(f"item-{n:06},{'x' * 60}" for n in range(90_000))])
    assert items.stat().st_size > 1 << 22  # more than a sample holds
    rows = [f"u{n % 7},item-{1799 * n:06},view,{START + n}" for n in range(100)]
    log = write(tmp_path / "log.csv", ["user_id,item_id,event_type,timestamp", *rows])
    console = Console(record=True, width=100)
    inspect([log, items], console=console)
    # 1799 * 50 = 89,950 is the last one of the 90,000.
    assert "51.0% of the events are of items in items.csv: 51 of 100 items." in console.export_text()


def test_the_share_of_events_in_the_catalogue(tmp_path: Path) -> None:
    rows = [f"u{n % 7},i{n % 10},view,{START + n}" for n in range(100)]
    log = write(tmp_path / "log.csv", ["user_id,item_id,event_type,timestamp", *rows])
    items = write(tmp_path / "items.csv", ["sku,name", *(f"i{n},Mug {n}" for n in range(8))])
    console = Console(record=True, width=100)
    inspect([log, items], console=console)
    assert "80.0% of the events are of items in items.csv: 8 of 10 items." in console.export_text()


@pytest.mark.parametrize(
    ("written", "order"), [("{day}/{month}/2020 10:00", "day_first"), ("{month}/{day}/2020", "month_first")]
)
def test_the_order_of_day_and_month(written: str, order: str, tmp_path: Path) -> None:
    rows = [f"u{n % 7},i{n % 5},buy,{written.format(day=1 + n % 28, month=1 + n % 12)}" for n in range(60)]
    data = proposed(write(tmp_path / "log.csv", ["user_id,item_id,event_type,timestamp", *rows]))
    assert data["date_order"] == order


def test_a_log_with_guests_gets_a_limit_that_lets_them_through(tmp_path: Path) -> None:
    users = ["guest", "u1", "u2", "u3", ""]
    rows = [f"{users[n % 5]},i{n % 7},buy,{START + 86_400 * n}" for n in range(100)]
    path = write(tmp_path / "log.csv", ["user_id,item_id,event_type,timestamp", *rows])
    assert proposed(path)["max_bad_line_share"] == 0.25  # a fifth has no user; with some room, in steps of .05
    rows = [row.replace("guest,", "anonymous,") for row in rows]
    path = write(tmp_path / "log.csv", ["user_id,item_id,event_type,timestamp", *rows])
    assert proposed(path)["max_bad_line_share"] == 0.5


def test_ids_in_a_list_are_events(tmp_path: Path) -> None:
    records = [{"user_id": f"u{n % 5}", "product_ids": [f"i{n % 3}", "i9"], "ts": START + n} for n in range(40)]
    path = write(tmp_path / "orders.jsonl", [json.dumps(record) for record in records])
    assert proposed(path)["columns"] == {"item_id": "product_ids[]", "timestamp": "ts"}


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("windows-1252", "Grüner Tee, fünf Stück"),
        ("windows-1251", "Зелёный чай, пять штук"),
        ("gb18030", "绿茶五包"),
        ("shift_jis", "緑茶を五つ"),
    ],
)
def test_encodings_are_guessed(encoding: str, title: str, tmp_path: Path) -> None:
    rows = [f'u{n % 7};i{n % 5};buy;{START + n};"{title} {n % 5}"' for n in range(60)]
    path = tmp_path / "log.csv"
    path.write_bytes("\n".join(["user;item;type;time;title", *rows]).encode(encoding))
    data = proposed(path)
    assert data["encoding"] == encoding
    table = look_at(path)
    assert next(column for column in table.columns if column.name == "title").examples[0] == f"{title} 0"


def test_order_numbers_in_the_place_of_times(tmp_path: Path) -> None:
    rows = [f"{n % 7},{n % 5},{1 + n // 7}" for n in range(70)]
    data = proposed(write(tmp_path / "baskets.csv", ["user_id,product_id,order_number", *rows]))
    assert data["columns"]["timestamp"] == "order_number"
    assert (data["time_unit"], data["burst_seconds"]) == ("s", 0)
    assert "split" not in data


def test_json_in_any_arrangement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = [{"visitor": f"u{n % 7}", "product": f"i{n % 5}", "action": "buy", "ts": START + n} for n in range(60)]
    path = tmp_path / "log.json"
    for text in (
        json.dumps(records),
        json.dumps(records, indent=2),
        "\n".join(json.dumps(record, indent=2) for record in records),
        "\n".join(map(json.dumps, records)),
    ):
        path.write_text(text, "utf8")
        assert proposed(path)["columns"] == {
            "user_id": "visitor",
            "item_id": "product",
            "event_type": "action",
            "timestamp": "ts",
        }
        assert main(["inspect", str(path)]) == 0
        assert "of the first 60 lines 60 are events" in capsys.readouterr().out


def test_small_compressed_files_are_read_whole(tmp_path: Path) -> None:
    rows = [f"u{n % 7},i{n % 5},view,{START + n}" for n in range(5000)]
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress("\n".join(["user_id,item_id,event_type,timestamp", *rows]).encode()))
    sample = look_at(path).sample
    assert sample is not None
    assert (sample.total, sample.is_whole) == (5000, True)


def test_nothing_of_a_file_commands_the_terminal(tmp_path: Path) -> None:
    rows = [f"\x1b[31mu{n % 7},i\x07{n % 5},\x9bview{n % 2},{START + n}" for n in range(50)]
    path = write(tmp_path / "log.csv", ["user_id,item_id,event_type\x1b]0;,timestamp", *rows])
    console = Console(file=io.StringIO(), width=100)
    assert inspect([path], console=console) is not None
    assert isinstance(console.file, io.StringIO)
    assert all(letter.isprintable() or letter == "\n" for letter in console.file.getvalue())


@pytest.mark.parametrize("width", [80, 100, 200])
def test_it_fits_the_terminal(width: int, tmp_path: Path) -> None:
    name = "a_column_with_a_rather_long_name_of_its_own"
    rows = [f"{'u' * 60}{n % 7},{'i' * 60}{n % 5},view,{START + n},{'x' * 300}" for n in range(50)]
    path = write(tmp_path / "log.csv", [f"user_id,item_id,event_type,timestamp,{name}", *rows])
    console = Console(record=True, width=width, force_terminal=True)
    inspect([path], console=console)
    printed = console.export_text()
    shown = printed.split("Proposed config")[0]
    assert max(map(len, shown.splitlines())) <= min(width, 100)
    assert "a_column_with_a_rather_long" in shown
    assert str(path) in printed  # in one piece, so that it can be pasted


@given(content=st.binary(max_size=400) | st.text(max_size=300).map(str.encode))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_looked_at(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        inspect([path], console=Console(quiet=True))
