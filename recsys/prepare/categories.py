"""Categories of items: a list, or a path that is one text (`Home > Kitchen`), split at what is between its parts."""

from __future__ import annotations

import ast
import html
import json
import re
from collections.abc import Iterable
from typing import Any, Final

from recsys.core.item_texts import clean_name
from recsys.prepare.formats.reports import InputReport

# What hardly stands within the name of a category. A point, a comma or a slash alone does, and splits where it is set.
_EVIDENT: Final = {">": r"\s*>\s*", "|": r"\s*\|\s*", "::": r"\s*::\s*", "/ between blanks": r"\s+/\s+"}
_BETWEEN: Final = {name: re.compile(rf"(?<=\S){pattern}(?=\S)") for name, pattern in _EVIDENT.items()}

Raw = list[Any] | str | None


class CategoryReader:
    """Reads the categories of one catalogue.

    Where no separator is set, the first records that show one decide; where they show several, in different texts, none
    is taken, and the summary says so. Several within one text are a list of paths (`A > B | C > D`): all split it.
    """

    def __init__(self, separators: str | list[str] | None, report: InputReport) -> None:
        """`separators`: what is set; `report` is told what texts were split at, and how many."""
        self._report = report
        self._set = [separators] if isinstance(separators, str) else separators
        self._pattern = None if self._set is None else _pattern(self._set)
        self._said = "" if self._set is None else _quoted(self._set)
        self._unclear = ""

    def see(self, values: Iterable[Raw]) -> None:
        """Look at the next categories, before they are read."""
        if self._pattern or self._unclear:
            return
        shown = [names for value in values for text in _parts(value) if (names := _shown(_plain(text)))]
        every = {name for names in shown for name in names}
        if not every:
            return
        if len(every) > 1 and not any(names == every for names in shown):
            self._unclear = " and ".join(sorted(every))
            return
        self._said = ", ".join(sorted(every))
        self._pattern = re.compile("|".join(_EVIDENT[name] for name in sorted(every)))

    def read(self, value: Raw) -> list[str]:
        """Categories from the first to the last, neither cleaned nor without repeats."""
        texts = [_plain(text) for text in _parts(value)]
        if self._unclear and any(map(_shown, texts)):
            self._report.remark(f"categories with {self._unclear}, not split; see data.category_separator", 1)
        if self._pattern is None:
            return texts
        split = [part for text in texts for part in self._pattern.split(text)]
        self._report.remark(f"categories split at {self._said}", int(len(split) > len(texts)))
        return split


def _parts(value: Raw) -> list[str]:
    """The texts of a text, of a list, of lists of lists, or of a list that is written as text."""
    if isinstance(value, str):
        listed = as_list(value)
        return [value] if listed is None else _parts(listed)
    return [text for entry in value or () for text in _parts(entry if isinstance(entry, list) else _entry(entry))]


def _entry(entry: Any) -> str | None:
    return entry if isinstance(entry, str) else None if entry is None else str(entry)


def as_list(text: str) -> list[Any] | None:
    """The list that a text is in JSON, or as Python writes it; None where it is none."""
    if not (text.startswith("[") and text.endswith("]")):
        return None
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        try:
            tree = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    return tree if isinstance(tree, list) else None


def _plain(text: str) -> str:
    """A text without markup, in which `>` is no part of a tag."""
    if "<" in text:
        return clean_name(text)
    return html.unescape(text) if "&" in text else text


def _shown(text: str) -> frozenset[str]:
    """Names of the separators that a text shows."""
    return frozenset(name for name, pattern in _BETWEEN.items() if pattern.search(text))


def _pattern(separators: list[str]) -> re.Pattern[str]:
    """What splits at any of the separators, the longest first, with the blanks around those that name none."""
    ordered = sorted(separators, key=len, reverse=True)
    return re.compile("|".join(_one(separator) for separator in ordered))


def _one(separator: str) -> str:
    mark = separator.strip()
    if not mark:
        return re.escape(separator)
    before, after = (r"\s+" if blank else r"\s*" for blank in (separator[:1].isspace(), separator[-1:].isspace()))
    return f"{before}{re.escape(mark)}{after}"


def _quoted(separators: list[str]) -> str:
    return ", ".join(map(repr, separators))
