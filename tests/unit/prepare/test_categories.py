"""Categories in one text: what separates them is set or shows in the first records, and is told."""

from pathlib import Path
from typing import Any

import pytest

from recsys.prepare.categories import CategoryReader
from recsys.prepare.formats.reports import InputReport


def read(values: list[Any], separator: str | list[str] | None = None) -> tuple[list[list[str]], dict[str, int]]:
    report = InputReport(Path("catalogue"), "metadata")
    reader = CategoryReader(separator, report)
    reader.see(values)
    return [reader.read(value) for value in values], dict(report.remarks)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Home > Kitchen > Mugs", ">"),
        ("Home>Kitchen>Mugs", ">"),
        ("Home &gt; Kitchen &gt; Mugs", ">"),
        ("<b>Home</b> > Kitchen > Mugs", ">"),
        ("Home|Kitchen|Mugs", "|"),
        ("Home :: Kitchen::Mugs", "::"),
        ("Home / Kitchen / Mugs", "/ between blanks"),
        ("Home > Kitchen | Mugs", ">, |"),
    ],
)
def test_what_is_evident(text: str, said: str) -> None:
    read_, remarks = read([None, "Gifts", text])
    assert read_ == [[], ["Gifts"], ["Home", "Kitchen", "Mugs"]]
    assert remarks == {f"categories split at {said}": 1}


@pytest.mark.parametrize("text", ["home.kitchen.mugs", "Home, Kitchen, Mugs", "Home/Kitchen", "A >", "| B", "R&amp;B"])
def test_what_is_not_evident_stays_as_it_is(text: str) -> None:
    read_, remarks = read([text])
    assert read_ == [[text.replace("&amp;", "&")]]
    assert remarks == {}


def test_several_in_different_texts_split_none_and_are_told() -> None:
    values = ["Home > Mugs", "Home|Mugs", "Gifts"]
    read_, remarks = read(values)
    assert read_ == [["Home > Mugs"], ["Home|Mugs"], ["Gifts"]]
    assert remarks == {"categories with > and |, not split; see data.category_separator": 2}


def test_what_is_set_splits_each(values_of_all_kinds: list[Any]) -> None:
    read_, remarks = read(values_of_all_kinds, [" > ", "|", ".", "/"])
    assert read_ == [["Home", "Kitchen", "Mugs"]] * 4
    assert remarks == {"categories split at ' > ', '|', '.', '/'": 4}


@pytest.fixture
def values_of_all_kinds() -> list[Any]:
    return ["Home > Kitchen > Mugs", "Home|Kitchen|Mugs", "Home.Kitchen.Mugs", ["Home/Kitchen", "Mugs"]]


def test_blanks_of_a_separator_that_is_set_are_meant() -> None:
    assert read(["Home / Bed/Bath /  Mugs"], " / ")[0] == [["Home", "Bed/Bath", "Mugs"]]
    assert read(["Home / Bed/Bath"], "/")[0] == [["Home", "Bed", "Bath"]]
    assert read(["Home Mugs"], " ")[0] == [["Home", "Mugs"]]


@pytest.mark.parametrize(
    "value",
    [
        ["Home", "Mugs"],
        [["Home"], ["Mugs"]],
        '["Home", "Mugs"]',
        "['Home', 'Mugs']",
        '[["Home"], ["Mugs", null]]',
        ["Home > Mugs"],
        '["Home > Mugs"]',
    ],
)
def test_lists_and_lists_in_texts(value: Any) -> None:
    assert read([value])[0] == [["Home", "Mugs"]]


def test_numbers_in_a_list_that_is_a_text() -> None:
    assert read(["[5, 7]"])[0] == [["5", "7"]]


def test_text_in_brackets_is_no_list() -> None:
    assert read(["[sale] Mugs [new]"])[0] == [["[sale] Mugs [new]"]]
