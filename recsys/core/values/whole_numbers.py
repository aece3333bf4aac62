"""Whole numbers, as JSON has them: to it 10.0 is one, too."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator


def whole(number: object) -> object:
    """The number as an int where it is whole; anything else as it is."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


AS_WHOLE = BeforeValidator(whole)
Whole = Annotated[int, AS_WHOLE]
