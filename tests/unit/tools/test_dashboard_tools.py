"""What guards the dashboard's built files: how much a browser loads, and whether they are what the sources make."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import pytest

from tools import dashboard_check, dashboard_size
from tools.dashboard_check import CheckError, compare_build

INDEX = """<script type="module" crossorigin src="/ui/assets/index-A.js"></script>
<link rel="modulepreload" crossorigin href="/ui/assets/react-B.js">
<link rel="stylesheet" crossorigin href="/ui/assets/index-C.css">"""
SCRIPTS = {
    "index-A.js": 'import{a}from"./react-B.js";p(()=>import("./users-D.js"),[1]);p(()=>import(`./items-E.js`),[])',
    "react-B.js": "export const a=1",
    "index-C.css": "p{color:red}",
    "users-D.js": 'import{a}from"./react-B.js";import"./table-F.js";console.log("users")',
    "items-E.js": 'const other = () => import("./window-G.js")',
    "table-F.js": "console.log('a table that only users need')",
    "window-G.js": "console.log('opened later')",
}


def zipped(*names: str) -> int:
    return sum(len(gzip.compress(SCRIPTS[name].encode(), 9, mtime=0)) for name in names)


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    for name, text in SCRIPTS.items():
        (folder / "assets" / name).write_text(text)
    return folder


def test_a_first_load_is_what_is_named_and_what_the_view_needs(build: Path) -> None:
    always = len(gzip.compress(INDEX.encode(), 9, mtime=0)) + zipped("index-A.js", "react-B.js", "index-C.css")
    assert dashboard_size.first_loads(build) == {
        "users-D.js": always + zipped("users-D.js", "table-F.js"),
        "items-E.js": always + zipped("items-E.js"),
    }


def test_a_page_of_one_script_loads_that(build: Path) -> None:
    (build / "assets/index-A.js").write_text("console.log(1)")
    (size,) = dashboard_size.first_loads(build).values()
    assert size > zipped("react-B.js", "index-C.css")


def test_too_large_a_first_load_fails(
    build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    largest = dashboard_size.first_loads(build)["users-D.js"]
    monkeypatch.setattr(dashboard_size, "MOST_BYTES", largest)
    assert dashboard_size.main(build) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith("users-D.js")
    monkeypatch.setattr(dashboard_size, "MOST_BYTES", largest - 1)
    assert dashboard_size.main(build) == 1
    assert "at most at first load" in capsys.readouterr().err


def test_a_file_that_is_missing_is_an_error(build: Path) -> None:
    (build / "assets/table-F.js").unlink()
    with pytest.raises(OSError, match=r"table-F\.js"):
        dashboard_size.first_loads(build)


@pytest.mark.parametrize(("variable", "code"), [(None, 0), ("required", 1)])
def test_without_node_nothing_is_checked_unless_it_must_be(
    variable: str | None, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DASHBOARD_CHECK", raising=False)
    if variable:
        monkeypatch.setenv("DASHBOARD_CHECK", variable)
    assert dashboard_check.main() == code
    assert "node and npm are not on the PATH" in capsys.readouterr().err


@pytest.mark.parametrize(("version", "fits"), [("v20.19.0", True), ("v22.1.0", True), ("v20.18.9", False), ("", False)])
def test_node_may_be_too_old(version: str, fits: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for program in "node", "npm":
        (tmp_path / program).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = dashboard_check.missing_program()
    assert (missing is None) is fits
    assert fits or "expected Node 20.19 or later" in str(missing)


@pytest.fixture
def unchanged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, build: Path) -> Path:
    """The committed files, of which every build makes a copy."""

    def vite(*arguments: str) -> None:
        made = Path(arguments[arguments.index("--outDir") + 1])
        subprocess.run(["cp", "-r", str(tmp_path / "original"), str(made)], check=True)

    subprocess.run(["cp", "-r", str(build), str(tmp_path / "original")], check=True)
    monkeypatch.setattr(dashboard_check, "npm", vite)
    monkeypatch.setattr(dashboard_size, "FOLDER", build)
    return build


def test_the_committed_files_are_those_of_a_build(unchanged: Path, tmp_path: Path) -> None:
    compare_build(tmp_path / "one")
    (unchanged / "assets/table-F.js").write_text(SCRIPTS["table-F.js"] + " ")
    with pytest.raises(CheckError, match=r"assets/table-F\.js.*make dashboard"):
        compare_build(tmp_path / "two")


@pytest.mark.parametrize("change", ["removed", "added"])
def test_a_file_more_or_less_is_found(change: str, unchanged: Path, tmp_path: Path) -> None:
    if change == "removed":
        (unchanged / "index.html").unlink()
    else:
        (unchanged / "assets/old.js").write_text("")
    with pytest.raises(CheckError, match="is not what a build makes"):
        compare_build(tmp_path / "made")


def test_the_committed_types_are_those_of_the_api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def generate(*arguments: str) -> None:
        Path(arguments[arguments.index("-o") + 1]).write_text("export interface paths {}\n")

    committed, made = tmp_path / "schema.d.ts", tmp_path / "made"
    made.mkdir()
    monkeypatch.setattr(dashboard_check.subprocess, "run", lambda *_, **__: None)
    monkeypatch.setattr(dashboard_check, "npm", generate)
    monkeypatch.setattr(dashboard_check, "TYPES", committed)
    committed.write_text("export interface paths {}\n")
    dashboard_check.compare_types(made)
    committed.write_text("export interface paths { old: true }\n")
    with pytest.raises(CheckError, match="make dashboard"):
        dashboard_check.compare_types(made)


def test_what_fails_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fails(*_: object) -> None:
        raise CheckError("the types differ")

    monkeypatch.setattr(dashboard_check, "missing_program", lambda: None)
    monkeypatch.setattr(dashboard_check, "missing_packages", lambda: None)
    monkeypatch.setattr(dashboard_check, "compare_types", fails)
    assert dashboard_check.main() == 1
    assert capsys.readouterr().err == "the types differ\n"
