"""What a gate finds: one check after the other, each with its value, its threshold and a sentence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: of what was looked at.
        passed: whether it is good enough.
        says: a sentence with value and threshold.
        value: None where there is none, such as without a bundle to compare with.
        threshold: in the units of the value; None: anything passes.
    """

    name: str
    passed: bool
    says: str
    value: float | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class Part:
    """The metric of both bundles for some of the users, or with some of the items to be found.

    Attributes:
        name: who, or what, it is of.
        users: with something to find.
        new, in_use: means over these users; 0 where there are none.
        low, high: interval of the difference of the means, two-sided, by paired bootstrap over users.
    """

    name: str
    users: int
    new: float
    in_use: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """Of the means; above 0: the new bundle is better."""
        return self.new - self.in_use


@dataclass(frozen=True)
class GateReport:
    """What the gate found.

    Attributes:
        compared_with: version of the bundle in use; None: there was none, or it could not be opened.
        checks: all of them, also those that passed.
        metric: such as ndcg@10.
        parts: of all users first, then of some; none where nothing was compared.
        held_out: users asked for, choices to be found, and of these shares: unknown to the bundle in use, already in
            its data.
    """

    compared_with: str | None
    checks: tuple[Check, ...]
    metric: str = ""
    parts: tuple[Part, ...] = ()
    held_out: dict[str, float] | None = None

    @property
    def passed(self) -> bool:
        """Whether every check did."""
        return all(check.passed for check in self.checks)

    @property
    def refusals(self) -> list[str]:
        """What those checks say that did not pass."""
        return [check.says for check in self.checks if not check.passed]
