"""Records of a catalogue as items: field by field, so that one that is not understood does not cost the others."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from recsys.core.values.missing import MISSING_IDS
from recsys.prepare import columns as c
from recsys.prepare.collection import without_collection
from recsys.prepare.formats import reports
from recsys.prepare.formats.base import ATTRIBUTE_FIELD, RawItem, with_attributes
from recsys.prepare.formats.catalogue.columns import Columns
from recsys.prepare.formats.catalogue.groups import Groups
from recsys.prepare.formats.catalogue.paths import Steps, value_at
from recsys.prepare.formats.id_columns import IdColumn
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.mapping_settings import GROUP
from recsys.prepare.settings import DataConfig

# Larger whole numbers are not all told apart once a program has read them as floats.
_EXACT_BELOW: Final = 2**53
_FURTHER_ADDRESS: Final = re.compile(r"[\s,;|]+(?=https?://)")  # behind the first, in one text
_ADDRESSES: Final = ("large", "hi_res", "src", "url")  # of a picture that is written as an object


class Records(NamedTuple):
    """Some records of a file.

    Attributes:
        rows: the records as maps.
        drop: counts the record at a position as bad, with the cause.
    """

    rows: Sequence[Mapping[str, Any]]
    drop: Callable[[str, int], None]


class ItemMaker:
    """Makes items of the records of one file; bad records and fields are counted in its report.

    Attributes:
        seen: fields of item records that had a value.
    """

    def __init__(self, columns: Columns, report: InputReport, config: DataConfig) -> None:
        self.seen: set[str] = set()
        self._report, self._paths = report, columns.paths
        self._ids = IdColumn(c.ITEM_ID, report, MISSING_IDS)
        self._item_type = with_attributes(RawItem, config.attributes)
        self._groups = Groups(columns.paths[GROUP][0]) if GROUP in columns.paths else None
        self._readers = [
            (name, paths[0][0] if len(paths) == len(paths[0]) == 1 else "", paths, _READERS.get(name, as_it_is))
            for name, paths in columns.paths.items()
            if name not in (c.ITEM_ID, GROUP)
        ]

    def items(self, records: Records) -> list[RawItem]:
        """The items of the records that have an id."""
        with without_collection():
            return self._items(records)

    def _items(self, records: Records) -> list[RawItem]:
        values = [value_at(row, self._paths[c.ITEM_ID][0]) for row in records.rows]
        texts = list(map(id_text, values))
        ids, unfit = self._ids.read(pa.array([text or None for text in texts], pa.string()))
        items = []
        for position, (item_id, row) in enumerate(zip(ids.to_pylist(), records.rows, strict=True)):
            fields = self._fields(row)
            in_group = self._groups is not None and self._groups.complete(row, item_id, fields)
            if texts[position] is None:
                records.drop(reports.MISTYPED_FIELD, position)
            elif item_id is None:
                records.drop(reports.ROW_WITHOUT_ID if in_group else reports.MISSING_FIELD, position)
            elif unfit[position]:
                records.drop(reports.INVALID_ID, position)
            else:
                items.append(self._item_type(item_id=item_id, **fields))
        return items

    def _fields(self, row: Mapping[str, Any]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for name, column, paths, read in self._readers:
            value = row.get(column) if column else _several(row, paths) if len(paths) > 1 else value_at(row, paths[0])
            if value is None:
                # An attribute that the record has not is told from one without a value by its default.
                if column in row and name.startswith(ATTRIBUTE_FIELD):
                    fields[name] = None
                continue
            self.seen.add(name)
            try:
                fields[name] = read(value)
            except ValueError as error:
                plain = name.removeprefix(ATTRIBUTE_FIELD)
                self._report.left_out[f"{plain}_not_understood"] += 1
                self._report.explain(plain, str(error))
        return fields


def _several(row: Mapping[str, Any], paths: Iterable[Steps]) -> list[Any] | None:
    """The values at several places, without those that are missing."""
    return [value for steps in paths if (value := value_at(row, steps)) is not None] or None


def id_text(value: Any) -> str | None:
    """An id as text: "" where there is none, None where it is neither text nor a whole number."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value if _is_sound(value) else None
    if isinstance(value, bytes):
        return value.decode("utf8", "backslashreplace")
    if isinstance(value, float | Decimal):
        if math.isnan(value):
            return ""
        if not math.isfinite(value) or value != int(value) or abs(float(value)) > _EXACT_BELOW:
            return None
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    """A text, or a number that stands for one; None where it is a word for none.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, str):
        return value if value.isascii() and value[:1] in _NO_STARTS else _sound_text(value)
    if isinstance(value, bytes):
        return _text(value.decode("utf8"))
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float | Decimal) and math.isnan(value):
        return None
    if isinstance(value, float) and abs(value) <= _EXACT_BELOW:
        return f"{value:.15g}"
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"expected a text, got {_shown(value)}")


def _sound_text(text: str) -> str | None:
    if not _is_sound(text):
        raise ValueError("half a character (a lone surrogate)")
    return None if len(text) < _LONGEST_WORD and text.strip().casefold() in MISSING_IDS else text


_LONGEST_WORD: Final = 2 + max(map(len, MISSING_IDS))
# Of most texts the first letter tells that they are no word for nothing.
_NO_STARTS: Final = frozenset(string.ascii_letters + string.digits) - {
    letter for word in MISSING_IDS for letter in (word[:1].lower(), word[:1].upper())
}


def _texts(value: Any) -> list[str] | str | None:
    """A text, or the texts of a list or of lists of lists, without those that are missing."""
    return _text(value) if isinstance(value, str) or not isinstance(value, list | tuple) else _flat(value)


def _flat(values: Iterable[Any]) -> list[str]:
    texts: list[str] = []
    for value in values:
        if isinstance(value, str):
            if text := _text(value):
                texts.append(text)
        elif isinstance(value, list | tuple):
            texts += _flat(value)
        elif value is not None and (text := _text(value)):
            texts.append(text)
    return texts


def _price(value: Any) -> float | str | None:
    """A price as it is, to be read later; None where it is missing."""
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, str | bytes):
        return _text(value)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return None if not math.isfinite(value) else float(value)
    raise ValueError(f"expected a price, got {_shown(value)}")


def _picture(value: Any) -> str | None:
    """The address of a picture, or of the first of several."""
    if isinstance(value, str) and value.count("://") < 2:
        return _text(value)
    if isinstance(value, list | tuple):
        return next((address for entry in value if entry is not None and (address := _picture(entry))), None)
    if isinstance(value, Mapping):
        return next((_picture(value[key]) for key in _ADDRESSES if value.get(key)), None)
    if not isinstance(value, str | bytes):
        raise ValueError(f"expected the address of a picture, got {_shown(value)}")
    text = _text(value)
    return _FURTHER_ADDRESS.split(text, maxsplit=1)[0] if text else text


def as_it_is(value: Any) -> Any:
    """The value of an attribute, which its type reads."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes | datetime | date):
        return _text(value)
    if not isinstance(value, str | bool | int | float):
        msgspec.json.encode(value)  # refuses a lone surrogate, which UTF-8 may not hold
    elif isinstance(value, str) and not _is_sound(value):
        raise ValueError("half a character (a lone surrogate)")
    return value


def _is_sound(text: str) -> bool:
    """Whether UTF-8 can hold a text: JSON may write half a character alone."""
    if text.isascii():
        return True
    try:
        text.encode("utf8")
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: Any) -> str:
    return f"{'an object' if isinstance(value, Mapping) else f'a {type(value).__name__}'}: {str(value)[:60]!r}"


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    c.TITLE: _text,
    c.BRAND: _text,
    c.CATEGORIES: _texts,
    c.PRICE: _price,
    c.DESCRIPTION: _texts,
    c.IMAGE: _picture,
}
