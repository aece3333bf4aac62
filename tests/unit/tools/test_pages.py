import re
from pathlib import Path

import pytest

from tools import api_page, commands_page, settings_page
from tools.api_schema import example, fields_table, type_name
from tools.check_site import remote_resources

ROOT = Path(__file__).parents[3]
STALE = "run `make config-docs`"
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")


def test_the_page_of_commands_is_that_of_this_version() -> None:
    page = (ROOT / commands_page.PAGE).read_text("utf8")
    assert "| `--resume` | Go on with the run that was interrupted. |" in page
    assert "| `--split` | Interactions to predict. Default: test. |" in page
    assert page == commands_page.page(), STALE


def test_the_page_of_settings_is_that_of_this_version() -> None:
    page = (ROOT / settings_page.PAGE).read_text("utf8")
    assert "| `data.split.method` | `leave_one_out` \\| `temporal` \\| `ratio` | `leave_one_out` |" in page
    assert "| `name` | str | required |" in page
    assert "| `store_read_timeout_s` | float | `0.25` |" in page
    assert page == settings_page.page(), STALE


def test_the_page_of_the_api_is_that_of_this_version() -> None:
    page = (ROOT / api_page.PAGE).read_text("utf8")
    assert "### `GET /recommendations/{user_id}`" in page
    assert "| `k` | query | integer (1 to 100) | Number of items wanted. Default: `10`. |" in page
    assert page == api_page.page(api_page.api_document()), STALE


def test_types_are_named_and_linked() -> None:
    assert type_name({"$ref": "#/components/schemas/Item"}) == "[Item](#item)"
    assert type_name({"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 9}}) == (
        "list of integer (1 to 9)"
    )
    assert type_name({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]}) == (
        "string (at most 3 characters) or null"
    )
    assert type_name({"enum": ["a", "b"]}) == "`a` \\| `b`"
    assert type_name({"type": "number", "minimum": 0.0, "maximum": 2000.0}) == "number (0 to 2,000)"
    assert type_name({"type": "number", "minimum": 0.5}) == "number (at least 0.5)"


def test_fields_say_what_they_are_for_and_what_they_are_if_left_out() -> None:
    schema = {
        "required": ["a"],
        "properties": {
            "a": {"type": "string", "description": "One|two.", "default": "x"},
            "b": {"type": "boolean", "default": True},
        },
    }
    assert fields_table(schema).splitlines()[2:] == [
        "| `a` | string | One\\|two. |",
        "| `b` | boolean | Default: `true`. |",
    ]


def test_an_example_fits_its_schema() -> None:
    types = {"Item": {"properties": {"id": {"type": "string", "examples": ["i1"]}, "price": {"type": "number"}}}}
    schema = {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}
    assert example(schema, types) == [{"id": "i1", "price": 1.0}]


PAGES = sorted(str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))
PLACEHOLDER = re.compile("NAME|SUBJECT")
NAMED_PATH = re.compile(r"`((?:recsys|serve|tools|tests|benchmarks|docs)/[\w./-]+)`")


@pytest.mark.parametrize("name", PAGES)
def test_paths_named_in_pages_exist(name: str) -> None:
    named = {path for path in NAMED_PATH.findall((ROOT / name).read_text("utf8")) if not PLACEHOLDER.search(path)}
    assert {path for path in named if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"])
def test_links_lead_to_files_that_exist(name: str) -> None:
    text = (ROOT / name).read_text("utf8")
    assert [link for link in LINK.findall(text) if not (ROOT / link).exists()] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf8").splitlines()) <= 200


def test_what_a_site_loads_from_elsewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<link rel="canonical" href="https://x.example/"><link rel="stylesheet" href="own.css">'
        '<a href="https://x.example/">a link</a><img src="//x.example/a.png"><script src="https://x.example/b.js"></script>'
    )
    (tmp_path / "own.css").write_text("@import 'https://x.example/c.css'; a { background: url(d.png) }")
    assert remote_resources(tmp_path) == [
        "a.html: //x.example/a.png",
        "a.html: https://x.example/b.js",
        "own.css: https://x.example/c.css",
    ]
