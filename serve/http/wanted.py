"""What is wanted of a list, as requests say it: of recommendations and of explanations alike."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from recsys.bundle.layout import FULL
from recsys.pipeline.allow import PURCHASES, ExcludeSeen
from serve.bundles.options import DEFAULT_K, Given, Options
from serve.http.context import ContextOfLists
from serve.http.schemas import Filters, K, Moment, Name, Scenario


class Wanted(Filters):
    """What is wanted; the same for every user of a request."""

    k: K = DEFAULT_K
    model: Annotated[Name, Field(description="full: all sources and the ranker; or a source of GET /models.")] = FULL
    exclude_seen: Annotated[
        bool | Literal["purchases", "purchase"],
        # Both types in one place, where clients that were made from the page before look for the first.
        WithJsonSchema({"type": ["boolean", "string"], "enum": [True, False, PURCHASES]}),
        Field(
            description="Leave out items already in the user's history; or purchases: those that the user bought or "
            "rated, so that what was only viewed may come back."
        ),
    ] = True
    as_of: Annotated[
        Moment | None,
        Field(
            description="A time with its offset, or seconds since 1970: histories and events after it are not read. "
            "Models and popularity stay those of the bundle.",
            examples=["2024-05-01T12:00:00Z"],
        ),
    ] = None

    scenario: Scenario = None
    context: ContextOfLists

    def options(self) -> Options:
        """What is wanted, without for whom."""
        exclude_seen: ExcludeSeen = self.exclude_seen if isinstance(self.exclude_seen, bool) else PURCHASES
        return Options(
            self.k,
            self.model,
            exclude_seen,
            self.as_of,
            self.filter(),
            scenario=self.scenario,
            context=Given.all_of(self.context),
        )
