"""What can be asked about users."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from serve.http.schemas import MAX_K, Cursor, Limit, Query


class UsersQuery(Query):
    """Which page."""

    cursor: Cursor = None
    limit: Limit = 20


class ProfileQuery(Query):
    """How much of it."""

    limit: Annotated[int, Field(ge=1, le=MAX_K, description="Most recent items of the history shown.")] = 20
