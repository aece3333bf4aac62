"""Recommendations from a bundle and the store: what the server does, without HTTP."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from recsys.histories.live_histories import Subject
from serve.bundles.options import Options
from serve.parts import Parts
from serve.recommendations.drawing import drawn, is_to_be_drawn, why_not
from serve.recommendations.interleaving import interleaved
from serve.recommendations.made_lists import MadeList
from serve.recommendations.maker import ListMaker, Ready, Seat
from serve.variants.deliveries import Delivery, Recipe, delivery_of
from serve.variants.info import variants_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecommendationRequest:
    """Lists wanted for some users or sessions.

    Attributes:
        options: what is wanted, the same for all.
        subjects: a user by id; a session by the ids of its items, oldest first.
        started: `time.perf_counter()` at its arrival.
        visitor_id: of a session, the id by which the shop knows its visitor; None: it does not say.
    """

    options: Options
    subjects: tuple[Subject, ...]
    started: float = field(default_factory=time.perf_counter)
    visitor_id: str | None = None

    @property
    def size(self) -> int:
        """Number of lists."""
        return len(self.subjects)


@dataclass(slots=True, eq=False)
class _Wanted:
    """A list on its way.

    Attributes:
        request: number of the request that asks for it.
        seat: whose it is.
        plain: what it is made with outside of experiments.
        delivery: how it is made.
        made: what has been made for it by now, or the errors met.
    """

    request: int
    seat: Seat
    plain: Recipe
    delivery: Delivery
    made: list[tuple[Recipe, MadeList | Exception]] = field(default_factory=list)  # few, and hashes take their time

    @property
    def missing(self) -> Sequence[Recipe]:
        """What is still to be made for it."""
        known = [recipe for recipe, _ in self.made]
        return [recipe for recipe in self.delivery.recipes if recipe not in known]

    @property
    def result(self) -> list[MadeList | Exception]:
        """What the delivery asks for, once nothing is missing."""
        return [next(made for known, made in self.made if known == recipe) for recipe in self.delivery.recipes]

    def reconsider(self) -> bool:
        """Look for another delivery where this one did not come about; returns whether anything is missing then."""
        if self.delivery.recipes == (self.plain,):
            return False
        made = self.result
        if any(isinstance(one, Exception) for one in made):
            self.delivery = self.delivery.without(self.plain, "failed")
        elif self.delivery.drafted and any(isinstance(one, MadeList) and one.arranged for one in made):
            self.delivery = self.delivery.undrafted("rules")
        return bool(self.missing)


class RecommendationService:
    """Answers from the bundles of the moment. For one thread at a time."""

    def __init__(self, parts: Parts) -> None:
        self.bundles, self._held, self._experiments = parts.bundles, parts.held, parts.experiments
        self._settings, self._metrics = parts.settings, parts.metrics
        self._maker = ListMaker(parts)

    def recommend(self, requests: Sequence[RecommendationRequest]) -> list[list[MadeList] | Exception]:
        """The answers to every request, in order, outside of experiments all from the same bundle.

        Lists of the same bundle, options and rules are made together. Instead of its answers a request gets the
        exception that it met: `UnknownModelError`, or a bug.

        Raises:
            NotReadyError: no bundle is loaded.
        """
        wanted = self._wanted(requests)
        tell_arranged = self._settings.randomised_share > 0 or any(one.delivery.drafted for one in wanted)
        pending = wanted
        while pending:
            self._make(pending, tell_arranged=tell_arranged)
            pending = [one for one in pending if one.reconsider()]
        answers: list[list[MadeList] | Exception] = [[] for _ in requests]
        for one in wanted:
            so_far = answers[one.request]
            if isinstance(so_far, Exception):
                continue
            try:
                so_far.append(self._finished(one))
            except Exception as error:  # of this request alone
                answers[one.request] = error
        return answers

    def _wanted(self, requests: Sequence[RecommendationRequest]) -> list[_Wanted]:
        """All lists that are asked for, and how they are made."""
        loaded, running = self.bundles.loaded, self._experiments.now
        self._maker.let_go_but(self._held)
        wanted = []
        for number, request in enumerate(requests):
            plain = Recipe(loaded, request.options)
            for subject in request.subjects:
                seat = Seat(subject, request.started, request.visitor_id)
                unit = subject if isinstance(subject, str) else request.visitor_id
                wanted.append(_Wanted(number, seat, plain, delivery_of(plain, unit, running, self._held)))
        return wanted

    def _make(self, wanted: Sequence[_Wanted], *, tell_arranged: bool) -> None:
        """Make what is missing, lists of the same recipe together."""
        groups: dict[Ready, list[tuple[_Wanted, Recipe]]] = {}
        for one in wanted:
            for recipe in one.missing:
                groups.setdefault(self._maker.ready(recipe), []).append((one, recipe))
        for ready, members in groups.items():
            made: Sequence[MadeList | Exception]
            try:
                made = list(self._maker.make(ready, [one.seat for one, _ in members], tell_arranged=tell_arranged))
            except Exception as error:  # of this group alone
                made = [error] * len(members)
                if any(recipe != one.plain for one, recipe in members):
                    logger.exception("Lists of experiments cannot be made, and are made as without them")
            for (one, recipe), result in zip(members, made, strict=True):
                one.made.append((recipe, result))

    def _finished(self, wanted: _Wanted) -> MadeList:
        """The list as it is answered and logged; raises what was met on the way to it."""
        delivery, lists = wanted.delivery, []
        for one in wanted.result:
            if isinstance(one, Exception):
                raise one
            lists.append(one)
        made = lists[0]
        if delivery.drafted is not None:
            made = interleaved(lists[0], lists[1], delivery.drafted)
        if self._settings.randomised_share > 0:
            made = self._drawn(made)
        if delivery.assigned:
            made = self._noted(made, delivery, wanted.seat)
        if made.answer.fallback_reason is not None:
            self._metrics.fell_back(made.answer.fallback_reason)
        if made.answer.shortfall:
            self._metrics.fell_short()
        return made

    def _drawn(self, made: MadeList) -> MadeList:
        """The list, in an order that chance draws where it is its turn."""
        if not is_to_be_drawn(made.answer.recommendation_id, self._settings.randomised_share):
            return made
        hindrance = why_not(made)
        self._metrics.variants.drawn(hindrance or "drawn")
        return drawn(made, self._settings.randomised_temperature) if hindrance is None else made

    def _noted(self, made: MadeList, delivery: Delivery, seat: Seat) -> MadeList:
        """The list with the names of its experiments."""
        own = seat.subject if isinstance(seat.subject, str) else seat.visitor_id
        made.answer.experiments = variants_of(delivery)
        for one in delivery.variants:
            self._metrics.variants.listed(one.experiment, one.variant)
        for key, reason in delivery.undelivered:
            self._metrics.variants.undelivered(key, reason)
        return made._replace(
            variants=delivery.variants,
            unit=delivery.unit(own),
            undelivered=tuple(key for key, _ in delivery.undelivered),
        )
