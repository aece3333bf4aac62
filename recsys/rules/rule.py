"""A rule of a shop: for whom and when, on which items, and the one thing that it does.

The order in which rules act is fixed, whatever their priorities: hide and require, what may come back (repurchase),
score changes (boost, bury, upsell, price_fit), then pins, promotions, caps and diversity in one arrangement, in which
pins are placed first and count for caps. Among rules of one kind that exclude each other the highest priority wins.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from recsys.core.values.whole_numbers import AS_WHOLE, Whole

RULE_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
MAX_EXPRESSION_CHARS = 2000
MAX_SCENARIO_CHARS = 100
MAX_BOOST = 3.0  # what all boosts of an item together may add, in units
ROUNDING = 1e-9  # of shares: .29 * 100 is less than 29 in binary numbers


def _moment(given: object) -> object:
    """A time that is written out; a number would not say in which unit."""
    if not isinstance(given, str):
        return given
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise ValueError("expected a time such as 2026-12-01T00:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("expected a time with its offset, such as 2026-12-01T00:00:00Z")
    return moment


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
GroupField = Annotated[str, Field(min_length=1, max_length=100)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Hide(_Part):
    """The items are in no list."""

    type: Literal["hide"]


class Require(_Part):
    """No other items are in a list."""

    type: Literal["require"]


class Boost(_Part):
    """The items' scores rise."""

    type: Literal["boost"]
    by: float = Field(
        gt=0,
        le=MAX_BOOST,
        description="In units: standard deviations of the scores of the list's finalists. All boosts of an item "
        f"together add at most {MAX_BOOST:g}.",
    )


class Bury(_Part):
    """The items stand behind all others."""

    type: Literal["bury"]


class Pin(_Part):
    """The best of the items stands in a slot, whatever its score."""

    type: Literal["pin"]
    slot: Whole = Field(
        ge=1,
        le=100,
        description="From 1. Nothing is pinned where fewer items are asked for; in a list that gets shorter than the "
        "slot the item stands at the end.",
    )


class Promote(_Part):
    """A share of the list is of these items, chosen by their scores; every beginning of the list has its share."""

    type: Literal["promote"]
    share: float = Field(gt=0, le=1, allow_inf_nan=False, description="Of the list; of n items floor(share * n).")

    def of(self, n: int) -> int:
        """How many of n items are of the promotion at least."""
        return int(self.share * n + ROUNDING)


class Cap(_Part):
    """At most so many items of one brand, category or other group."""

    type: Literal["cap"]
    by: GroupField = Field(
        description="brand, category (the finest one), top_category, or a text column of the catalogue, such as "
        "seller. Items without it are not counted."
    )
    most: Whole = Field(ge=1, le=100, description="Items of one group in a list, or in each window.")
    window: Annotated[int, Field(ge=2, le=100), AS_WHOLE] | None = Field(
        None, description="Neighbouring slots; null: the whole list."
    )


class Mmr(_Part):
    """Maximal marginal relevance: an item like those before it loses (Carbonell and Goldstein 1998)."""

    type: Literal["mmr"]
    weight: Unit = Field(description="Of the similarity of items' vectors; 0: off, 1: nothing but variety.")


class Calibrate(_Part):
    """The mix of groups in a list follows the mix in the history (Steck 2018)."""

    type: Literal["calibrate"]
    by: GroupField = Field("category", description="As of a cap.")
    weight: Unit = Field(description="Steck's lambda: of the divergence of both mixes; 0: off, 1: nothing but the mix.")
    latest: float = Field(
        0,
        ge=0,
        le=MAX_BOOST,
        description="In units: what items of the group that the user's latest item is of lose when the list is chosen, "
        "since a ranker follows the latest item more closely than people do.",
    )
    order: Literal["choice", "score"] = Field(
        "choice",
        description="score: what was chosen stands in the order of the scores, as far as pins and promotions let it; "
        "choice: in the order in which it was chosen, as always beside a cap with a window.",
    )


class Upsell(_Part):
    """Items dearer than the user's mean price gain: factor * weight * clip(log(price / mean), 0, log(most)) units."""

    type: Literal["upsell"]
    factor: float = Field(0.1, ge=0, le=100)
    weight: float = Field(0.2, ge=0, le=100)
    most: float = Field(1.5, gt=1, le=100, description="Ratio to the mean price from which on nothing is added.")


class PriceFit(_Part):
    """Items too dear for the user lose: weight * max(0, log(price / (tolerance * mean price))) units."""

    type: Literal["price_fit"]
    weight: float = Field(0.1, ge=0, le=100, description="lambda")
    tolerance: float = Field(1.5, gt=0, le=100)


class Repurchase(_Part):
    """What was bought is held back until it is due, and may then be in lists again."""

    type: Literal["repurchase"]
    from_share: float = Field(1.0, gt=0, le=10, description="Share of the item's cycle after which it is due.")
    default_days: float = Field(
        30.0, gt=0, le=3650, description="Cycle of items whose repeat purchases are too few to tell one."
    )


Action = Annotated[
    Hide | Require | Boost | Bury | Pin | Promote | Cap | Mmr | Calibrate | Upsell | PriceFit | Repurchase,
    Field(discriminator="type"),
]
# Actions that would mean nothing, or everything, without items to act on.
NEEDS_WHERE = frozenset({"hide", "require", "boost", "bury", "pin", "promote"})

Expression = Annotated[str, Field(min_length=1, max_length=MAX_EXPRESSION_CHARS)]


RuleId = Annotated[str, Field(pattern=RULE_ID_PATTERN, description="Chosen by the shop.", examples=["hide-recalled"])]


class RuleTerms(_Part):
    """All that a rule says, without its name."""

    action: Action
    where: Expression | None = Field(
        None, description="The items that it acts on; null: all of them.", examples=['item.brand == "Arganics"']
    )
    when: Expression | None = Field(
        None,
        description="The users and requests that it is for; null: all of them.",
        examples=['user.segment == "high" && context.country == "DE"'],
    )
    scenario: Annotated[str, Field(min_length=1, max_length=MAX_SCENARIO_CHARS)] | None = Field(
        None, description="Name that requests give; null: the rule is for all of them.", examples=["home"]
    )
    priority: Whole = Field(
        0, ge=-1_000_000, le=1_000_000, description="The highest wins where rules exclude each other."
    )
    valid_from: Moment | None = Field(None, description="First moment, with its offset; null: since ever.")
    valid_to: Moment | None = Field(None, description="First moment after; null: for ever.")
    enabled: bool = Field(True, description="false: kept, but off.")
    note: Annotated[str, Field(max_length=1000)] = Field("", description="For people.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.where is None and self.action.type in NEEDS_WHERE:
            raise ValueError(f"{self.action.type} needs where: the items that it acts on")
        if self.valid_from and self.valid_to and self.valid_from >= self.valid_to:
            raise ValueError("valid_from must be before valid_to")
        return self

    def valid_at(self, moment: datetime) -> bool:
        """Whether it acts at a moment, as far as its own times say."""
        begun = self.valid_from is None or self.valid_from <= moment
        return self.enabled and begun and (self.valid_to is None or moment < self.valid_to)

    def as_json(self) -> dict[str, Any]:
        """As stored; what was left out is left out."""
        return self.model_dump(mode="json", exclude_defaults=True)


class Rule(RuleTerms):
    """One rule. That its expressions hold together is checked against a bundle, see `recsys.rules.policy`."""

    id: RuleId
