"""The rule sets that are compared: every rule alone, all of them, and each knob at several values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from recsys.bundle import Bundle
from recsys.core.errors import ConfigError
from recsys.pipeline.policy import Policy
from recsys.rules.base import RuleBase
from recsys.rules.expressions import fields_of, parse
from recsys.rules.policy import CompiledRules
from recsys.rules.rule import Action, Calibrate, Mmr, PriceFit, Rule, Upsell


@dataclass(frozen=True)
class Knob:
    """A number of an action, over which lists are measured with no other rule than that one.

    Attributes:
        name: type of the action and its field.
        field: of the action.
        action: all else that it says.
        values: the grid, from nothing upwards.
    """

    name: str
    field: str
    action: Action
    values: tuple[float, ...]

    def at(self, value: float) -> Rule:
        """The rule that turns it to a value."""
        return Rule(id=f"{self.name}-{value:g}", action=self.action.model_copy(update={self.field: value}))


KNOBS = (
    Knob("price_fit.weight", "weight", PriceFit(type="price_fit"), (0, 0.1, 0.25, 0.5, 1, 2, 4)),
    Knob("upsell.factor", "factor", Upsell(type="upsell"), (0, 0.1, 1, 2, 5, 10, 20)),
    Knob("mmr.weight", "weight", Mmr(type="mmr", weight=0), (0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)),
    Knob("calibrate.weight", "weight", Calibrate(type="calibrate", weight=0), (0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8)),
)
"""price_fit with tolerance 1.5, upsell with weight .2 and most 1.5, calibrate by category."""


@dataclass(frozen=True)
class Variant:
    """A rule set under measurement.

    Attributes:
        rules: of the set.
        policy: of them; None: none of them acts on any list.
        reads_user_id: whether its queries need ids.
    """

    rules: tuple[Rule, ...]
    policy: Policy | None
    reads_user_id: bool

    @classmethod
    def of(cls, rules: Sequence[Rule], base: RuleBase, scenario: str | None) -> Variant:
        """The rules as they act at any time: what they cost is asked, and held-out choices lie in the past.

        Raises:
            ConfigError: the bundle cannot follow one of them.
        """
        timeless = tuple(rule.model_copy(update={"valid_from": None, "valid_to": None}) for rule in rules)
        compiled = CompiledRules.compile(timeless, base)
        if compiled.faults:
            faults = "; ".join(f"{name}: {fault}" for name, fault in sorted(compiled.faults.items()))
            raise ConfigError(
                f"rules that the bundle {base.bundle.path} can follow",
                faults,
                "mend them, or set enabled: false, so that no rule is left out unseen",
            )
        return cls(tuple(rules), compiled.bound(scenario), compiled.reads_user_id)


def require_followed(rules: Sequence[Rule], bundle: Bundle) -> None:
    """Refuse rules that a bundle cannot follow.

    Raises:
        ConfigError: there are some.
    """
    Variant.of(rules, RuleBase.of(bundle), None)


def alone(rules: Sequence[Rule], base: RuleBase, scenario: str | None) -> Iterator[Variant]:
    """Each rule by itself, in their order."""
    return (Variant.of([rule], base, scenario) for rule in rules)


def note_on(rule: Rule, scenario: str | None) -> str | None:
    """Why a rule may act on no list of an evaluation; None: it may."""
    if not rule.enabled:
        return "off"
    if rule.scenario is not None and rule.scenario != scenario:
        return f"for the scenario {rule.scenario} alone"
    if rule.when is not None and any(field.startswith("context.") for field in fields_of(parse(rule.when))):
        return "asks the context of a request, of which an evaluation knows nothing"
    return None
