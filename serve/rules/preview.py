"""A preview: the lists of some users without and with rules, and what each rule does to them."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

import numpy as np

from recsys.core.queries import NO_ITEM
from recsys.histories.live_histories import LiveHistories, LiveQueries
from recsys.pipeline.allow import PURCHASES
from recsys.pipeline.recommendations import Recommendations, names_of
from recsys.rules.policy import CompiledRules
from recsys.rules.preview import Finding, Preview, preview
from recsys.rules.rule import Rule
from serve.bundles.loaded import LoadedBundle
from serve.parts import Parts
from serve.rules.answers import PreviewItem, PreviewResponse, PreviewUser, RulePart, findings_of
from serve.rules.options import PreviewRequest


def previewed(parts: Parts, request: PreviewRequest) -> PreviewResponse:
    """What rules do to lists, by the bundle of the moment. For any number of threads.

    Raises:
        NotReadyError: no bundle is loaded.
        TooManyPartsError: it would take too long.
    """
    loaded = parts.bundles.loaded
    rules = _tried(parts, request)
    compiled = CompiledRules.compile(rules, loaded.rule_base)
    users = _users(parts, loaded, request, compiled)
    made = preview(
        loaded.recommender,
        rules,
        compiled,
        users.named,
        request.k,
        scenario=request.scenario,
        context=request.context,
        exclude_seen=request.exclude_seen,
        restrictions=loaded.bundle.in_stock,
        parts_of=_parts_of(request),
    )
    changed = (made.before.items != made.after.items).any(axis=1)
    return PreviewResponse(
        bundle=loaded.info,
        users=len(changed),
        lists_changed=int(changed.sum()),
        lists=_lists(loaded, users, made, request.show),
        parts=[
            RulePart(
                rule=part.rule,
                active=part.active,
                lists_changed=part.lists_changed,
                items_in=part.items_in,
                items_out=part.items_out,
                rank_change=round(part.rank_change, 3),
            )
            for part in made.parts
        ],
        findings=findings_of([*made.findings, *_elsewhere(request)]),
    )


def _parts_of(request: PreviewRequest) -> Collection[str] | None:
    """Ids of the rules whose parts are wanted; None: of all."""
    if request.parts == "all":
        return None
    return {rule.id for rule in request.rules} if request.parts == "tried" else ()


def _elsewhere(request: PreviewRequest) -> list[Finding]:
    """The rules to be tried that this preview says nothing about, since they are for another scenario."""
    place = f"the scenario {request.scenario}" if request.scenario else "no scenario"
    return [
        Finding(
            "dead",
            (rule.id,),
            f"it is for the scenario {rule.scenario}, this preview for {place}",
            "ask for a preview with its scenario",
            of_sample=True,
        )
        for rule in request.rules
        if rule.scenario not in (None, request.scenario)
    ]


def _tried(parts: Parts, request: PreviewRequest) -> list[Rule]:
    """The rules in force, unless those of the request stand alone or in their places."""
    in_force = {rule.id: rule for rule in parts.rules.rules.readable} if request.stored else {}
    return list((in_force | {rule.id: rule for rule in request.rules}).values())


def _users(parts: Parts, loaded: LoadedBundle, request: PreviewRequest, compiled: CompiledRules) -> LiveQueries:
    live = parts.histories.of(loaded)
    user_ids = request.user_ids or _sampled(loaded, live, request.sample, request.seed)
    purchases = request.exclude_seen == PURCHASES or compiled.reads_purchases
    return live.of(user_ids, time.time(), request.as_of, purchases=purchases)


def _sampled(loaded: LoadedBundle, live: LiveHistories, sample: int, seed: int) -> list[str]:
    """Users of the bundle that have a history, drawn at random; who was forgotten since is not among them."""
    rows = np.flatnonzero(loaded.bundle.histories.lengths)
    drawn = np.random.default_rng(seed).choice(rows, min(sample, len(rows)), replace=False)
    user_ids = loaded.bundle.catalogue.user_ids(drawn)
    found = _known(live, user_ids)
    if len(found) < len(user_ids):  # others in their places
        more = loaded.bundle.catalogue.user_ids(np.setdiff1d(rows, drawn))
        found += _known(live, more)[: len(user_ids) - len(found)]
    return found


def _known(live: LiveHistories, user_ids: Sequence[str]) -> list[str]:
    return [user_id for user_id in user_ids if not live.ownership.concerns(user_id) or live.in_bundle(user_id)]


def _lists(loaded: LoadedBundle, users: LiveQueries, made: Preview, show: int) -> list[PreviewUser]:
    return [
        PreviewUser(
            user_id=user_id if isinstance(user_id, str) else "",
            known=known,
            before=_items(loaded, made.before, query),
            after=_items(loaded, made.after, query),
            shortened_by=_shortened_by(made.after, query),
        )
        for query, (user_id, known) in enumerate(list(zip(users.subjects, users.known, strict=True))[:show])
    ]


def _items(loaded: LoadedBundle, lists: Recommendations, query: int) -> list[PreviewItem]:
    rows = lists.items[query][lists.items[query] != NO_ITEM].tolist()
    cards = loaded.cards(rows)
    items = [
        PreviewItem(
            rank=rank,
            item_id=cards[row].item_id,
            title=cards[row].title,
            brand=cards[row].brand,
            price=cards[row].price,
            popular=bool(lists.popular[query, rank - 1]),
        )
        for rank, row in enumerate(rows, 1)
    ]
    moves = lists.moves
    if moves is not None:
        for item in items:
            moved = moves.moved_by[query, item.rank - 1]
            item.rank_before = int(moves.ranks_before[query, item.rank - 1])
            item.rules = names_of(moves.rules, moved)
    return items


def _shortened_by(lists: Recommendations, query: int) -> list[str]:
    if lists.moves is None:
        return []
    return names_of(lists.moves.rules, lists.moves.shortened_by[query])
