"""Makes the lists of one recipe: for users who are scored together."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np
from msgspec import UNSET

from recsys.core.queries import Queries
from recsys.histories.live_histories import LiveQueries, Subject
from recsys.rules.bound import BoundRules
from recsys.rules.buy_again import BUY_AGAIN
from recsys.rules.policy import CompiledRules
from recsys.sources.registry import FALLBACK
from serve.answers import shortened_by
from serve.bundles.held import HeldBundles
from serve.bundles.loaded import LoadedBundle
from serve.bundles.options import Options
from serve.bundles.restrictions import Asked
from serve.histories.summary import fallback_reason, summaries
from serve.parts import Parts
from serve.recommendations.answers import RecommendationResponse, Timing
from serve.recommendations.lists import UserList, add_whys, lists
from serve.recommendations.made_lists import MadeList, recommendation_ids
from serve.recommendations.remembered_whys import RememberedWhys
from serve.recommendations.whys import Whys
from serve.shop_rules.in_force import as_read, bound_for, policy_of, reads_purchases
from serve.times import now_text
from serve.variants.deliveries import Recipe


class Seat(NamedTuple):
    """For whom a list is made.

    Attributes:
        subject: a user by id; a session by the ids of its items, oldest first.
        started: `time.perf_counter()` at the arrival of the request.
        visitor_id: of a session, the id by which the shop knows its visitor.
    """

    subject: Subject
    started: float
    visitor_id: str | None = None


class Ready(NamedTuple):
    """A recipe with the rules that its lists obey, and the number of changes of the store's rules that they are of."""

    recipe: Recipe
    rules: CompiledRules
    rules_version: int


class ListMaker:
    """Makes lists, and answers of them. For one thread at a time."""

    def __init__(self, parts: Parts) -> None:
        self._histories, self._languages, self._metrics = parts.histories, parts.languages, parts.metrics
        self._rules = parts.rules
        self._whys: dict[LoadedBundle, tuple[Mapping[str, float], RememberedWhys]] = {}

    def ready(self, recipe: Recipe) -> Ready:
        """The recipe with its rules, without what these do not read of the options."""
        rules, version = self._rules.versioned(recipe.loaded)
        if not recipe.ruled:
            rules = self._rules.of_list(recipe.loaded, ruled=False)
        if recipe.options.context:
            recipe = recipe._replace(options=as_read(rules, recipe.options))
        return Ready(recipe, rules, version)

    def let_go_but(self, held: HeldBundles) -> None:
        """Remember nothing of bundles from which no lists are made any more, nor of forgotten persons."""
        if self._whys:
            in_use, tombstones = held.answering, self._histories.persons.now.tombstones
            self._whys = {one: kept for one, kept in self._whys.items() if one in in_use and kept[0] is tombstones}

    def make(self, ready: Ready, seats: Sequence[Seat], *, tell_arranged: bool = False) -> Iterator[MadeList]:
        """One list for each seat, in their order.

        Args:
            ready, seats: see above.
            tell_arranged: say of each list whether rules may have arranged it.

        Raises:
            UnknownModelError: the bundle has no such model.
        """
        (loaded, options, _, whole), rules, rules_version = ready
        loaded.require_model(options.model)
        started = time.perf_counter()
        subjects = [seat.subject for seat in seats]
        live = self._histories.of(loaded)
        users = live.of(subjects, time.time(), options.as_of, purchases=reads_purchases(rules, options))
        read = time.perf_counter()
        queries = users.named if rules.reads_user_id else users.queries
        bound = bound_for(rules, options)
        # Answers speak of rules where one is valid, whomever it is for.
        in_force = bound is not None and bound.in_force(int(queries.now[0]))
        policy = policy_of(rules, options, bound)
        made, ranked = lists(loaded, queries, options, policy, in_force=in_force, whole=whole)
        if options.why:
            add_whys(made, self._whys_of(loaded).of(ranked, options.model, users, live))
        spent = time.perf_counter() - read
        seconds = {"store": read - started, "query_tower": 0.0, "ann": 0.0, **ranked.seconds}
        seconds["ranking"] = spent - seconds["query_tower"] - seconds["ann"]
        self._metrics.scored(len(subjects), seconds, ranked.candidates)
        timing = {f"{stage}_ms": round(1000 * value, 3) for stage, value in seconds.items()}
        obeyed = rules_version if in_force else None
        told = _arranged(bound, options, queries) if tell_arranged else repeat(False, len(seats))
        return _assembled(loaded, options, seats, users, made, told, obeyed, timing)

    def _whys_of(self, loaded: LoadedBundle) -> RememberedWhys:
        """What says why, in the language of the settings."""
        tombstones = self._histories.persons.now.tombstones
        known = self._whys.get(loaded)
        if known is None or known[0] is not tombstones:
            predictor = loaded.bundle.rating_predictor
            mean = math.inf if predictor is None else predictor.statistics.global_mean
            whys = RememberedWhys(Whys(loaded, self._languages.of()), self._metrics, mean)
            known = self._whys[loaded] = tombstones, whys
        return known[1]


def _arranged(bound: BoundRules | None, options: Options, queries: Queries) -> list[bool]:
    """Of each list, whether rules may put it into another order than that of the scores."""
    if options.scenario == BUY_AGAIN:
        return [True] * len(queries)
    if bound is None or not len(bound.rule_set.arranging):
        return [False] * len(queries)
    acting: list[bool] = np.any(bound.active(queries)[:, bound.rule_set.arranging], axis=1).tolist()
    return acting


def _assembled(
    loaded: LoadedBundle,
    options: Options,
    seats: Sequence[Seat],
    users: LiveQueries,
    made: Sequence[UserList],
    arranged: Iterable[bool],
    rules_version: int | None,
    timing: dict[str, float],
) -> Iterator[MadeList]:
    """The answers, and what the log keeps of them."""
    generated_at = now_text()
    unknown = list(Asked.of(loaded, options).unknown) if options.restricted else []
    ids = recommendation_ids(len(seats))
    for list_id, (subject, arrival, visitor_id), user, listed, told in zip(
        ids, seats, summaries(users), made, arranged, strict=True
    ):
        filled = len(listed.items) > listed.personal
        shortfall = options.k - len(listed.items)
        answer = RecommendationResponse(
            recommendation_id=list_id,
            user_id=subject if isinstance(subject, str) else None,
            user=user,
            primary_model=FALLBACK if filled and not listed.personal else options.model,
            fallback_used=filled,
            fallback_reason=fallback_reason(options, subject, user, cut=listed.cut) if filled else None,
            shortfall=shortfall,
            store=users.store,
            bundle=loaded.info,
            timing=Timing(**timing, total_ms=round(1000 * (time.perf_counter() - arrival), 3)),
            generated_at=generated_at,
            items=listed.items,
            unknown_items=unknown or UNSET,
            shortened_by=shortened_by(
                listed.shortened_by, buying_again=shortfall > 0 and options.scenario == BUY_AGAIN
            ),
        )
        yield MadeList(
            answer,
            options,
            listed.personal,
            fills=listed.fills,
            arranged=told,
            visitor_id=visitor_id,
            rules_version=rules_version,
        )
