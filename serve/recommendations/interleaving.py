"""One list drafted from those of two teams; what people choose of it says which team they prefer."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec
from msgspec import UNSET, UnsetType

from recsys.experiments.assignment import salt_of
from recsys.experiments.interleaving import team_draft
from recsys.sources.registry import FALLBACK
from serve.answers import ShortenedBy, shortened_by
from serve.bundles.options import Options
from serve.recommendations.answers import RecommendationResponse, RecommendedItem, Timing
from serve.recommendations.made_lists import MadeList
from serve.variants.running import Assigned


def interleaved(first: MadeList, second: MadeList, assigned: Assigned) -> MadeList:
    """The list of both teams: whole lists are drafted, with the popular items that fill them up.

    The coins follow from the unit and the history, so that the list stays as long as its teams' lists do, and its pages
    are slices of one list; after the user has done something, they are thrown anew. Each item is as in the list of the
    team that brought it, but for its rank.

    Args:
        first, second: the teams' lists, the control's first; both from their first items on.
        assigned: the experiment, and the unit.
    """
    options = first.options  # its offset and k say which part of the list is wanted
    names = [variant.name for variant in assigned.experiment.variants]
    coins = Random(_seed(first.answer, assigned))
    rankings = [[item.item_id for item in one.answer.items] for one in (first, second)]
    drafted, teams = team_draft(rankings[0], rankings[1], options.offset + options.k, coins)
    brought = [_by_id(first), _by_id(second)]
    places = range(options.offset, len(drafted))
    chosen = [(brought[teams[place] or 0].get(drafted[place]) or brought[1][drafted[place]]) for place in places]
    items, fills = [item for item, _ in chosen], [fill for _, fill in chosen]
    for place, item in zip(places, items, strict=True):
        item.rank = place + 1
        if item.rank_before is not UNSET:
            item.rank_before = item.rank
    named = tuple("" if (team := teams[place]) is None else names[team] for place in places)
    answer = _answer(first.answer, second.answer, items, fills, options)
    return first._replace(answer=answer, personal=fills.count(False), fills=fills, teams=named)


def _seed(answer: RecommendationResponse, assigned: Assigned) -> str:
    user = answer.user
    return f"{salt_of(assigned.experiment)}\0{assigned.unit}\0{user.interactions}\0{user.last_interaction_at}"


def _by_id(made: MadeList) -> dict[str, tuple[RecommendedItem, bool]]:
    """The items, and whether each fills the list up."""
    return {item.item_id: (item, fill) for item, fill in zip(made.answer.items, made.fills, strict=True)}


def _answer(
    first: RecommendationResponse,
    second: RecommendationResponse,
    items: list[RecommendedItem],
    fills: Sequence[bool],
    options: Options,
) -> RecommendationResponse:
    """The control's answer with the drafted items."""
    filled, shortfall = any(fills), options.k - len(items)
    return msgspec.structs.replace(
        first,
        items=items,
        primary_model=FALLBACK if filled and all(fills) else options.model,
        fallback_used=filled,
        fallback_reason=(first.fallback_reason or second.fallback_reason) if filled else None,
        shortfall=shortfall,
        timing=_timing(first.timing, second.timing),
        unknown_items=_union(first.unknown_items, second.unknown_items),
        shortened_by=_shortened(first.shortened_by, second.shortened_by) if shortfall else UNSET,
    )


def _timing(first: Timing, second: Timing) -> Timing:
    """Both lists were made, one after the other."""
    return Timing(
        store_ms=round(first.store_ms + second.store_ms, 3),
        query_tower_ms=round(first.query_tower_ms + second.query_tower_ms, 3),
        ann_ms=round(first.ann_ms + second.ann_ms, 3),
        ranking_ms=round(first.ranking_ms + second.ranking_ms, 3),
        total_ms=max(first.total_ms, second.total_ms),
    )


def _union(first: list[str] | UnsetType, second: list[str] | UnsetType) -> list[str] | UnsetType:
    if first is UNSET or second is UNSET:
        return first if second is UNSET else second
    return list(dict.fromkeys([*first, *second]))


def _shortened(first: ShortenedBy | UnsetType, second: ShortenedBy | UnsetType) -> ShortenedBy | UnsetType:
    rules = [rule for one in (first, second) if one is not UNSET for rule in one.rules]
    return shortened_by(list(dict.fromkeys(rules)))
