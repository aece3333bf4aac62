"""What an experiment is: variants of lists, for whom, in which order they are decided upon."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from recsys.core.values.whole_numbers import AS_WHOLE, Whole

KEY_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
BUCKETS: Final = 10_000
"""Of a layer. An experiment has a run of them, and the users who fall into it."""

Status = Literal["draft", "running", "stopped"]
Mode = Literal["split", "interleaved"]
"""split: each user has one variant; interleaved: each list is drafted from two, clicks are credited to the teams."""

Metric = Literal[
    "ctr", "add_to_cart_rate", "conversion_rate", "clicks_per_user", "purchases_per_user", "revenue_per_user"
]
"""ctr, add_to_cart_rate, conversion_rate: clicks, additions to a cart, purchases that name a list, by impressions, as
ratios of sums over users; the others: means over the users to whom a list was served."""
GuardrailMetric = Literal["latency_ms", "fallback_rate", "brand_variety", "ctr", "conversion_rate", "revenue_per_user"]
"""latency_ms: mean over lists; fallback_rate: share of lists with popular items in the place of personal ones;
brand_variety: distinct brands by items of a list; the others as of `Metric`."""

Key = Annotated[str, Field(pattern=KEY_PATTERN)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Overrides(_Part):
    """What is different of the lists of a variant; what is not named is as it is without the experiment.

    What a request asks for itself, its model or its k, is not overridden: the list is that of the request then, and the
    variant counts as not delivered.
    """

    model: str | None = Field(None, min_length=1, max_length=100, description="full, or a source of the bundle.")
    bundle: str | None = Field(
        None, min_length=1, max_length=100, description="Version of the served bundle's folder, held beside it."
    )
    rules: Literal["none"] | None = Field(None, description="none: the shop's rules do not act.")
    k: Annotated[int, Field(ge=1, le=100), AS_WHOLE] | None = Field(
        None, description="Items of a list whose request names no k."
    )
    explain: Literal["none", "cheap"] | None = Field(None, description="Whether items say why they are there.")

    @property
    def names(self) -> frozenset[str]:
        """Of what is overridden."""
        return frozenset(name for name, value in self if value is not None)


class Variant(_Part):
    """One way to make lists. The first one of an experiment is the control."""

    name: Key
    weight: Whole = Field(1, ge=1, le=1000, description="Users, in proportion to the other variants'.")
    overrides: Overrides = Overrides()


class Guardrail(_Part):
    """What a variant must not do, however good its primary metric is."""

    metric: GuardrailMetric
    most: float = Field(
        gt=0,
        le=10,
        description="Share of the control's mean by which it may be worse: .05 lets latency rise, or the click-through "
        "rate fall, by 5%.",
    )


class ExperimentTerms(_Part):
    """What a shop says of an experiment."""

    title: str = Field("", max_length=200)
    layer: Key = "default"
    traffic: float = Field(1.0, gt=0, le=1, description="Share of the layer's users who are in the experiment.")
    salt: str = Field("", max_length=100, description="Of the assignment; empty: key and version.")
    mode: Mode = "split"
    variants: tuple[Variant, ...] = Field(min_length=2, max_length=10, strict=False)
    primary: Metric = "ctr"
    guardrails: tuple[Guardrail, ...] = Field((), max_length=10, strict=False)
    alpha: float = Field(0.05, ge=0.001, le=0.2, description="Chance of a wrong verdict, over all looks and variants.")
    winsorised: float = Field(0.99, gt=0.5, le=1, description="Quantile to which the revenue of users is cut.")
    least_users: Whole = Field(
        100, ge=2, le=1_000_000_000, description="Users of each variant before there is a verdict."
    )

    @property
    def control(self) -> Variant:
        """What the others are compared with."""
        return self.variants[0]

    @property
    def overrides(self) -> frozenset[str]:
        """Names of what any variant overrides."""
        return frozenset().union(*(variant.overrides.names for variant in self.variants))

    @model_validator(mode="after")
    def _sound(self) -> Self:
        _require_distinct("variants of different names", [variant.name for variant in self.variants])
        _require_distinct("guardrails of different metrics", [guardrail.metric for guardrail in self.guardrails])
        if self.mode == "interleaved":
            self._require_two_teams()
        return self

    def _require_two_teams(self) -> None:
        if len(self.variants) != 2:
            raise ValueError(f"expected two variants of an interleaved experiment, got {len(self.variants)}")
        others = self.overrides - {"model", "bundle"}
        if others:
            raise ValueError(f"expected teams that differ in model or bundle alone, got {', '.join(sorted(others))}")
        if len({variant.weight for variant in self.variants}) > 1:
            raise ValueError("expected teams of equal weights, got different ones")


def _require_distinct(expected: str, names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"expected {expected}, got {twice[0]!r} twice")


class Experiment(ExperimentTerms):
    """An experiment as it is kept: what the shop says of it, and what the server adds.

    Attributes:
        version: counts the definitions that users may have been assigned by; weights, variants, salt, layer, traffic or
            mode that change while it runs make a new one, whose lists are counted apart.
        first_bucket, end_bucket: of its layer, once it has been started; half open.
        started_at, stopped_at: of this version, in seconds since 1970.
    """

    key: Key
    version: int = Field(1, ge=1)
    status: Status = "draft"
    first_bucket: int = Field(0, ge=0, le=BUCKETS)
    end_bucket: int = Field(0, ge=0, le=BUCKETS)
    started_at: float | None = None
    stopped_at: float | None = None

    @property
    def terms(self) -> ExperimentTerms:
        """What the shop says of it."""
        return ExperimentTerms(**{name: getattr(self, name) for name in ExperimentTerms.model_fields})
