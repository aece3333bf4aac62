"""Faults: why a rule cannot act on a bundle."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RuleFault:
    """What a rule asks for that a bundle cannot do. The rule is off there; the others act.

    Attributes:
        rule: its id.
        part: where it says so: `where`, `when` or `action.by`.
        message: what is wrong.
        position: of the fault in an expression, characters from 0; None where the fault is in no expression.
        fields: what could be named instead: the fields that exist, or the groups.
    """

    rule: str
    part: str
    message: str
    position: int | None = None
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The fault as a log line and a list of rules tell it."""
        place = "" if self.position is None else f" at character {self.position + 1}"
        return f"{self.part}{place}: {self.message}"
