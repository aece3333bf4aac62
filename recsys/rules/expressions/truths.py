"""Three-valued truth of n rows, as Kleene and CEL combine it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
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


def certain(truth: bool) -> Truths:
    """The same for all rows, and known."""
    return Truths(YES, NO) if truth else Truths(NO, YES)


def every(parts: list[Truths]) -> Truths:
    """False where one part is, true where all are."""
    return Truths(reduce(np.logical_and, (p.true for p in parts)), reduce(np.logical_or, (p.false for p in parts)))


def some(parts: list[Truths]) -> Truths:
    """True where one part is, false where all are."""
    return Truths(reduce(np.logical_or, (p.true for p in parts)), reduce(np.logical_and, (p.false for p in parts)))
