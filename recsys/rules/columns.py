"""What expressions read: n rows of named fields, of the items of a catalogue or of the users of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from recsys.core.attributes import NO_NAME, Names, TextColumn, TextsColumn
from recsys.core.types import Float32Array, Float64Array

__all__ = ["NO_NAME", "Columns", "FieldType", "Names", "TextColumn", "TextsColumn"]

FieldType = Literal["number", "text", "texts", "bool", "time"]
"""texts: a list of texts, such as the categories of an item; time: seconds since 1970."""


class Columns(Protocol):
    """The fields of n rows. Reading a field may be slow the first time; what it gives is not to be written to."""

    @property
    def size(self) -> int:
        """Number of rows."""

    @property
    def types(self) -> Mapping[str, FieldType]:
        """Type of every field, by its name without `item.` or `user.`."""

    def numbers(self, field: str) -> Float64Array | Float32Array:
        """[n] of a field of numbers, times or truth values (1 and 0); NaN where it is missing.

        float32 where the field is kept so, as prices are: numbers are rounded to it before they are compared with it.
        """

    def texts(self, field: str) -> TextColumn:
        """A field of texts."""

    def text_lists(self, field: str) -> TextsColumn:
        """A field of lists of texts."""
