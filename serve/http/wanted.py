"""What is wanted of a list, as requests say it: of recommendations and of explanations alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from recsys.bundle.layout import FULL
from recsys.pipeline.allow import PURCHASES, ExcludeSeen
from serve.bundles.options import DEFAULT_K, Given, Options
from serve.http.context import ContextOfLists
from serve.http.schemas import MAX_K, Filters, K, Moment, Name, Offset, Scenario

ExcludeSeenField = Annotated[
    bool | Literal["purchases", "purchase"],
    # Both types in one place, where clients that were made from the page before look for the first.
    WithJsonSchema({"type": ["boolean", "string"], "enum": [True, False, PURCHASES]}),
]

OVERRIDDEN = frozenset({"k", "model"})
"""What variants of lists override, unless the request says it itself."""


def exclude_seen_of(given: bool | str) -> ExcludeSeen:
    """What the pipeline calls it."""
    return given if isinstance(given, bool) else PURCHASES


class WantedItems(Filters):
    """Which items are wanted in a list, how many of them, and where it is shown."""

    k: K = DEFAULT_K
    offset: Offset = 0
    exclude_seen: Annotated[
        ExcludeSeenField,
        Field(
            description="Leave out items already in the user's history; or purchases: those that the user bought or "
            "rated, so that what was only viewed may come back. Not said, nothing is left out of only_items."
        ),
    ] = True
    scenario: Scenario = None
    context: ContextOfLists

    def options(self) -> Options:
        """What is wanted, without for whom."""
        only = None if self.only_items is None else tuple(self.only_items)
        asked = OVERRIDDEN & self.model_fields_set
        k, exclude_seen = self.k, exclude_seen_of(self.exclude_seen)
        if only is not None:  # whoever wants them in order wants all of them, unless told otherwise
            k = k if "k" in self.model_fields_set else min(len(only), MAX_K)
            asked = asked | {"k"}
            exclude_seen = exclude_seen if "exclude_seen" in self.model_fields_set else False
        return Options(
            k,
            exclude_seen=exclude_seen,
            filter=self.filter(),
            scenario=self.scenario,
            context=Given.all_of(self.context),
            offset=self.offset,
            exclude_items=tuple(self.exclude_items or ()),
            only_items=only,
            asked=frozenset(asked),
        )


class Wanted(WantedItems):
    """What is wanted of lists for users; the same for every user of a request."""

    model: Annotated[Name, Field(description="full: all sources and the ranker; or a source of GET /models.")] = FULL
    as_of: Annotated[
        Moment | None,
        Field(
            description="A time with its offset, or seconds since 1970: histories and events after it are not read. "
            "Models and popularity stay those of the bundle.",
            examples=["2024-05-01T12:00:00Z"],
        ),
    ] = None

    def options(self) -> Options:
        """What is wanted, without for whom."""
        return replace(super().options(), model=self.model, as_of=self.as_of)
