"""Columns of a catalogue in which some rows have other values, and to which rows have come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from recsys.core.attributes import NO_NAME, AttributeType, Column, Names, TextColumn, TextsColumn
from recsys.core.types import Int64Array

Number = TypeVar("Number", bound=np.generic)


def changed_column(kind: AttributeType, column: Column, values: Mapping[int, Any], n_items: int) -> Column:
    """A column of n rows with other values in some, and with rows behind them that have none unless one is given.

    Args:
        kind: of the attribute.
        column: [n] rows; is not written to, and is given back where nothing changes.
        values: by row, as `Attributes.of` takes them; one that is not of the kind counts as none.
        n_items: how many rows the column has afterwards, n or more.
    """
    fitting = {row: value if fits(kind, value) else None for row, value in values.items()}
    if isinstance(column, TextColumn):
        return _texts(column, fitting, n_items)
    if isinstance(column, TextsColumn):
        return _text_lists(column, fitting, n_items)
    return changed_array(column, {row: np.nan if value is None else value for row, value in fitting.items()}, n_items)


def changed_array(array: NDArray[Number], values: Mapping[int, Any], n_items: int) -> NDArray[Number]:
    """The numbers [n] with others in some rows, and NaN behind them; the same array where nothing changes."""
    if not values and n_items == len(array):
        return array
    changed = np.full(n_items, np.nan, array.dtype)
    changed[: len(array)] = array
    changed[list(values)] = list(values.values())
    return cast("NDArray[Number]", changed)


def fits(kind: AttributeType, value: object) -> bool:
    """Whether a value is what an attribute of the kind holds; None is, of any."""
    match kind:
        case "number":
            return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        case "bool":
            return value is None or isinstance(value, bool)
        case "text":
            return value is None or isinstance(value, str)
    return value is None or (isinstance(value, tuple | list) and all(isinstance(text, str) for text in value))


def _texts(column: TextColumn, values: Mapping[int, str | None], n_items: int) -> TextColumn:
    if not values and n_items == len(column.codes):
        return column
    names, code_of = _with_names(column.names, [text for text in values.values() if text is not None])
    codes = np.full(n_items, NO_NAME, np.int32)
    codes[: len(column.codes)] = column.codes
    codes[list(values)] = [NO_NAME if text is None else code_of[text] for text in values.values()]
    return TextColumn(codes, names)


def _text_lists(column: TextsColumn, values: Mapping[int, Sequence[str] | None], n_items: int) -> TextsColumn:
    before = len(column.indptr) - 1
    if not values and n_items == before:
        return column
    lists = {row: texts or () for row, texts in values.items()}
    names, code_of = _with_names(column.names, [text for texts in lists.values() for text in texts])
    old_lengths = np.zeros(n_items, np.int64)
    old_lengths[:before] = np.diff(column.indptr)
    lengths, kept = old_lengths.copy(), np.ones(n_items, np.bool_)
    lengths[list(lists)] = [len(texts) for texts in lists.values()]
    kept[list(lists)] = False
    indptr: Int64Array = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    codes = np.empty(int(indptr[-1]), np.int32)
    codes[np.repeat(kept, lengths)] = column.codes[np.repeat(kept, old_lengths)]
    for row, texts in lists.items():
        codes[indptr[row] : indptr[row + 1]] = [code_of[text] for text in texts]
    return TextsColumn(indptr, codes, names)


def _with_names(names: Names, wanted: Sequence[str]) -> tuple[Names, dict[str, int]]:
    """The distinct texts, and those that are wanted and not among them; the code of each that is wanted."""
    distinct = set(wanted)
    code_of = {name: code for code, name in enumerate(names.tolist()) if name in distinct}
    others = [text for text in dict.fromkeys(wanted) if text not in code_of]
    if not others:
        return names, code_of
    code_of.update((text, len(names) + place) for place, text in enumerate(others))
    return np.concatenate([names, np.array(others, names.dtype)]), code_of
