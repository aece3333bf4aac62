"""What expressions read: n rows of named fields, of the items of a catalogue or of the users of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from recsys.core.types import Float64Array, Int32Array, Int64Array

FieldType = Literal["number", "text", "texts", "bool", "time"]
"""texts: a list of texts, such as the categories of an item; time: seconds since 1970."""

Names = np.ndarray[Any, np.dtypes.StringDType]
NO_NAME = -1


@dataclass(frozen=True)
class TextColumn:
    """A text for each row.

    Attributes:
        codes: int32 [n], places in `names`; `NO_NAME` where there is none.
        names: [V] distinct texts.
    """

    codes: Int32Array
    names: Names


@dataclass(frozen=True)
class TextsColumn:
    """A list of texts for each row; row r owns the slice `indptr[r]:indptr[r + 1]` of `codes`.

    Attributes:
        indptr: int64 [n + 1].
        codes: int32 [T], places in `names`.
        names: [V] distinct texts.
    """

    indptr: Int64Array
    codes: Int32Array
    names: Names


class Columns(Protocol):
    """The fields of n rows. Reading a field may be slow the first time; what it gives is not to be written to."""

    @property
    def size(self) -> int:
        """Number of rows."""

    @property
    def types(self) -> Mapping[str, FieldType]:
        """Type of every field, by its name without `item.` or `user.`."""

    def numbers(self, field: str) -> Float64Array:
        """float64 [n] of a field of numbers, times or truth values (1 and 0); NaN where it is missing."""

    def texts(self, field: str) -> TextColumn:
        """A field of texts."""

    def text_lists(self, field: str) -> TextsColumn:
        """A field of lists of texts."""
