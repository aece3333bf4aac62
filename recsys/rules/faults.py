"""Faults: why a rule cannot act on a bundle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RuleFault:
    """What a rule asks for that a bundle cannot do. The rule is off there; the others act.

    Attributes:
        rule: its id.
        part: where it says so.
        message: what is wrong.
        position: of the fault in an expression, in characters from 0; None where it is in no expression.
        line, column: the position again, both from 1.
        fields: what could be named instead, closest first: fields that exist, or groups.
    """

    rule: str
    part: Literal["where", "when", "action.by"]
    message: str
    position: int | None = None
    line: int | None = None
    column: int | None = None
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The fault as a log line and a list of rules tell it."""
        place = "" if self.line is None else f", line {self.line}, column {self.column}"
        return f"{self.part}{place}: {self.message}"
