"""The brands, or the categories, of a catalogue, found as somebody types them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np

from recsys.core.types import Int32Array
from recsys.core.words import words_of


class NamedItems(NamedTuple):
    """A name, and how many items bear it."""

    name: str
    items: int


class Names:
    """Names by how many items bear them; what a search reads is made by the first one."""

    def __init__(self, rows: Mapping[str, Int32Array], before: Self | None = None) -> None:
        """Of the rows of the items that bear each name; what was read of names `before` is not read again."""
        self._rows = rows
        self._text_of: dict[str, str] = {} if before is None else before._text_of

    @classmethod
    def of(cls, rows: Mapping[str, Int32Array], before: Self | None) -> Self:
        """As the constructor; the same as `before` where these are its rows."""
        return before if before is not None and before._rows is rows else cls(rows, before)

    @cached_property
    def _names(self) -> list[NamedItems]:
        """Those of the most items first, equal ones by code point."""
        named = [NamedItems(name, len(rows)) for name, rows in sorted(self._rows.items())]
        order = np.argsort([-one.items for one in named], kind="stable")
        return [named[place] for place in order.tolist()]

    @cached_property
    def _texts(self) -> list[str]:
        """The words of each name, each after a blank."""
        texts = self._text_of
        for one in self._names:
            if one.name not in texts:
                texts[one.name] = " " + " ".join(words_of(one.name))
        return [texts[one.name] for one in self._names]

    def prepare(self) -> Self:
        """Make now what the first search would wait for."""
        self._texts  # noqa: B018 - a cached property
        return self

    def find(self, query: str | None) -> Sequence[NamedItems]:
        """The names that have for each word of the query one that begins with it, whatever the case and the accents.

        A query without a word, like "?!", finds nothing; None or blanks find all.
        """
        if query is None or not query.strip():
            return self._names
        words = [f" {word}" for word in words_of(query)]
        if not words:
            return []
        first, *others = words
        found = [place for place, text in enumerate(self._texts) if first in text]
        return [self._names[place] for place in found if all(word in self._texts[place] for word in others)]
