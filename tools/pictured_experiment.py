"""An experiment of two weeks with made-up users, written into a store: what the dashboard's picture of one shows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from recsys.core.events import SECONDS_PER_DAY
from recsys.experiments.assignment import variant_of
from recsys.experiments.experiment import BUCKETS, Experiment, Guardrail, Overrides, Variant
from recsys.store import AssignedVariant, Event, ListDetails, ListEvent, Served, Store

STARTED: Final = 1_762_732_800.0  # 2025-11-10, at midnight
DAYS, USERS, LENGTH = 14, 700, 10
CLICKS: Final = {"plain": 0.09, "reasons": 0.125}
"""Chance that somebody who sees an item clicks on it, by variant."""
BOUGHT: Final = 0.3
"""Chance that what was clicked on is bought."""

EXPERIMENT: Final = Experiment(
    key="reasons",
    title="Items with reasons against items without",
    variants=(
        Variant(name="plain", overrides=Overrides(explain="none")),
        Variant(name="reasons", overrides=Overrides(explain="cheap")),
    ),
    guardrails=(Guardrail(metric="latency_ms", most=0.2), Guardrail(metric="revenue_per_user", most=0.5)),
    status="stopped",
    end_bucket=BUCKETS,
    started_at=STARTED,
    stopped_at=STARTED + DAYS * SECONDS_PER_DAY,
)


def write_experiment(url: str, items: Sequence[str], seed: int = 0) -> None:
    """Write the experiment with its lists, and what came of them, into an empty store.

    Args:
        url: of the store.
        items: of the catalogue, at least `LENGTH`.
        seed: of who looks when, sees what and clicks on what.
    """
    dice = random.Random(seed)
    lists: list[Served] = []
    events: list[Event] = []
    seen: list[ListEvent] = []
    for user in (f"person-{number:04}" for number in range(USERS)):
        variant = variant_of(EXPERIMENT, user).name
        for visit in range(dice.randint(1, 4)):
            name = f"{user}-{visit}".encode().hex().rjust(32, "0")[-32:]
            when = STARTED + dice.random() * (DAYS * SECONDS_PER_DAY - 3600)
            served = _list(name, user, when, variant, dice.sample(items, LENGTH), dice)
            lists.append(served)
            for place, item in enumerate(served.item_ids[: dice.randint(4, LENGTH)], 1):
                at = when + place
                seen.append(ListEvent(f"{name}-{place}", user, item, "impression", at, name, place))
                if dice.random() < CLICKS[variant]:
                    events += _followed(name, place, user, item, at, dice)
    with Store.open(url) as store:
        store.upgrade()
        store.experiments.put(EXPERIMENT.key, EXPERIMENT.model_dump_json(), who=None, timestamp=STARTED, most=1)
        store.add_served(lists)
        store.append(events, seen)


def _list(name: str, user: str, when: float, variant: str, items: Sequence[str], dice: random.Random) -> Served:
    details = ListDetails(
        variants=(AssignedVariant(EXPERIMENT.key, EXPERIMENT.version, variant),),
        personal=LENGTH,
        explain="cheap" if variant == "reasons" else "none",
        brands=dice.randint(4, 8),
        milliseconds=dice.uniform(6, 10) + (0.4 if variant == "reasons" else 0),
    )
    return Served(name, user, when, "v1", "full", tuple(items), (), name, details)


def _followed(name: str, place: int, user: str, item: str, at: float, dice: random.Random) -> list[Event]:
    """A click on an item of a list, and sometimes that it is bought."""
    click = Event(f"{name}-{place}-c", user, item, "click", at + 5, None, None, None, name, place)
    if dice.random() >= BOUGHT:
        return [click]
    price = round(dice.uniform(8, 40), 2)
    return [click, Event(f"{name}-{place}-p", user, item, "purchase", at + 60, None, price, 1, name, place)]
