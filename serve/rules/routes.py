"""The shop's rules: read, changed, tried out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Header, Path, Query, Request, Response

from recsys.rules.rule import Rule, RuleTerms
from recsys.store.kept_texts import ABSENT
from serve.http.bodies import JsonRoute
from serve.http.documentation import answers
from serve.http.etags import IfMatch, IfNoneMatch, expected_version, tagged
from serve.http.routing import LinkOf, LoadedOf, NoParameters, PartsOf, json_response
from serve.rules import service
from serve.rules.answers import (
    ChangedRuleResponse,
    DeletedRuleResponse,
    PreviewResponse,
    RuleChangesResponse,
    RuleResponse,
    RulesResponse,
)
from serve.rules.queue import PreviewQueue
from serve.rules.schemas import RULE_ID_LIMITS, ChangesQuery, PreviewBody

router = APIRouter(tags=["rules"], route_class=JsonRoute)

RuleIdOf = Annotated[str, Path(**RULE_ID_LIMITS, description="Chosen by the shop.")]


@router.get("/rules", summary="The shop's rules", dependencies=[NoParameters], **answers(RulesResponse))
def rules(loaded: LoadedOf, parts: PartsOf) -> Response:
    """All rules, also those that are off, with what keeps them from acting."""
    return json_response(service.rules(parts, loaded))


@router.post(
    "/rules/preview",
    summary="What rules would do",
    dependencies=[NoParameters],
    **answers(PreviewResponse, 400),
)
async def preview(request: Request, body: Annotated[PreviewBody, Body()]) -> Response:
    """Lists of some users without and with rules, and what each rule does to them; nothing is kept.

    Rules that are dead, contradict each other or cannot be satisfied are named. Rules of the request that the bundle
    cannot follow are no error here: the findings say what is wrong with them.
    """
    queue: PreviewQueue = request.app.state.previews
    return json_response(await queue.submit(body.request()))


@router.get("/rules/{rule_id}", summary="A rule", dependencies=[NoParameters], **answers(RuleResponse, 404))
def rule(rule_id: RuleIdOf, loaded: LoadedOf, parts: PartsOf) -> Response:
    """A rule with its version, which is the `ETag`, too."""
    answer = service.rule(parts, loaded, rule_id)
    return tagged(json_response(answer), answer.rule.version)


@router.put(
    "/rules/{rule_id}",
    summary="Create or replace a rule",
    dependencies=[NoParameters],
    **answers(ChangedRuleResponse, 400, 409, 412),
)
def put(
    request: Request,
    rule_id: RuleIdOf,
    body: Annotated[RuleTerms, Body()],
    loaded: LoadedOf,
    link: LinkOf,
    parts: PartsOf,
    if_match: Annotated[IfMatch, Header()] = None,
    if_none_match: Annotated[IfNoneMatch, Header()] = None,
) -> Response:
    """Keep a rule, as a whole: what the body leaves out is as if it had never been given.

    It is on disk when this answers; this worker goes by it at once, the others within two seconds. What the bundle
    cannot follow (an expression that is none, a field that does not exist, types that do not fit) is refused with its
    position and the fields there are. With keys it takes the scope admin: rules are for everyone's lists.
    """
    wanted = Rule(id=rule_id, **dict(body))
    expected = expected_version(if_match, if_none_match, absent=ABSENT)
    answer = service.put(parts, loaded, link.queries, wanted, request.scope.get("key_name"), expected)
    return tagged(json_response(answer), answer.rule.version)


@router.delete(
    "/rules/{rule_id}",
    summary="Delete a rule",
    dependencies=[NoParameters],
    **answers(DeletedRuleResponse, 404, 412),
)
def delete(
    request: Request,
    rule_id: RuleIdOf,
    link: LinkOf,
    parts: PartsOf,
    if_match: Annotated[IfMatch, Header()] = None,
) -> Response:
    """Remove a rule of the store. The trail of changes keeps what it said."""
    expected = expected_version(if_match, absent=ABSENT)
    return json_response(service.delete(parts, link.queries, rule_id, request.scope.get("key_name"), expected))


@router.get("/rule-changes", summary="Who changed which rule when", **answers(RuleChangesResponse))
def changes(query: Annotated[ChangesQuery, Query()], link: LinkOf) -> Response:
    """The trail of all changes of rules, the latest first, each with what the rule said before and after."""
    return json_response(service.changes(link.queries, query.rule_id, query.cursor, query.limit))
