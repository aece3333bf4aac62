"""What the page "Bring your data" shows is what comes out."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from recsys.inspect.inspection import inspect
from tests.support.platforms import PLATFORMS

PAGE = Path(__file__).parents[3] / "docs" / "bring-your-data.md"
BY_NAME = {platform.name: platform for platform in PLATFORMS}


def statements_of(heading: str) -> str:
    """The program in the first block of a section."""
    section = PAGE.read_text("utf8").split(f"### {heading}\n", 1)[1].split("\n### ", 1)[0]
    return section.split("<<'SQL'\n", 1)[1].split("\nSQL\n", 1)[0]


def run(program: str, folder: Path) -> None:
    subprocess.run([sys.executable, "-c", program], cwd=folder, check=True)


def test_the_example_is_what_inspect_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    BY_NAME["retailrocket"].write(tmp_path)
    monkeypatch.chdir(tmp_path)
    shown = re.search(r"\$ recsys inspect (.*)\n([\s\S]*?)```", PAGE.read_text("utf8"))
    assert shown is not None
    console = Console(file=io.StringIO(), record=True, width=100)
    inspect([Path(name) for name in shown[1].split()], console=console)
    printed = [line.rstrip() for line in console.export_text().splitlines()]
    assert shown[2].rstrip().splitlines() == "\n".join(printed).rstrip().splitlines()


def test_the_join_of_instacarts_files(tmp_path: Path) -> None:
    platform = BY_NAME["instacart"]
    platform.write(tmp_path)
    made = [tmp_path / name for name in ("purchases.parquet", "items.csv")]
    wanted = [sorted(duckdb.sql(f"select * from '{path}'").fetchall()) for path in made]
    for path in made:
        path.unlink()
    run(statements_of("Instacart"), tmp_path)
    assert [sorted(duckdb.sql(f"select * from '{path}'").fetchall()) for path in made] == wanted


def test_shopifys_cancelled_orders_go_and_addresses_are_hashed(tmp_path: Path) -> None:
    BY_NAME["shopify_orders"].write(tmp_path)
    path = tmp_path / "orders_export_1.csv"
    rows = path.read_text("utf8").splitlines()
    # The first order, of two lines, is cancelled: only its first line says so.
    cells = rows[1].split(",")
    cells[14] = "2020-09-14 10:00:00 -0400"
    path.write_text("\n".join([rows[0], ",".join(cells), *rows[2:]]) + "\n", "utf8")
    run(statements_of("Shopify"), tmp_path)
    clean = tmp_path / "orders_export_clean.csv"
    emails = duckdb.sql(f"select Email, count(*) from read_csv('{clean}', all_varchar=true) group by all").fetchall()
    assert sum(count for _, count in emails) == len(rows) - 1 - 2
    assert {len(email) for email, _ in emails if email} == {32}
    assert len([email for email, _ in emails if email]) == 6
