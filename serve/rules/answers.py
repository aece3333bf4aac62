"""What is answered about the shop's rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from recsys.rules.findings import Finding, Problem
from recsys.store import TextAction
from serve.answers import Answer
from serve.bundles.info import BundleInfo
from serve.shop_rules.in_force import RulesState
from serve.shop_rules.kept_rules import Origin

RuleState = Literal["active", "disabled", "not_yet", "expired", "fault"]
_TERMS = {"action": {"type": "hide"}, "where": 'item.brand == "Arganics"'}
_RULE_ID = Annotated[str, Meta(examples=["hide-recalled"])]
_VERSION = Annotated[
    int, Meta(description="Number of changes of the store's rules so far; 0 without a store.", examples=[12])
]


class RuleRow(Answer):
    """A rule, and whether it acts."""

    id: _RULE_ID
    terms: Annotated[
        dict[str, Any], Meta(description="What it says, as PUT takes it; what was left out is.", examples=[_TERMS])
    ]
    state: Annotated[
        RuleState,
        Meta(
            description="active: it acts on the lists that it is for; disabled: by itself; not_yet, expired: by its "
            "times; fault: the bundle that answers cannot follow it, and it is off.",
            examples=["active"],
        ),
    ]
    fault: Annotated[str | None, Meta(description="Why it cannot be followed.", examples=[None])]
    origin: Annotated[
        Origin,
        Meta(
            description="Where it is kept: in the store; in the file of the setting rules; in the preset.",
            examples=["store"],
        ),
    ]
    version: Annotated[
        int | None,
        Meta(description="Number of the change that made it so, for If-Match; null: not of the store.", examples=[12]),
    ]
    updated_at: Annotated[str | None, Meta(examples=["2024-05-01T12:00:00Z"])]
    updated_by: Annotated[
        str | None, Meta(description="Name of the API key; null: nobody knows.", examples=["merchandising"])
    ]


class RulesResponse(Answer):
    """All rules of the shop."""

    bundle: BundleInfo
    version: _VERSION
    source: Annotated[
        RulesState,
        Meta(
            description="live: those of the store; stale: the last ones known, the store does not answer; unread: "
            "those of the store are not known yet, nor in force; given: those of the settings, there is no store.",
            examples=["live"],
        ),
    ]
    rules: Annotated[list[RuleRow], Meta(description="By id.")]


class RuleFinding(Answer):
    """What is wrong with some rules."""

    problem: Annotated[
        Problem,
        Meta(
            description="fault: the bundle cannot follow the rule; dead: it never does anything; contradiction: rules "
            "work against each other; unsatisfiable: what it asks for cannot be had.",
            examples=["contradiction"],
        ),
    ]
    rules: Annotated[list[str], Meta(description="Ids of the rules.", examples=[["hide-recalled", "pin-launch"]])]
    message: Annotated[str, Meta(examples=["hide-recalled hides all items that pin-launch pins"])]
    remedy: Annotated[str, Meta(examples=["remove one of them"])]
    of_sample: Annotated[
        bool, Meta(description="It was seen for the users of the sample; others may differ.", examples=[False])
    ]


def findings_of(findings: Sequence[Finding]) -> list[RuleFinding]:
    """Findings as answers tell them."""
    return [
        RuleFinding(
            problem=finding.problem,
            rules=list(finding.rules),
            message=finding.message,
            remedy=finding.remedy,
            of_sample=finding.of_sample,
        )
        for finding in findings
    ]


class RuleResponse(Answer):
    """A rule as it is now."""

    bundle: BundleInfo
    version: _VERSION
    rule: RuleRow


class ChangedRuleResponse(Answer):
    """A rule as it is from now on: here at once, in every other worker within two seconds."""

    bundle: BundleInfo
    version: _VERSION
    done: Annotated[
        Literal["created", "replaced", "nothing"],
        Meta(description="nothing: it said the same before.", examples=["created"]),
    ]
    rule: RuleRow
    findings: Annotated[list[RuleFinding], Meta(description="What is wrong with it, beside the other rules.")]


class DeletedRuleResponse(Answer):
    """A rule is no more."""

    id: _RULE_ID
    version: _VERSION


class RuleChangeRow(Answer):
    """A change of one rule."""

    version: Annotated[int, Meta(description="Its number among all changes.", examples=[12])]
    rule_id: _RULE_ID
    action: Annotated[TextAction, Meta(examples=["replaced"])]
    who: Annotated[str | None, Meta(description="Name of the API key; null: nobody knows.", examples=["merchandising"])]
    at: Annotated[str | None, Meta(examples=["2024-05-01T12:00:00Z"])]
    before: Annotated[dict[str, Any] | None, Meta(description="What the rule said.", examples=[None])]
    after: Annotated[dict[str, Any] | None, Meta(description="What it said from then on.", examples=[_TERMS])]


class RuleChangesResponse(Answer):
    """A page of the trail of changes, the latest first."""

    changes: list[RuleChangeRow]
    next_cursor: Annotated[str | None, Meta(description="For the next page; null after the last.", examples=[None])]


class PreviewItem(Answer):
    """An item of a list."""

    rank: Annotated[int, Meta(examples=[1])]
    item_id: Annotated[str, Meta(examples=["B0009RF9DW"])]
    title: Annotated[str | None, Meta(examples=["Argan oil shampoo, 500 ml"])]
    brand: Annotated[str | None, Meta(examples=["Arganics"])]
    price: Annotated[float | None, Meta(examples=[12.95])]
    popular: Annotated[bool, Meta(description="A popular item that fills the list up.", examples=[False])]
    rank_before: Annotated[
        int | UnsetType, Meta(description="Rank before rules arranged anything; absent before rules.", examples=[4])
    ] = UNSET
    rules: Annotated[
        list[str] | UnsetType, Meta(description="Rules that put it here; absent before rules.", examples=[["spring"]])
    ] = UNSET


class PreviewUser(Answer):
    """The lists of a user."""

    user_id: Annotated[str, Meta(examples=["A1YJEY40YUW4SE"])]
    known: Annotated[bool, Meta(description="The bundle or the store knows the user.", examples=[True])]
    before: Annotated[list[PreviewItem], Meta(description="Without rules.")]
    after: Annotated[list[PreviewItem], Meta(description="With them.")]
    shortened_by: Annotated[list[str], Meta(description="Rules that left the list shorter than k.", examples=[[]])]


class RulePart(Answer):
    """What one rule does to the lists of all users of the preview, found by leaving it out."""

    rule: _RULE_ID
    active: Annotated[int, Meta(description="Users for whom it acts.", examples=[48])]
    lists_changed: Annotated[int, Meta(description="Lists that are different without it.", examples=[31])]
    items_in: Annotated[int, Meta(description="Items of all lists that are there because of it.", examples=[44])]
    items_out: Annotated[int, Meta(description="Items that are not there because of it.", examples=[44])]
    rank_change: Annotated[
        float,
        Meta(description="Ranks by which it moves items of both lists, on average over all of them.", examples=[0.7]),
    ]


class PreviewResponse(Answer):
    """What rules do to lists."""

    bundle: BundleInfo
    users: Annotated[int, Meta(description="For whom lists were made.", examples=[50])]
    lists_changed: Annotated[int, Meta(description="Lists that rules change.", examples=[42])]
    lists: Annotated[list[PreviewUser], Meta(description="Of the first users, as many as were asked to be shown.")]
    parts: Annotated[list[RulePart], Meta(description="Of each rule that was asked about and can act.")]
    findings: list[RuleFinding]
