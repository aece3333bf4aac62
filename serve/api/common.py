"""What the routes share."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import Depends, Request, Response
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Match, Route
from starlette.types import Scope

from serve.loaded import Loaded
from serve.problems import ProblemError, responses
from serve.server import Server
from serve.store_link import StoreLink


class IdConvertor(Convertor[str]):
    """A part of a path that is any text: a slash or a line break in it arrived percent-encoded."""

    regex = r"(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("id", IdConvertor())


class DirectRoute(Route):
    """A GET that FastAPI describes but does not run: finding its dependencies takes longer than many an answer."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full or none: what else is asked of the address is left to FastAPI's own route."""
        if scope.get("method") != "GET":
            return Match.NONE, {}
        match, found = super().matches(scope)
        found["route"] = self  # the name of the route in metrics and logs
        return match, found


encoder = msgspec.json.Encoder()
# Of every route that a key, a limit or an unknown parameter can refuse.
REFUSALS = responses(401, 403, 408, 413, 422, 429, 503)


async def server_of(request: Request) -> Server:
    """The server that the app factory made."""
    server: Server = request.app.state.server
    return server


async def loaded_of(request: Request) -> Loaded:
    """The bundle that this request is answered from."""
    server: Server = request.app.state.server
    return server.bundles.loaded


async def link_of(request: Request) -> StoreLink:
    """The link to the store; a problem if there is none."""
    server: Server = request.app.state.server
    if server.link is None:
        raise ProblemError(503, "this server has no store; give it one with the setting store")
    return server.link


async def no_parameters(request: Request) -> None:
    """Refuse a query where none is read."""
    if request.scope["query_string"]:
        names = ", ".join(sorted(set(request.query_params)))[:200]
        raise ProblemError(422, f"{names or 'query'}: this address takes no query parameters")


ServerOf = Annotated[Server, Depends(server_of)]
LoadedOf = Annotated[Loaded, Depends(loaded_of)]
LinkOf = Annotated[StoreLink, Depends(link_of)]
NoParameters = Depends(no_parameters)


def json_response(content: object) -> Response:
    """An answer that is known to fit its model, encoded without checking it again."""
    return Response(encoder.encode(content), media_type="application/json")
