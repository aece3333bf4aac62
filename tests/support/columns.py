"""Columns made of rows that tests write down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recsys.core.types import Float32Array, Float64Array
from recsys.rules.columns import NO_NAME, FieldType, TextColumn, TextsColumn


class HandMade:
    """Rows as dictionaries from fields to values; a field that a row lacks, or has as None, is missing.

    Attributes:
        single: fields of numbers that are kept in single precision.
    """

    def __init__(
        self, types: Mapping[str, FieldType], rows: Sequence[Mapping[str, Any]], single: Sequence[str] = ()
    ) -> None:
        self.types, self._rows, self.single = types, rows, frozenset(single)
        self.size = len(rows)

    def numbers(self, field: str) -> Float64Array | Float32Array:
        values = [row.get(field) for row in self._rows]
        numbers = np.array([np.nan if value is None else float(value) for value in values])
        return numbers.astype(np.float32) if field in self.single else numbers

    def texts(self, field: str) -> TextColumn:
        values = [row.get(field) for row in self._rows]
        names = list(dict.fromkeys(value for value in values if value is not None))
        codes = [NO_NAME if value is None else names.index(value) for value in values]
        return TextColumn(np.array(codes, np.int32), _names(names))

    def text_lists(self, field: str) -> TextsColumn:
        lists = [row.get(field) or () for row in self._rows]
        names = list(dict.fromkeys(text for texts in lists for text in texts))
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(texts) for texts in lists], dtype=np.int64)])
        return TextsColumn(
            indptr, np.array([names.index(t) for texts in lists for t in texts], np.int32), _names(names)
        )


def _names(names: list[str]) -> Any:
    return np.array(names, np.dtypes.StringDType())
