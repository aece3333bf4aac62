"""Users: a listing and profiles."""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import APIRouter, Body, Depends, HTTPException, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from serve.bundles.loaded import LoadedBundle
from serve.http.bodies import JsonRoute
from serve.http.documentation import answers
from serve.http.problems import ProblemError
from serve.http.routing import LinkOf, LoadedOf, NoParameters, PartsOf, json_response
from serve.http.schemas import ID_LIMITS
from serve.store.link import StoreLink
from serve.users import kept
from serve.users.answers import ProfileResponse, UsersResponse
from serve.users.attribute_types import typed, types_of
from serve.users.export import export
from serve.users.kept_answers import ExportResponse, ForgottenResponse, KeptUserResponse, MergedResponse, UserResponse
from serve.users.schemas import MergeBody, ProfileQuery, UserBody, UserQuery, UsersQuery
from serve.users.service import list_users, profile

router = APIRouter(tags=["users"], route_class=JsonRoute)

T = TypeVar("T")
OTHERS = ("/profile", "/export", "/merge")


async def no_other_address(request: Request) -> None:
    """Refuse an id that ends like another address, which is what the client means: it takes other methods."""
    if request.scope["path"].endswith(OTHERS):
        raise HTTPException(405)


NoOtherAddress = Depends(no_other_address)
UserId = Annotated[str, Path(**ID_LIMITS, description="Percent-encoded where it must be.")]


@router.get("/users", summary="Users", **answers(UsersResponse))
def users(query: Annotated[UsersQuery, Query()], loaded: LoadedOf, parts: PartsOf) -> Response:
    """The users of the bundle and of the store, all or those whose ids begin so, ordered by id, a page at a time."""
    live = parts.histories.of(loaded)
    return json_response(list_users(loaded, live, parts.link, query.cursor, query.limit, query.query or ""))


@router.get("/users/{user_id:id}/profile", summary="A user's profile", **answers(ProfileResponse, 404))
def user_profile(
    user_id: UserId, query: Annotated[ProfileQuery, Query()], loaded: LoadedOf, parts: PartsOf
) -> Response:
    """History, totals, favourite brands and categories, and spending compared with the bundle's other users."""
    return json_response(
        _existing(user_id, profile(loaded, parts.histories.of(loaded), parts.link, user_id, query.limit))
    )


@router.get(
    "/users/{user_id:id}/export",
    summary="All that is kept of a person",
    dependencies=[NoParameters],
    **answers(ExportResponse, 404),
)
def export_user(user_id: UserId, loaded: LoadedOf, parts: PartsOf, link: LinkOf) -> Response:
    """Attributes, events, served lists, merged ids, and the bundle's history, written as they are read.

    A document that is cut off, since the store failed on the way, is no JSON. With keys it takes the scope admin.
    """
    return StreamingResponse(_existing(user_id, export(parts, loaded, link, user_id)), media_type="application/json")


@router.post(
    "/users/{user_id:id}/merge",
    summary="Let what another id did be a user's",
    dependencies=[NoParameters],
    **answers(MergedResponse, 400, 409),
)
def merge_user(user_id: UserId, body: Annotated[MergeBody, Body()], parts: PartsOf, link: LinkOf) -> Response:
    """What an anonymous session did until its user logged in, for example: events, served lists, the bundle's history.

    What that id does later is its own again, since a device may be shared; merge again at the next login. It may be
    repeated. This worker knows it at once, the others within two seconds. With keys it takes the scope write.
    """
    return json_response(kept.merge(parts, link, user_id, body.from_id))


@router.get("/users/by-id", summary="A user, whatever the id", **answers(UserResponse, 404))
def user_by_id(query: Annotated[UserQuery, Query()], loaded: LoadedOf, parts: PartsOf) -> Response:
    """As `/users/{user_id}`, also for an id that other addresses look like, such as one that ends in /profile."""
    return json_response(_existing(query.user_id, kept.user(parts, loaded, query.user_id)))


@router.put(
    "/users/by-id",
    summary="Say what is to be kept of a user, whatever the id",
    **answers(KeptUserResponse, 400),
)
def put_user_by_id(
    request: Request,
    query: Annotated[UserQuery, Query()],
    body: Annotated[UserBody, Body()],
    loaded: LoadedOf,
    link: LinkOf,
) -> Response:
    """As `/users/{user_id}`."""
    return _put(request, query.user_id, body, loaded, link)


@router.delete("/users/by-id", summary="Forget a person, whatever the id", **answers(ForgottenResponse))
def forget_user_by_id(query: Annotated[UserQuery, Query()], parts: PartsOf, link: LinkOf) -> Response:
    """As `/users/{user_id}`."""
    return json_response(kept.forget(parts, link, query.user_id))


@router.get("/users/{user_id:id}", summary="A user", dependencies=[NoParameters], **answers(UserResponse, 404))
def get_user(user_id: UserId, loaded: LoadedOf, parts: PartsOf) -> Response:
    """What the shop says of a user, and how much is known. Ids like other addresses are reached by `/users/by-id`."""
    return json_response(_existing(user_id, kept.user(parts, loaded, user_id)))


@router.put(
    "/users/{user_id:id}",
    summary="Say what is to be kept of a user",
    dependencies=[NoOtherAddress, NoParameters],
    **answers(KeptUserResponse, 400),
)
def put_user(
    request: Request, user_id: UserId, body: Annotated[UserBody, Body()], loaded: LoadedOf, link: LinkOf
) -> Response:
    """Keep attributes of a user who agrees to that, as a whole: what the body leaves out is deleted.

    Without consent all that are kept are deleted. With keys it takes the scope write.
    """
    return _put(request, user_id, body, loaded, link)


@router.delete(
    "/users/{user_id:id}",
    summary="Forget a person",
    dependencies=[NoOtherAddress, NoParameters],
    **answers(ForgottenResponse),
)
def forget_user(user_id: UserId, parts: PartsOf, link: LinkOf) -> Response:
    """Delete all that the store has of a person, and let nobody see what the bundle has: the next one has it no more.

    Ids merged into this one are forgotten with it. It may be repeated. This worker knows it at once, the others within
    two seconds. Later events are of a new person of that id. With keys it takes the scope admin.
    """
    return json_response(kept.forget(parts, link, user_id))


def _put(request: Request, user_id: str, body: UserBody, loaded: LoadedBundle, link: StoreLink) -> Response:
    attributes = typed(types_of(loaded), body.attributes)
    who = request.scope.get("key_name")
    return json_response(kept.put(link, user_id, attributes, consent=body.consent, who=who))


def _existing(user_id: str, answer: T | None) -> T:
    if answer is None:
        raise ProblemError(404, f"neither the bundle nor the store knows a user {user_id[:60]!r}")
    return answer
