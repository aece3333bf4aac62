"""What is wanted of a preview."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from recsys.pipeline.allow import ExcludeSeen
from recsys.rules.rule import Rule
from serve.bundles.options import ContextValue

PartsOf = Literal["tried", "all", "none"]


@dataclass(frozen=True)
class PreviewRequest:
    """A preview of rules.

    Attributes:
        user_ids: for whom lists are made; empty: a sample.
        sample: users of the bundle that are drawn.
        seed: of the draw.
        show: users whose lists are answered.
        rules: to try.
        stored: beside the rules in force.
        parts: the rules whose parts are answered.
        k, exclude_seen, as_of: as of recommendations.
        scenario, context: of the request that is played.
    """

    user_ids: tuple[str, ...]
    sample: int
    seed: int
    show: int
    rules: tuple[Rule, ...]
    stored: bool
    parts: PartsOf
    k: int
    exclude_seen: ExcludeSeen
    as_of: float | None
    scenario: str | None
    context: Mapping[str, ContextValue]
