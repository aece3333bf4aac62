"""What can be asked of experiments."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from recsys.experiments.experiment import KEY_PATTERN
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
    """As of when."""

    as_of: Annotated[
        Moment | None,
        Field(description="Lists and events of before this moment count; left out: all that are logged by now."),
    ] = None
