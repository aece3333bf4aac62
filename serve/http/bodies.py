"""JSON bodies of requests: what is far from anything that could be meant is refused before it is looked at closely."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from itertools import islice
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from serve.http.problems import MOST_ERRORS, brief, listed

MAX_DEPTH = 16  # of what lies within something else
MAX_NAMES = 100  # of one object
MAX_VALUES = 10_000  # in all: a batch of events has up to 9,000
MAX_VALUES_OF_ITEMS = 100_000  # a thousand items, some with a hundred attributes and categories


class BoundedRequest(Request):
    """A request whose JSON body is no larger, in any direction, than one that can be meant."""

    most_values = MAX_VALUES

    async def json(self) -> Any:
        """The body.

        Raises:
            HTTPException: it is too deep, too wide, or too much.
            JSONDecodeError: it is no JSON.
        """
        try:
            content = await super().json()
        except RecursionError:
            raise HTTPException(400, f"the body: expected {MAX_DEPTH} levels at most") from None
        check_size(content, self.most_values)
        return content


class BatchRequest(BoundedRequest):
    """One whose body is a batch of items with all their fields."""

    most_values = MAX_VALUES_OF_ITEMS


class JsonRoute(APIRoute):
    """A route that takes a JSON body."""

    request: type[BoundedRequest] = BoundedRequest

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As FastAPI's, of a bounded request."""
        handle = super().get_route_handler()

        async def handle_bounded(request: Request) -> Response:
            return await handle(self.request(request.scope, request.receive))

        return handle_bounded


class BatchRoute(JsonRoute):
    """A route that takes a batch of items."""

    request = BatchRequest


def check_size(content: object, most_values: int = MAX_VALUES) -> None:
    """Refuse what is too deep, too wide or too much; each level is looked at once, and as a whole.

    Raises:
        HTTPException: with 422.
    """
    parts: list[Any] = [content]
    values = 0
    for _ in range(MAX_DEPTH + 1):
        level = [part for part in parts if isinstance(part, dict | list)]
        if not level:
            return
        values += sum(map(len, level))
        for part in level:
            if isinstance(part, dict) and len(part) > MAX_NAMES:
                raise _refused(f"expected an object of {MAX_NAMES} names at most, got {_some(part, len(part))}")
        if values > most_values:
            raise _refused(f"expected {most_values:,} values at most, got {values:,} or more")
        parts = [inner for part in level for inner in (part.values() if isinstance(part, dict) else part)]
    raise _refused(f"expected {MAX_DEPTH} levels at most")


def _some(names: Iterable[object], count: int) -> str:
    return listed([brief(name) for name in islice(names, MOST_ERRORS)], count, ", ")


def _refused(detail: str) -> HTTPException:
    return HTTPException(422, f"the body: {detail}")
