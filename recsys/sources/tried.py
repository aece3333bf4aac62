"""Which settings of a source are lists of values to try."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tried:
    """Marks a setting, by `Annotated`, as the list of values to try of an argument of the fit.

    Attributes:
        argument: its name.
        refit: whether another value takes another fit; False where `Source.with_settings` takes it afterwards.
    """

    argument: str
    refit: bool = True
