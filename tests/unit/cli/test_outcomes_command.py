"""`recsys outcomes`: what it prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recsys.cli import main
from recsys.store import Store
from tests.support.list_logs import a_list, named


@pytest.fixture
def path(tmp_path: Path) -> str:
    """An SQLite file with two lists of the first day of 1970, and a click on one of them."""
    file = tmp_path / "store.sqlite"
    with Store.open(str(file), timeout_s=20) as store:
        store.upgrade()
        store.add_served([a_list("r1", "u", 10.0), a_list("r2", "[v]", 20.0, scenario="[home]")])
        store.append([named(1, "click", "r1", "a", 20.0), named(2, "view", None, "a", 20.0)])
    return str(file)


def test_the_tables_of_a_store(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    times = ("--since", "1970-01-01", "--until", "1970-01-02")
    assert main(["outcomes", "--store", path, *times, "--by", "scenario,day"]) == 0
    said = capsys.readouterr().out
    assert "from 1970-01-01T00:00:00.000Z to 1970-01-02T00:00:00.000Z" in said
    rows = [" ".join(line.split()) for line in said.splitlines()]
    assert "– 2 4 0 1 – 25.00% 0 0.00 0 –" in rows
    assert "[home] 1 2 0 0 – 0.00% 0 0.00 0 –" in rows
    assert "1970-01-01 2 4 0 1 – 25.00% 0 0.00 0 –" in rows
    assert "They name no list. view 1" in rows


def test_json_for_programs(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["outcomes", "--store", path, "--since", "0", "--until", "15", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["total"]["lists"], found["total"]["clicks"], found["settled"]) == (1, 1, True)
    assert sorted(found["tables"]) == ["day", "model", "source"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--since", "yesterday"), "--since"),
        (("--since", "10", "--until", "5"), "--since before --until"),
        (("--by", "model,weather"), "'weather'"),
    ],
)
def test_what_cannot_be_understood_is_refused(
    path: str, more: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["outcomes", "--store", path, *more]) == 2
    assert message in capsys.readouterr().err


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "none.sqlite"
    assert main(["outcomes", "--store", str(missing)]) != 0
    assert "no file" in capsys.readouterr().err
    assert not missing.exists()
