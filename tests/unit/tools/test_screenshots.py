"""Pictures of the dashboard: all that the script takes are there and shown, and there are no others."""

from pathlib import Path

from tools.screenshots import FOLDER, SIZES, THEMES, file_name, shots, stilled

ROOT = Path(__file__).parents[3]
MOST_BYTES = 150_000


def test_the_pictures_are_those_that_the_script_takes_and_the_page_shows_them() -> None:
    expected = {file_name(shot, theme, width) for shot in shots("u", "i") for theme in THEMES for width in SIZES}
    files = list((ROOT / FOLDER).iterdir())
    assert {file.name for file in files} == expected, "run `make screenshots`"
    assert max(file.stat().st_size for file in files) <= MOST_BYTES
    page = (ROOT / "docs/dashboard.md").read_text("utf8")
    assert [name for name in sorted(expected) if f"images/dashboard/{name}" not in page] == []


def test_times_that_differ_whenever_one_asks_stand_still() -> None:
    answer = {"results": [{"timing": {"total_ms": 3.2, "ann_ms": 1.0}}], "uptime_s": 2.5, "items": 3}
    assert stilled(answer) == {
        "results": [{"timing": {"total_ms": 8.0, "ann_ms": 1.0}}],
        "uptime_s": 3600.0,
        "items": 3,
    }
