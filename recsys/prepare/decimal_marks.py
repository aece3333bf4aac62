"""The decimal mark of the numbers of one catalogue: the one that is set, else the one that its first records show."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from recsys.core.values.numbers import DecimalMark, shown_mark


class _Read(Protocol):
    """A number that was read from a text."""

    @property
    def ambiguous(self) -> bool:
        """Whether the text could mean another one."""


Result = TypeVar("Result", bound=_Read | None)


class DecimalMarks:
    """What `1.299` and `1,299` mean in one catalogue."""

    def __init__(self, mark: DecimalMark | None = None) -> None:
        """`mark`: the decimal mark; None takes the one that texts show."""
        self._set = self._shown = mark

    def see(self, values: Iterable[object]) -> None:
        """Look at the next values for a decimal mark, before they are read; those that are no texts show none."""
        if self._shown is None:
            self._shown = shown_mark(text for text in values if isinstance(text, str))

    def read(self, read: Callable[[DecimalMark | None], Result]) -> Result:
        """What is read with the mark that is set, or, where that may mean two things, with the one that was seen."""
        result = read(self._set)
        return read(self._shown) if result is not None and result.ambiguous and self._shown else result
