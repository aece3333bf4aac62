"""What can be asked of experiments."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from recsys.experiments.experiment import KEY_PATTERN
from serve.experiments.results import ResultsRequest
from serve.http.schemas import Cursor, Id, Limit, Moment, Query

KEY_LIMITS = {"pattern": KEY_PATTERN, "max_length": 100}


class ChangesQuery(Query):
    """Which page of the trail of changes."""

    limit: Limit = 20
    cursor: Cursor = None


class AssignmentQuery(Query):
    """Whose variant."""

    user_id: Annotated[Id, Field(description="Or the id of a visitor without a history of the server's.")]


class ResultsQuery(Query):
    """Of which version, and as of when."""

    version: Annotated[
        int | None,
        Field(ge=1, le=1_000_000_000, description="An earlier one that was started; left out: the one of now."),
    ] = None

    as_of: Annotated[
        Moment | None,
        Field(description="Lists and events of before this moment count; left out: all that are logged by now."),
    ] = None

    def request(self, key: str) -> ResultsRequest:
        """What is wanted of an experiment."""
        return ResultsRequest(key, self.version, self.as_of)
