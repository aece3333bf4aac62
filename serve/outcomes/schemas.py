"""What can be asked of outcomes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from recsys.experiments.experiment import KEY_PATTERN
from recsys.outcomes import DIMENSIONS, Dimension
from serve.http.schemas import Moment, Query
from serve.outcomes.service import DEFAULT_DAYS, MOST_DAYS, OutcomesRequest


class OutcomesQuery(Query):
    """Of which lists outcomes are told, and by what."""

    since: Annotated[
        Moment | None,
        Field(
            description=f"Lists served from then on; left out: {DEFAULT_DAYS} days before until. At most {MOST_DAYS}."
        ),
    ] = None
    until: Annotated[Moment | None, Field(description="Lists served before then; left out: now.")] = None
    by: Annotated[
        list[Dimension],
        Field(
            default_factory=list,
            max_length=len(DIMENSIONS),
            description="By what tables are made, one for each; may be repeated. source and position tell the items of "
            "lists apart, the others lists.",
        ),
    ]
    experiment: Annotated[
        str | None, Field(pattern=KEY_PATTERN, description="Lists made for this experiment alone, of any version.")
    ] = None

    def request(self) -> OutcomesRequest:
        """What the service is asked."""
        return OutcomesRequest(self.since, self.until, tuple(dict.fromkeys(self.by)), self.experiment)
