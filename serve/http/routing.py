"""What the routes share."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import Depends, Request, Response
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Match, Route
from starlette.types import Scope

from serve.answers import Answer
from serve.bundles.loaded import LoadedBundle
from serve.histories.user_histories import UserHistories
from serve.http.problems import ProblemError
from serve.parts import Parts
from serve.shop_rules.in_force import RulesInForce
from serve.store.link import StoreLink


class IdConvertor(Convertor[str]):
    """A part of a path that is any text: a slash or a line break in it arrived percent-encoded."""

    regex = r"(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class ItemConvertor(IdConvertor):
    """The id of an item at whose address nothing else lies."""

    regex = r"(?s:(?!(?:popular|batch|lookup|by-id|by-id/(?:blurb|popularity))$)(?!.*/(?:similar|blurb|popularity)$).*)"


register_url_convertor("id", IdConvertor())
register_url_convertor("item", ItemConvertor())


class NamedRoute(Route):
    """A route that FastAPI neither runs nor describes, and that metrics and logs know by its path all the same."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child_scope = super().matches(scope)
        child_scope["route"] = self
        return match, child_scope


class DirectRoute(Route):
    """A GET that FastAPI describes but does not run: finding its dependencies takes longer than many an answer."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full or none: what else is asked of the address is left to FastAPI's own route."""
        if scope.get("method") != "GET":
            return Match.NONE, {}
        match, child_scope = super().matches(scope)
        child_scope["route"] = self  # the name of the route in metrics and logs
        return match, child_scope


encoder = msgspec.json.Encoder()


async def parts_of(request: Request) -> Parts:
    """The parts that the app factory composed."""
    parts: Parts = request.app.state.parts
    return parts


async def loaded_of(request: Request) -> LoadedBundle:
    """The bundle that this request is answered from."""
    return (await parts_of(request)).bundles.loaded


async def rules_of(request: Request) -> RulesInForce:
    """The shop's rules of the moment."""
    return (await parts_of(request)).rules


async def histories_of(request: Request) -> UserHistories:
    """The users' histories."""
    return (await parts_of(request)).histories


async def link_of(request: Request) -> StoreLink:
    """The link to the store; a problem if there is none."""
    link = (await parts_of(request)).link
    if link is None:
        raise ProblemError(503, "this server has no store; give it one with the setting store")
    return link


async def no_parameters(request: Request) -> None:
    """Refuse a query where none is read."""
    if request.scope["query_string"]:
        names = ", ".join(sorted(set(request.query_params)))[:200]
        raise ProblemError(422, f"{names or 'query'}: this address takes no query parameters")


PartsOf = Annotated[Parts, Depends(parts_of)]
LoadedOf = Annotated[LoadedBundle, Depends(loaded_of)]
RulesOf = Annotated[RulesInForce, Depends(rules_of)]
HistoriesOf = Annotated[UserHistories, Depends(histories_of)]
LinkOf = Annotated[StoreLink, Depends(link_of)]
NoParameters = Depends(no_parameters)


def json_response(content: Answer) -> Response:
    """An answer that fits its model by construction, encoded without a check."""
    return Response(encoder.encode(content), media_type="application/json")
