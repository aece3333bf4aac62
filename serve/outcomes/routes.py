"""What came of the lists that were served."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from serve.http.documentation import answers
from serve.http.routing import LinkOf, json_response
from serve.outcomes.answers import OutcomesResponse
from serve.outcomes.queue import OutcomesQueue
from serve.outcomes.schemas import OutcomesQuery

router = APIRouter(tags=["operations"])


@router.get("/stats/outcomes", summary="What came of lists", **answers(OutcomesResponse))
async def outcomes(query: Annotated[OutcomesQuery, Query()], request: Request, link: LinkOf) -> Response:
    """Clicks, carts, purchases and revenue of the lists of a time, by impressions and by served items.

    An outcome is an event that names a list and one of its items, at most attribution_days after it. What arrives later
    counts at the next call. One question is answered at a time; 503 if too many wait, or if it would take too long: ask
    for a shorter time then. The same question within a few seconds gets the same answer; as_of says of when it is.
    """
    queue: OutcomesQueue = request.app.state.outcomes
    return json_response(await queue.submit(query.request(), link))
