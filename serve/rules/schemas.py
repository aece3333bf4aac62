"""What can be asked of the shop's rules."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from recsys.core.values.whole_numbers import AS_WHOLE
from recsys.rules.preview import MOST_LEFT_OUT
from recsys.rules.rule import MAX_SCENARIO_CHARS, RULE_ID_PATTERN, Rule
from serve.bundles.options import DEFAULT_K
from serve.http.context import Context
from serve.http.schemas import Cursor, Id, K, Limit, Moment, Query
from serve.http.wanted import ExcludeSeenField, exclude_seen_of
from serve.rules.options import PartsOf, PreviewRequest

RULE_ID_LIMITS = {"pattern": RULE_ID_PATTERN, "max_length": 100}
MAX_SAMPLE, MAX_SHOWN, MAX_TRIED = 200, 50, 100


class ChangesQuery(Query):
    """Which page of the trail of changes."""

    rule_id: Annotated[
        str | None, Field(pattern=RULE_ID_PATTERN, description="Changes of this rule alone, which may be no more.")
    ] = None
    limit: Limit = 20
    cursor: Cursor = None


class PreviewBody(Query):
    """For whom lists are made, and by which rules."""

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={
            "examples": [
                {"sample": 50, "k": 10},
                {
                    "user_ids": ["A1YJEY40YUW4SE"],
                    "rules": [{"id": "two-of-a-brand", "action": {"type": "cap", "by": "brand", "most": 2}}],
                },
            ]
        },
    )

    user_ids: Annotated[
        list[Id],
        Field(default_factory=list, max_length=MAX_SHOWN, description="Users; empty: a sample of the bundle's."),
    ]
    sample: Annotated[
        int, Field(ge=1, le=MAX_SAMPLE, description="Users drawn at random, if none are named."), AS_WHOLE
    ] = 50
    seed: Annotated[
        int, Field(ge=0, le=2**32 - 1, description="Of the draw: the same users for the same seed."), AS_WHOLE
    ] = 0
    show: Annotated[int, Field(ge=0, le=MAX_SHOWN, description="Users whose lists are in the answer."), AS_WHOLE] = 10
    rules: Annotated[
        list[Rule],
        Field(default_factory=list, max_length=MAX_TRIED, description="Rules to try; nothing of them is kept."),
    ]
    stored: Annotated[
        bool,
        Field(description="Beside the rules in force, of which one with the same id is replaced; false: alone."),
    ] = True
    parts: Annotated[
        PartsOf,
        Field(
            description="Rules whose parts are told. tried: those of the request. A part takes the lists of "
            f"all users for whom the rule acts once more; beyond {MOST_LEFT_OUT:,} such lists the preview is refused "
            "with 422: ask for fewer users then, or for the parts of fewer rules."
        ),
    ] = "tried"
    k: K = DEFAULT_K
    exclude_seen: Annotated[
        ExcludeSeenField,
        Field(description="As of recommendations."),
    ] = True
    as_of: Annotated[Moment | None, Field(description="As of recommendations: rules act as they do at that time.")] = (
        None
    )
    scenario: Annotated[
        str | None, Field(min_length=1, max_length=MAX_SCENARIO_CHARS, description="As of recommendations.")
    ] = None
    context: Annotated[Context, Field(default_factory=dict, description="As of recommendations.")]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({rule.id for rule in self.rules}) < len(self.rules):
            raise ValueError("each rule needs an id of its own")
        return self

    def request(self) -> PreviewRequest:
        """What is wanted."""
        return PreviewRequest(
            user_ids=tuple(self.user_ids),
            sample=self.sample,
            seed=self.seed,
            show=self.show,
            rules=tuple(self.rules),
            stored=self.stored,
            parts=self.parts,
            k=self.k,
            exclude_seen=exclude_seen_of(self.exclude_seen),
            as_of=self.as_of,
            scenario=self.scenario,
            context=dict(self.context),
        )
