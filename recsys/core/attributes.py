"""Attributes: further columns of a catalogue, such as seller or stock. A shop names them, a number is enough for rules.

What the columns of a bundle hold in memory is here too, since rules read them as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from recsys.core.joined_texts import JoinedTexts
from recsys.core.types import BoolArray, Float64Array, Int32Array, Int64Array

AttributeType = Literal["number", "text", "bool", "texts"]
"""texts: a list of texts, such as the colours in which an item is sold."""

UserAttributeType = Literal[AttributeType, "date"]
"""What an attribute of users may be; a date is kept as seconds since 1970."""

NAME_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_]{0,63}\Z"
STOCK: Final = "stock"
"""The attribute of this name, a number, says how many pieces are left: none, and the item is in no list."""

LARGEST_NUMBER: Final = 1e15  # every whole number up to it is exact in double precision

# Fields that items have without being told, columns of the prepared dataset, and words of conditions.
_TAKEN: Final = frozenset(
    {
        *("id", "title", "brand", "categories", "category", "top_category"),
        *("price", "popularity", "popularity_rank", "age"),
        *("item", "item_id", "text", "description", "image", "cycle"),
        *("true", "false", "null", "in"),
    }
)

Names = NDArray[Any]
"""Of `np.dtypes.StringDType`."""

NO_NAME: Final = -1


@dataclass(frozen=True)
class TextColumn:
    """A text for each row.

    Attributes:
        codes: int32 [n], places in `names`; `NO_NAME` where there is none.
        names: [V] distinct texts.
    """

    codes: Int32Array
    names: Names

    @cached_property
    def joined(self) -> JoinedTexts:
        """The distinct texts, in which parts are found fast."""
        return JoinedTexts.of(self.names.tolist())

    def are(self, texts: Sequence[str]) -> BoolArray:
        """Bool [V], which of the distinct texts are among some. However many these are, it takes as long as for one."""
        among = np.zeros(len(self.names), np.bool_)
        among[[self._places[text] for text in texts if text in self._places]] = True
        return among

    @cached_property
    def _places(self) -> dict[str, int]:
        """The code of each text. NumPy's own search fails where some of these are longer than 15 bytes."""
        return {name: code for code, name in enumerate(self.names.tolist())}


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


Column = Float64Array | TextColumn | TextsColumn
"""Numbers, and truth values as 1 and 0, are float64 [n], NaN where there is none."""


def check_attribute_name(name: str) -> str:
    """The name of an attribute, with which conditions ask for it: `item.NAME`.

    Raises:
        ValueError: conditions cannot ask for such a name, or items have another field of it.
    """
    if not name.isascii() or not name.isidentifier() or len(name) > 64:
        raise ValueError(f"{name[:80]!r} is no name of letters, digits and _ that conditions can ask for, item.NAME")
    if name.casefold() in _TAKEN:
        raise ValueError(f"{name!r} is taken: give the attribute another name, and set column to what files call it")
    return name
