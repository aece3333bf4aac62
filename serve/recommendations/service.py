"""Recommendations from a bundle and the store: what the server does, without HTTP."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import UNSET

from recsys.histories.live_histories import LiveHistories, LiveQueries, Subject
from recsys.rules.buy_again import BUY_AGAIN
from recsys.rules.policy import CompiledRules
from recsys.sources.registry import FALLBACK
from serve.answers import shortened_by
from serve.bundles.loaded import LoadedBundle
from serve.bundles.options import Options
from serve.bundles.restrictions import Asked
from serve.bundles.swap import Bundles
from serve.histories.summary import fallback_reason, summaries
from serve.histories.user_histories import UserHistories
from serve.languages import Languages
from serve.metrics import Metrics
from serve.recommendations.answers import RecommendationResponse, Timing
from serve.recommendations.lists import UserList, add_whys, lists
from serve.recommendations.made_lists import MadeList, recommendation_ids
from serve.recommendations.remembered_whys import RememberedWhys
from serve.recommendations.whys import Whys
from serve.shop_rules.in_force import RulesInForce, as_read, bound_for, policy_of, reads_purchases
from serve.times import now_text


@dataclass(frozen=True)
class RecommendationRequest:
    """Lists wanted for some users or sessions.

    Attributes:
        options: what is wanted, the same for all.
        subjects: a user by id; a session by the ids of its items, oldest first.
        started: `time.perf_counter()` at its arrival.
    """

    options: Options
    subjects: tuple[Subject, ...]
    started: float = field(default_factory=time.perf_counter)

    @property
    def size(self) -> int:
        """Number of lists."""
        return len(self.subjects)


class RecommendationService:
    """Answers from the bundle of the moment. For one thread at a time."""

    def __init__(
        self, bundles: Bundles, histories: UserHistories, languages: Languages, rules: RulesInForce, metrics: Metrics
    ) -> None:
        self.bundles, self._histories, self._languages, self._metrics = bundles, histories, languages, metrics
        self._rules = rules
        self._latest_whys: tuple[LoadedBundle, Mapping[str, float], RememberedWhys] | None = None

    def recommend(self, requests: Sequence[RecommendationRequest]) -> list[list[MadeList] | Exception]:
        """The answers to every request, in order, all from the same bundle; requests for the same are scored together.

        Instead of its answers a request gets the exception that it met: `UnknownModelError`, or a bug.

        Raises:
            NotReadyError: no bundle is loaded.
        """
        loaded = self.bundles.loaded
        live = self._histories.of(loaded)
        rules, rules_version = self._rules.versioned(loaded)
        groups: dict[Options, list[int]] = {}
        for index, request in enumerate(requests):
            groups.setdefault(as_read(rules, request.options), []).append(index)
        answers_of: dict[int, list[MadeList] | Exception] = {}
        for options, indices in groups.items():
            members = [requests[index] for index in indices]
            try:
                answers = self._answers(loaded, live, rules, rules_version, options, members)
                answers_of.update((index, [next(answers) for _ in requests[index].subjects]) for index in indices)
            except Exception as error:  # of this group alone
                answers_of.update(dict.fromkeys(indices, error))
        return [answers_of[index] for index in range(len(requests))]

    def _answers(
        self,
        loaded: LoadedBundle,
        live: LiveHistories,
        rules: CompiledRules,
        rules_version: int,
        options: Options,
        requests: Sequence[RecommendationRequest],
    ) -> Iterator[MadeList]:
        """One answer for each subject of the requests, in their order."""
        loaded.require_model(options.model)
        started = time.perf_counter()
        as_of = options.as_of
        subjects = [subject for request in requests for subject in request.subjects]
        users = live.of(subjects, time.time(), as_of, purchases=reads_purchases(rules, options))
        read = time.perf_counter()
        queries = users.named if rules.reads_user_id else users.queries
        bound = bound_for(rules, options)
        # Answers speak of rules where one is valid, whomever it is for.
        in_force = bound is not None and bound.in_force(int(queries.now[0]))
        made, ranked = lists(loaded, queries, options, policy_of(rules, options, bound), in_force=in_force)
        if options.why:
            add_whys(made, self._whys(loaded).of(ranked, options.model, users, live))
        spent = time.perf_counter() - read
        seconds = {"store": read - started, "query_tower": 0.0, "ann": 0.0, **ranked.seconds}
        seconds["ranking"] = spent - seconds["query_tower"] - seconds["ann"]
        self._metrics.scored(len(subjects), seconds, ranked.candidates)
        timing = {f"{stage}_ms": round(1000 * value, 3) for stage, value in seconds.items()}
        arrivals = [request.started for request in requests for _ in request.subjects]
        obeyed = rules_version if in_force else None
        return self._assembled(loaded, options, subjects, users, made, obeyed, timing, arrivals)

    def _whys(self, loaded: LoadedBundle) -> RememberedWhys:
        """What says why, in the language of the settings. Of forgotten persons nothing is remembered."""
        latest, tombstones = self._latest_whys, self._histories.persons.now.tombstones
        if latest is None or latest[0] is not loaded or latest[1] is not tombstones:
            predictor = loaded.bundle.rating_predictor
            mean = math.inf if predictor is None else predictor.statistics.global_mean
            whys = RememberedWhys(Whys(loaded, self._languages.of()), self._metrics, mean)
            latest = self._latest_whys = loaded, tombstones, whys
        return latest[2]

    def _assembled(
        self,
        loaded: LoadedBundle,
        options: Options,
        subjects: Sequence[Subject],
        users: LiveQueries,
        made: Sequence[UserList],
        rules_version: int | None,
        timing: dict[str, float],
        arrivals: Sequence[float],
    ) -> Iterator[MadeList]:
        generated_at = now_text()
        unknown = list(Asked.of(loaded, options).unknown) if options.restricted else []
        ids = recommendation_ids(len(subjects))
        for list_id, subject, user, listed, arrival in zip(
            ids, subjects, summaries(users), made, arrivals, strict=True
        ):
            filled = len(listed.items) > listed.personal
            reason = fallback_reason(options, subject, user, cut=listed.cut) if filled else None
            shortfall = options.k - len(listed.items)
            if reason is not None:
                self._metrics.fell_back(reason)
            if shortfall:
                self._metrics.fell_short()
            answer = RecommendationResponse(
                recommendation_id=list_id,
                user_id=subject if isinstance(subject, str) else None,
                user=user,
                primary_model=FALLBACK if filled and not listed.personal else options.model,
                fallback_used=filled,
                fallback_reason=reason,
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
            yield MadeList(answer, options, listed.personal, rules_version)
