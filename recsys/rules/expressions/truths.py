"""Three-valued truth of n rows, as Kleene and CEL combine it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from recsys.core.types import BoolArray

Mask: TypeAlias = BoolArray | np.bool_
"""bool [n], or one for all rows."""

YES, NO = np.True_, np.False_


@dataclass(frozen=True, slots=True)
class Truths:
    """Where something is true, and where it is false; where it is neither it is unknown."""

    true: Mask
    false: Mask

    @classmethod
    def known(cls, true: Mask, known: Mask) -> Truths:
        """What is true or false where it is known, and unknown elsewhere."""
        true = true & known
        return cls(true, known & ~true)

    def negated(self) -> Truths:
        """The opposite; what is unknown stays so."""
        return Truths(self.false, self.true)


UNKNOWN = Truths(NO, NO)
_TRUE, _FALSE = Truths(YES, NO), Truths(NO, YES)


def certain(truth: bool) -> Truths:
    """The same for all rows, and known."""
    return _TRUE if truth else _FALSE


def every(parts: list[Truths]) -> Truths:
    """False where one part is, true where all are."""
    true, false = parts[0].true, parts[0].false
    for part in parts[1:]:
        true, false = true & part.true, false | part.false
    return Truths(true, false)


def some(parts: list[Truths]) -> Truths:
    """True where one part is, false where all are."""
    return every([part.negated() for part in parts]).negated()
