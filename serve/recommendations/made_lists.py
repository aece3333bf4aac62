"""An answer together with what made it: what the served log keeps beside what the client sees."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from recsys.store import AssignedVariant, ListDetails
from serve.bundles.options import Options
from serve.recommendations.answers import RecommendationResponse

_RANDOM_BYTES = 10


class MadeList(NamedTuple):
    """An answer, and how its list was made.

    Attributes:
        answer: what the client gets.
        options: what was asked for.
        personal: items of the list that are the model's; the others are popular ones.
        fills: of each item, whether it is such a popular one.
        arranged: the shop's rules may have put the list into another order than the scores'; told where it matters.
        visitor_id: of a session, the id by which the shop knows its visitor; None: none was given.
        rules_version, variants, unit, undelivered, propensities, teams: see `recsys.store.ListDetails`.
    """

    answer: RecommendationResponse
    options: Options
    personal: int
    fills: Sequence[bool] = ()
    arranged: bool = False
    visitor_id: str | None = None
    rules_version: int | None = None
    variants: tuple[AssignedVariant, ...] = ()
    unit: str | None = None
    undelivered: tuple[str, ...] = ()
    propensities: tuple[float, ...] = ()
    teams: tuple[str, ...] = ()

    def details(self) -> ListDetails:
        """What the served log keeps of it, beside bundle version, model, items and scores."""
        answer, options = self.answer, self.options
        items = answer.items
        return ListDetails(
            bundle=answer.bundle.name,
            scenario=options.scenario,
            variants=self.variants,
            unit=self.unit,
            undelivered=self.undelivered,
            sources=tuple([item.source for item in items]),
            propensities=self.propensities,
            teams=self.teams,
            fallback=answer.fallback_reason,
            asked=None if options.model == answer.primary_model else options.model,
            personal=self.personal,
            explain="cheap" if options.why else "none",
            history=answer.user.interactions,
            offset=options.offset,
            brands=_distinct([item.brand for item in items]),
            rules_version=self.rules_version,
            milliseconds=answer.timing.total_ms,
        )


def _distinct(brands: Sequence[str | None]) -> int:
    """How many brands there are; an item without one counts as one of its own."""
    unknown = brands.count(None)
    return len(set(brands)) - bool(unknown) + unknown


def recommendation_ids(count: int) -> list[str]:
    """New ids of lists, 32 hexadecimal digits each: the milliseconds since 1970 in 12, and 20 at random.

    Nobody can guess one that another user got. Those of a time stand together in the index of the served log, which
    would write a page for each id at a random place (as UUIDs of version 7, RFC 9562).
    """
    moment = f"{time.time_ns() // 1_000_000:012x}"
    digits, length = os.urandom(_RANDOM_BYTES * count).hex(), 2 * _RANDOM_BYTES
    return [moment + digits[start : start + length] for start in range(0, length * count, length)]
