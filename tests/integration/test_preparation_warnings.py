"""What a preparation tells its owner: warnings, and the summary of its inputs."""

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from recsys.core.errors import DataError
from tests.support.inputs import HEADER, day, prepare_at, run, write_days


@pytest.fixture
def daily(tmp_path: Path) -> Path:
    return write_days(tmp_path / "logs")


def test_warnings(tmp_path: Path) -> None:
    times = [1_599_955_200 + 86_400 * n for n in range(300)]
    lines = [f"u{n % 30},i{n % 60},view,{times[n]}\n" for n in range(300)]
    lines += [f"bot,i{n},view,{times[n]}\n" for n in range(60)]  # each usual user has two pairs
    lines += [f"U1,caf\u00e9,view,{times[0]}\n", f"u2\u200b,cafe\u0301,view,{times[0]}\n"]
    (tmp_path / "log.csv").write_text(HEADER + "".join(lines), "utf8")
    (tmp_path / "items.jsonl").write_text('{"item_id": "i1", "name": "One"}\n{"item_id": "i2", "title": ""}\n')
    dataset = run(tmp_path, [tmp_path / "log.csv"], metadata=[tmp_path / "items.jsonl"])
    counts = dataset.manifest["counts"]
    assert (counts["interactions"], counts["items"]) == (122, 62)
    warnings = dataset.manifest["warnings"]
    expected = [
        "All times are at midnight",
        "user 'bot' has 49% of all interactions (60)",
        "2 user ids differ from another only in case, blanks, unseen characters or Unicode form ('U1' and 'u1')",
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
