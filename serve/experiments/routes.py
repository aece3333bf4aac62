"""Experiments: defined, started, stopped, and what came of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Header, Path, Query, Request, Response

from recsys.experiments.experiment import ExperimentTerms
from recsys.store.kept_texts import ABSENT
from serve.experiments import service
from serve.experiments.answers import (
    AssignmentResponse,
    ChangedExperimentResponse,
    DeletedExperimentResponse,
    ExperimentChangesResponse,
    ExperimentResponse,
    ExperimentsResponse,
    ResultsResponse,
)
from serve.experiments.queue import ResultsQueue
from serve.experiments.schemas import KEY_LIMITS, AssignmentQuery, ChangesQuery, ResultsQuery
from serve.http.bodies import JsonRoute
from serve.http.documentation import answers
from serve.http.etags import IfMatch, IfNoneMatch, expected_version, tagged
from serve.http.routing import LinkOf, NoParameters, PartsOf, json_response

router = APIRouter(tags=["experiments"], route_class=JsonRoute)

KeyOf = Annotated[str, Path(**KEY_LIMITS, description="Chosen by the shop.")]


@router.get(
    "/experiments", summary="The shop's experiments", dependencies=[NoParameters], **answers(ExperimentsResponse)
)
def experiments(parts: PartsOf) -> Response:
    """All experiments: drafts, those that are running, and those that were stopped."""
    return json_response(service.experiments(parts))


@router.get(
    "/experiments/{key}", summary="An experiment", dependencies=[NoParameters], **answers(ExperimentResponse, 404)
)
def experiment(key: KeyOf, parts: PartsOf) -> Response:
    """An experiment with the number of the change that made it so, which is the `ETag`, too."""
    answer = service.experiment(parts, key)
    return tagged(json_response(answer), answer.experiment.change)


@router.put(
    "/experiments/{key}",
    summary="Create or replace an experiment",
    dependencies=[NoParameters],
    **answers(ChangedExperimentResponse, 400, 409, 412),
)
def put(
    request: Request,
    key: KeyOf,
    body: Annotated[ExperimentTerms, Body()],
    link: LinkOf,
    parts: PartsOf,
    if_match: Annotated[IfMatch, Header()] = None,
    if_none_match: Annotated[IfNoneMatch, Header()] = None,
) -> Response:
    """Keep an experiment, as a whole: what the body leaves out is as if it had never been given.

    A new one is a draft. Where variants, weights, salt, layer, traffic or mode of a running one change, a new version
    runs from now on, whose lists are counted apart; of one that was stopped that makes a draft. It is on disk when this
    answers; this worker goes by it at once, the others within two seconds. With keys it takes the scope admin.
    """
    expected = expected_version(if_match, if_none_match, absent=ABSENT)
    answer = service.put(parts, link.queries, key, body, request.scope.get("key_name"), expected)
    return tagged(json_response(answer), answer.experiment.change)


@router.delete(
    "/experiments/{key}",
    summary="Delete an experiment",
    dependencies=[NoParameters],
    **answers(DeletedExperimentResponse, 404, 409, 412),
)
def delete(
    request: Request, key: KeyOf, link: LinkOf, parts: PartsOf, if_match: Annotated[IfMatch, Header()] = None
) -> Response:
    """Remove a draft, or an experiment that was stopped. The trail of changes keeps what it said."""
    expected = expected_version(if_match, absent=ABSENT)
    return json_response(service.delete(parts, link.queries, key, request.scope.get("key_name"), expected))


@router.post(
    "/experiments/{key}/start",
    summary="Start an experiment",
    dependencies=[NoParameters],
    **answers(ChangedExperimentResponse, 404, 409, 412),
)
def start(
    request: Request, key: KeyOf, link: LinkOf, parts: PartsOf, if_match: Annotated[IfMatch, Header()] = None
) -> Response:
    """Users fall into variants from now on. One that was stopped begins anew, as its next version.

    Refused with 409 where it is running; where the running experiments of its layer leave too few users; where one of
    another layer overrides the same thing; where a model or bundle of a variant is not there; and where what was served
    is not logged. With keys it takes the scope admin.
    """
    expected = expected_version(if_match, absent=ABSENT)
    answer = service.start(parts, link.queries, key, request.scope.get("key_name"), expected)
    return tagged(json_response(answer), answer.experiment.change)


@router.post(
    "/experiments/{key}/stop",
    summary="Stop an experiment",
    dependencies=[NoParameters],
    **answers(ChangedExperimentResponse, 404, 409, 412),
)
def stop(
    request: Request, key: KeyOf, link: LinkOf, parts: PartsOf, if_match: Annotated[IfMatch, Header()] = None
) -> Response:
    """Lists are as without the experiment from now on. What still comes of its lists counts for its results."""
    expected = expected_version(if_match, absent=ABSENT)
    answer = service.stop(parts, link.queries, key, request.scope.get("key_name"), expected)
    return tagged(json_response(answer), answer.experiment.change)


@router.get("/experiments/{key}/results", summary="What came of an experiment", **answers(ResultsResponse, 404))
async def results(request: Request, key: KeyOf, query: Annotated[ResultsQuery, Query()], link: LinkOf) -> Response:
    """The verdict of one version of the experiment by day, and what it rests on.

    Where nothing can be said, the states and reasons say so: too few users, an uneven split, a log that does not reach
    back. Lists are logged some seconds after they are served. An answer is kept for ten seconds, or longer if it took
    long.
    """
    queue: ResultsQueue = request.app.state.results
    return json_response(await queue.submit(link, query.request(key)))


@router.get(
    "/experiments/{key}/changes", summary="Who changed an experiment when", **answers(ExperimentChangesResponse)
)
def changes(key: KeyOf, query: Annotated[ChangesQuery, Query()], link: LinkOf) -> Response:
    """The trail of all changes of an experiment, the latest first, each with what it was before and after."""
    return json_response(service.changes(link.queries, key, query.cursor, query.limit))


@router.get(
    "/experiments/{key}/assignment",
    summary="Which variant a user gets",
    **answers(AssignmentResponse, 404, 409),
)
def assignment(key: KeyOf, query: Annotated[AssignmentQuery, Query()], parts: PartsOf) -> Response:
    """The variant of the experiment that lists of a user are made for, or why there is none."""
    return json_response(service.assignment(parts, key, query.user_id))
