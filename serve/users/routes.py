"""Users: a listing and profiles."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from serve.http.documentation import answers
from serve.http.problems import ProblemError
from serve.http.routing import LoadedOf, PartsOf, json_response
from serve.http.schemas import ID_LIMITS
from serve.users.answers import ProfileResponse, UsersResponse
from serve.users.schemas import ProfileQuery, UsersQuery
from serve.users.service import list_users, profile

router = APIRouter(tags=["users"])


@router.get("/users", summary="Users", **answers(UsersResponse))
def users(query: Annotated[UsersQuery, Query()], loaded: LoadedOf, parts: PartsOf) -> Response:
    """The users of the bundle and of the store, ordered by id, a page at a time."""
    return json_response(list_users(loaded, parts.link, query.cursor, query.limit))


@router.get("/users/{user_id:id}/profile", summary="A user's profile", **answers(ProfileResponse, 404))
def user_profile(
    user_id: Annotated[str, Path(**ID_LIMITS, description="Percent-encoded where it must be.")],
    query: Annotated[ProfileQuery, Query()],
    loaded: LoadedOf,
    parts: PartsOf,
) -> Response:
    """History, totals, favourite brands and categories, and spending compared with the bundle's other users."""
    answer = profile(loaded, parts.histories.of(loaded), parts.link, user_id, query.limit)
    if answer is None:
        raise ProblemError(404, f"neither the bundle nor the store knows a user {user_id[:60]!r}")
    return json_response(answer)
