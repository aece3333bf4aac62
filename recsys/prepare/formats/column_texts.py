"""What the readers of id, time and number columns share: Arrow arrays of texts, and each distinct text read once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.core.values.missing import is_missing

T = TypeVar("T")
Mask = npt.NDArray[np.bool_]


class Texts(NamedTuple, Generic[T]):
    """Distinct texts of a column, read one by one.

    Attributes:
        values: of each distinct text; None where it is missing or was not understood.
        missing: of each distinct text, whether it is a word for no value.
        codes: of each row, its distinct text; -1 for null.
        why_not: the first text that was not understood, and why; None if all were.
    """

    values: list[T | None]
    missing: Mask
    codes: npt.NDArray[np.int32]
    why_not: str | None

    @property
    def wrong(self) -> Mask:
        """Of each distinct text, whether it was not understood."""
        return np.array([value is None for value in self.values], bool) & ~self.missing

    def rows_where(self, mask: Mask) -> Mask:
        """Of each row, whether a mask of distinct texts holds for it; not for null."""
        return np.append(mask, False)[self.codes]


def one_array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column in one piece; a dictionary is spelled out."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return array.cast(pa.string()) if pa.types.is_dictionary(array.type) else array


def trimmed_texts(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column of texts in one piece, without blanks around them."""
    texts = one_array(column)
    return texts if is_plain(texts) else pc.utf8_trim_whitespace(texts)


def is_plain(texts: pa.Array) -> bool:
    """Whether all characters are visible ones of ASCII, so that there is nothing to trim or to refuse."""
    data = texts.buffers()[2]
    if data is None or not data.size:
        return True
    characters = np.frombuffer(data, np.uint8)
    return bool(characters.min() > 0x20 and characters.max() < 0x7F)


def as_mask(values: pa.Array) -> Mask:
    """An array of truth values as NumPy array; null is false."""
    mask: Mask = pc.fill_null(values, False).to_numpy(zero_copy_only=False)
    return mask


def read_each(texts: pa.Array, read: Callable[[str], T]) -> Texts[T]:
    """Read a column text by text, each distinct one once.

    Args:
        texts: strings, nullable.
        read: raises ValueError where a text is not understood. It does not get to see words for no value.
    """
    encoded = texts.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    values: list[T | None] = [None] * len(words)
    missing = np.zeros(len(words), bool)
    why_not = None
    for position, word in enumerate(words):
        if is_missing(word):
            missing[position] = True
            continue
        try:
            values[position] = read(word)
        except ValueError as error:
            why_not = why_not or str(error)
    codes: npt.NDArray[np.int32] = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    return Texts(values, missing, codes, why_not)


def numbers_of(values: list[Any], codes: npt.NDArray[np.int32], dtype: type[np.generic]) -> npt.NDArray[Any]:
    """Of each row the number of its distinct text; 0 where there is none, infinite where the type cannot hold it."""
    with np.errstate(over="ignore"):
        distinct = np.array([0 if value is None else value for value in values] + [0], dtype)
    return distinct[codes]
