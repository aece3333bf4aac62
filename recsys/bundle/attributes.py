"""The attributes of all items of a bundle, a column each.

In the bundle's folder `attributes/`, for an attribute NAME of type

    number, bool  NAME.npy         float64 [N]; truth values are 1 and 0; NaN where there is none
    text          NAME.npy         int32 [N], places in the names; -1 where there is none
                  NAME.names.json  list of distinct texts
    texts         NAME.npy         int32 [T], places in the names, those of item 0 first
                  NAME.indptr.npy  int64 [N + 1], where the texts of each item begin and end
                  NAME.names.json

The manifest tells their types.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self, cast

import numpy as np

from recsys.core.attributes import (
    LARGEST_NUMBER,
    NO_NAME,
    STOCK,
    AttributeType,
    Column,
    Names,
    TextColumn,
    TextsColumn,
)
from recsys.core.errors import BundleError
from recsys.core.item_changes import AVAILABLE
from recsys.core.small_files import read_small_file
from recsys.core.stored_arrays import REMEDY, read_array, require_offsets, require_range
from recsys.core.types import BoolArray, Float64Array

AttributeValue = float | str | bool | list[str]
_MOST_BYTES = 1 << 30  # of the names of one attribute


@dataclass(frozen=True)
class Attributes:
    """Attributes by name.

    Attributes:
        types: of each.
        columns: of each, float64 [N], `TextColumn` or `TextsColumn`; not to be written to.
    """

    types: Mapping[str, AttributeType] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)

    @classmethod
    def of(cls, types: Mapping[str, AttributeType], values: Mapping[str, Iterable[object]]) -> Self:
        """Attributes of the values of items 0, 1, ...: numbers, texts, truth values or sequences of texts, or None."""
        return cls(types, {name: column_of(kind, values[name]) for name, kind in types.items()})

    @classmethod
    def load(cls, folder: Path, types: Mapping[str, AttributeType], n_items: int) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: a file is missing, or what it holds does not fit the type, the names or the number of items.
        """
        return cls(types, {name: _read(folder, name, kind, n_items) for name, kind in types.items()})

    def save(self, folder: Path) -> None:
        """Write into `folder`."""
        for name, column in self.columns.items():
            if isinstance(column, np.ndarray):
                np.save(folder / f"{name}.npy", column)
                continue
            np.save(folder / f"{name}.npy", column.codes)
            _names_file(folder, name).write_text(json.dumps(column.names.tolist(), ensure_ascii=False), "utf8")
            if isinstance(column, TextsColumn):
                np.save(_indptr_file(folder, name), column.indptr)

    def numbers(self, name: str) -> Float64Array:
        """Of an attribute of type number or bool, float64 [N]."""
        return cast(Float64Array, self.columns[name])

    def texts(self, name: str) -> TextColumn:
        """Of an attribute of type text."""
        return cast(TextColumn, self.columns[name])

    def text_lists(self, name: str) -> TextsColumn:
        """Of an attribute of type texts."""
        return cast(TextsColumn, self.columns[name])

    def of_item(self, row: int) -> dict[str, AttributeValue]:
        """What is known of an item."""
        values = ((name, self._value(name, row)) for name in self.types)
        return {name: value for name, value in values if value is not None}

    @cached_property
    def sold_out(self) -> BoolArray | None:
        """Items of which no piece is left, as is known, or that are not available, bool [N]; None: there are none."""
        masks: list[BoolArray] = []
        if self.types.get(STOCK) == "number":
            masks.append(self.numbers(STOCK) <= 0)
        if self.types.get(AVAILABLE) == "bool":
            masks.append(self.numbers(AVAILABLE) == 0)
        sold_out: BoolArray | None = np.logical_or.reduce(masks) if masks else None
        return sold_out if sold_out is not None and sold_out.any() else None

    def _value(self, name: str, row: int) -> AttributeValue | None:
        column = self.columns[name]
        if isinstance(column, TextColumn):
            code = int(column.codes[row])
            return None if code == NO_NAME else str(column.names[code])
        if isinstance(column, TextsColumn):
            codes = column.codes[column.indptr[row] : column.indptr[row + 1]]
            return [str(column.names[code]) for code in codes.tolist()] or None
        number = float(column[row])
        if math.isnan(number):
            return None
        return number != 0 if self.types[name] == "bool" else number


def files_of(types: Mapping[str, AttributeType]) -> Iterator[str]:
    """Names of the files that attributes of these types consist of."""
    for name, kind in types.items():
        yield f"{name}.npy"
        if kind in ("text", "texts"):
            yield f"{name}.names.json"
        if kind == "texts":
            yield f"{name}.indptr.npy"


def column_of(kind: AttributeType, values: Iterable[object]) -> Column:
    """The column of the values of items 0, 1, ..., see `Attributes.of`."""
    if kind in ("number", "bool"):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    if kind == "text":
        given = [cast(str | None, value) for value in values]
        places = _places(text for text in given if text is not None)
        codes = [NO_NAME if text is None else places[text] for text in given]
        return TextColumn(np.array(codes, np.int32), _as_names(list(places)))
    lists = [cast(Sequence[str], () if value is None else value) for value in values]
    places = _places(text for texts in lists for text in texts)
    flat = [places[text] for texts in lists for text in texts]
    indptr = np.cumsum([0, *map(len, lists)], dtype=np.int64)
    return TextsColumn(indptr, np.array(flat, np.int32), _as_names(list(places)))


def _places(texts: Iterable[str]) -> dict[str, int]:
    return {text: place for place, text in enumerate(sorted(set(texts)))}


def _as_names(texts: list[str]) -> Names:
    return np.array(texts, np.dtypes.StringDType())


def _read(folder: Path, name: str, kind: AttributeType, n_items: int) -> Column:
    path = folder / f"{name}.npy"
    if kind in ("number", "bool"):
        numbers = read_array(path, np.float64, n_items, nan=True, largest=LARGEST_NUMBER)
        if kind == "bool" and not np.isin(numbers[~np.isnan(numbers)], (0, 1)).all():
            raise BundleError(f"truth values, 1 and 0, in {path}", "other numbers", REMEDY)
        return numbers
    names = _read_names(_names_file(folder, name))
    if kind == "text":
        codes = read_array(path, np.int32, n_items)
        require_range(codes, path, NO_NAME, len(names) - 1)
        return TextColumn(codes, names)
    codes = read_array(path, np.int32, None)
    require_range(codes, path, 0, len(names) - 1)
    indptr = read_array(_indptr_file(folder, name), np.int64, n_items + 1)
    require_offsets(indptr, _indptr_file(folder, name), len(codes))
    return TextsColumn(indptr, codes, names)


def _read_names(path: Path) -> Names:
    try:
        names = json.loads(read_small_file(path, _MOST_BYTES))
        sound = isinstance(names, list) and all(isinstance(name, str) for name in names)
        if sound and len(set(names)) == len(names):
            return _as_names(names)
    except (OSError, ValueError, RecursionError) as error:  # a lone surrogate is no text, and a ValueError
        raise BundleError(f"a list of names in {path}", str(error), REMEDY) from error
    raise BundleError(f"a list of distinct names in {path}", "other values", REMEDY)


def _names_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.names.json"


def _indptr_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.indptr.npy"
