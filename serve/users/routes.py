"""Users: a listing and profiles."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from serve.http.problems import ProblemError, responses
from serve.http.routing import REFUSALS, LoadedOf, PartsOf
from serve.users.schemas import ProfileQuery, ProfileResponse, UsersQuery, UsersResponse
from serve.users.service import list_users, profile

router = APIRouter(tags=["users"])


@router.get("/users", summary="Users", responses=REFUSALS)
def users(query: Annotated[UsersQuery, Query()], loaded: LoadedOf, parts: PartsOf) -> UsersResponse:
    """The users of the bundle and of the store, ordered by id, a page at a time."""
    return UsersResponse.model_validate(list_users(loaded, parts.link, query.cursor, query.limit))


@router.get("/users/{user_id:id}/profile", summary="A user's profile", responses=REFUSALS | responses(404))
def user_profile(
    user_id: Annotated[str, Path(min_length=1, description="Any string; percent-encoded where it must be.")],
    query: Annotated[ProfileQuery, Query()],
    loaded: LoadedOf,
    parts: PartsOf,
) -> ProfileResponse:
    """History, totals, favourite brands and categories, and spending compared with the bundle's other users."""
    found = profile(loaded, parts.histories.of(loaded), parts.link, user_id, query.limit)
    if found is None:
        raise ProblemError(404, f"neither the bundle nor the store knows a user {user_id[:60]!r}")
    return ProfileResponse.model_validate(found)
