"""Attributes of raw items: what is meant is read, what is not understood is counted and missing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from recsys.core import item_texts
from recsys.core.attributes import LARGEST_NUMBER
from recsys.core.errors import DataError
from recsys.core.values.missing import MISSING_IDS, is_missing
from recsys.core.values.numbers import DecimalMark, read_number
from recsys.core.values.truths import read_truth
from recsys.prepare.attribute_settings import AttributeConfig
from recsys.prepare.categories import as_list
from recsys.prepare.decimal_marks import DecimalMarks
from recsys.prepare.formats.base import ATTRIBUTE_FIELD
from recsys.prepare.formats.names import missing_names, nearest_names
from recsys.prepare.inputs import Input

NOT_UNDERSTOOD: Final = "_not_understood"  # behind the name of an attribute
AMBIGUOUS: Final = "_ambiguous"
_SEPARATORS: Final = "|;,"
_MOST_FILES_NAMED = 5


class AttributeReader:
    """Reads the attributes of the records of one input: of items, or of users.

    Attributes:
        found: names of those that a record has had, whatever their values.
    """

    def __init__(self, attributes: Mapping[str, AttributeConfig], mark: DecimalMark | None, catalogue: Input) -> None:
        """`mark` is the decimal mark; None: the first records that show one decide, see `DecimalMarks`."""
        self.found: set[str] = set()
        self._report = catalogue.report
        self._columns = {name: _Column(entry, mark) for name, entry in attributes.items()}

    def see(self, items: Sequence[msgspec.Struct]) -> None:
        """Look at the next items, before they are read."""
        for name, column in self._columns.items():
            values = [_raw(item, name) for item in items]
            if any(value is not msgspec.UNSET for value in values):
                self.found.add(name)
            column.see(values)

    def read(self, item: msgspec.Struct, causes: Counter[str]) -> tuple[Any, ...]:
        """The value of each attribute, None where it has none; `causes` counts those of no meaning or of two."""
        return tuple(self._read(name, column, _raw(item, name), causes) for name, column in self._columns.items())

    def _read(self, name: str, column: _Column, raw: object, causes: Counter[str]) -> object:
        if raw is None or raw is msgspec.UNSET:
            return None
        try:
            value, ambiguous = column.read(raw)
        except ValueError as error:
            self._report.explain(name, str(error))
            causes[name + NOT_UNDERSTOOD] += 1
            return None
        if ambiguous:
            causes[name + AMBIGUOUS] += 1
        return value


def _raw(item: msgspec.Struct, name: str) -> object:
    return getattr(item, ATTRIBUTE_FIELD + name, msgspec.UNSET)


class _Column:
    """Reads the values of one attribute."""

    def __init__(self, entry: AttributeConfig, mark: DecimalMark | None) -> None:
        self._entry, self._marks = entry, DecimalMarks(mark)

    def see(self, values: Sequence[object]) -> None:
        if self._entry.type == "number":
            self._marks.see(values)

    def read(self, raw: object) -> tuple[object, bool]:
        """The value, and whether it may be another one; ValueError where it is not understood."""
        match self._entry.type:
            case "number":
                return self._number(raw)
            case "text":
                return _text(raw), False
            case "bool":
                return _truth(raw), False
            case "texts":
                return self._texts(raw), False

    def _number(self, raw: object) -> tuple[float | None, bool]:
        ambiguous = False
        if isinstance(raw, str):
            if is_missing(raw):
                return None, False
            number, ambiguous = self._marks.read(partial(read_number, raw))
        elif isinstance(raw, int | float) and not isinstance(raw, bool):
            number = float(raw) if abs(raw) <= LARGEST_NUMBER else math.inf
        else:
            raise _misfit(raw, "number")
        if not abs(number) <= LARGEST_NUMBER:
            raise ValueError(f"expected a number up to {LARGEST_NUMBER:g}, got {number:.12g}")
        return number, ambiguous

    def _texts(self, raw: object) -> list[str] | None:
        if isinstance(raw, str) and (listed := as_list(raw)) is not None:
            raw = listed
        elif isinstance(raw, str):
            separator = self._entry.separator or next((mark for mark in _SEPARATORS if mark in raw), None)
            raw = raw.split(separator) if separator else [raw]
        if not isinstance(raw, list):
            raw = [raw]
        return list(dict.fromkeys(text for text in map(_text, raw) if text)) or None


def _text(raw: object) -> str | None:
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, int | float):
        return f"{raw:.15g}" if isinstance(raw, float) else str(raw)
    if not isinstance(raw, str):
        raise _misfit(raw, "text")
    return None if raw.strip().casefold() in MISSING_IDS else item_texts.clean_name(raw) or None


def _truth(raw: object) -> bool | None:
    if isinstance(raw, str) and is_missing(raw):
        return None
    if not isinstance(raw, str | int | float):
        raise _misfit(raw, "truth value")
    return read_truth(raw)


def _misfit(raw: object, wanted: str) -> ValueError:
    return ValueError(f"{str(raw)[:60]!r} is no {wanted}")


def require_found(attributes: Mapping[str, AttributeConfig], found: set[str], catalogues: Sequence[Input]) -> None:
    """Stop at an attribute that no record has: rules on it would do nothing, without a word.

    Raises:
        DataError: with the columns that there are.
    """
    missing = {entry.column or name: name for name, entry in attributes.items() if name not in found}
    if not missing:
        return
    columns = sorted({column for each in catalogues for column in each.format.item_fields(each.report)})
    names = [f"data.attributes.{name}" for name in missing.values()]
    nearest = nearest_names(missing, columns)
    remedies = [f"set column: {nearest[column]} at data.attributes.{missing[column]}" for column in nearest]
    raise DataError(
        f"{', '.join(missing)} ({', '.join(names)}) in records of "
        f"{', '.join(str(each.report.path) for each in catalogues[:_MOST_FILES_NAMED])}",
        missing_names(list(missing), columns),
        f"{'; '.join(remedies) or 'set column to what the records call it'}, or leave the attribute out",
    )
