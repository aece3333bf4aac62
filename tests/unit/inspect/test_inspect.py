"""Inspecting files: what they seem to be, and the config that is proposed for them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
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
        (b"<!doctype html><html></html>", "web page"),
        (gzip.compress(b"user_id,item_id\n" * 1000)[:30], "ends in the middle"),
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
