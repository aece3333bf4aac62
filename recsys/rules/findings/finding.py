"""A finding: what is wrong with some rules, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Problem = Literal["fault", "dead", "contradiction", "unsatisfiable"]


@dataclass(frozen=True)
class Finding:
    """What is wrong with some rules.

    Attributes:
        problem: fault: this bundle cannot follow the rule; dead: it does nothing; contradiction: rules work against
            each other; unsatisfiable: what it asks for cannot be had.
        rules: ids of those that it is about, at least one.
        message: what is wrong.
        remedy: what to do.
        of_sample: whether it was only seen for the queries of the sample, and may be otherwise for others.
    """

    problem: Problem
    rules: tuple[str, ...]
    message: str
    remedy: str
    of_sample: bool = False
