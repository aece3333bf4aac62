"""What an experiment is judged by: its lists and their outcomes, by unit, variant and day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from recsys.core.events import SECONDS_PER_DAY
from recsys.experiments.experiment import Experiment
from recsys.experiments.observations import UnitDay
from recsys.outcomes.attribution import ATTRIBUTION_S, Outcome, outcomes_of
from recsys.outcomes.tally import LISTS_AT_ONCE
from recsys.store import ListDetails, Served, Store

COVARIATE_DAYS: Final = 28.0
_FIELDS: Final = {"impression": "impressions", "click": "clicks", "cart": "carts", "purchase": "purchases"}


@dataclass(frozen=True, slots=True)
class Observed:
    """What was observed of one version of an experiment.

    Attributes:
        days: of all units, ordered by unit, day and variant.
        before: of each unit, its events in the days before its first list of the version, for CUPED. Empty where units
            may have had the same variant in a version before: what they did then is no more from before they had it.
        lists: of the version.
        crossovers: units that have lists of more than one variant. A person of two ids may, who was assigned by each
            before they were merged; the variant of the first list is the person's, whatever came of others is left out.
        left_out: those other lists.
        removed_until: the latest time of a list or an event that the store keeps no more; None: it keeps all.
        reaches_back: whether the store holds all lists and events since the version began.
    """

    days: list[UnitDay]
    before: dict[str, float]
    lists: int = 0
    crossovers: int = 0
    left_out: int = 0
    removed_until: float | None = None
    reaches_back: bool = True


@dataclass(slots=True)
class _Sums:
    """The fields of a `UnitDay` while they are summed up."""

    lists: int = 0
    undelivered: int = 0
    impressions: int = 0
    clicks: int = 0
    carts: int = 0
    purchases: int = 0
    revenue: float = 0.0
    fallbacks: int = 0
    milliseconds: float = 0.0
    brand_variety: float = 0.0


@dataclass(slots=True)
class _Tally:
    """Sums of one version of an experiment while its lists are read.

    Attributes:
        variants: of each unit, that of its first list.
        first_lists: of each unit, the time of that.
    """

    experiment: Experiment
    sums: dict[tuple[str, int, str], _Sums] = field(default_factory=dict)
    variants: dict[str, str] = field(default_factory=dict)
    first_lists: dict[str, float] = field(default_factory=dict)
    crossed: set[str] = field(default_factory=set)
    lists: int = 0
    left_out: int = 0

    def at(self, unit: str, timestamp: float, variant: str) -> _Sums:
        """The sums of a unit on the day of a time."""
        return self.sums.setdefault((unit, int(timestamp // SECONDS_PER_DAY), variant), _Sums())

    def admits(self, unit: str, variant: str, timestamp: float) -> bool:
        """Count a list of a unit; whether it is of the unit's variant."""
        self.lists += 1
        self.first_lists.setdefault(unit, timestamp)
        if self.variants.setdefault(unit, variant) == variant:
            return True
        self.crossed.add(unit)
        self.left_out += 1
        return False


def unit_days(
    store: Store,
    experiment: Experiment,
    until: float,
    *,
    window_s: float = ATTRIBUTION_S,
    covariate_days: float = COVARIATE_DAYS,
    between: Callable[[], None] = lambda: None,
) -> Observed:
    """What became of the lists of an experiment's version until a time.

    A list counts on the day on which it was served, an outcome on the day on which it first was: what is known of a day
    changes with events that arrive late alone.

    Args:
        store: with the lists and the events.
        experiment: its version that has been started.
        until: lists and events of this time and later are left out, in seconds since 1970.
        window_s: longest time from a list to its outcome.
        covariate_days: length of the time before the first list of a unit in which its events are counted.
        between: is called after every few hundred lists; what it raises ends the reading.

    Raises:
        ValueError: the version has not been started.
    """
    since = experiment.started_at
    if since is None:
        raise ValueError("expected an experiment that has been started, got one that has not")
    tally = _Tally(experiment)
    lists = store.outcomes.lists(since, until, window_s, followed_until=until, variants_of=experiment.key)
    for number, (served, followers) in enumerate(lists, start=1):
        if number % LISTS_AT_ONCE == 0:
            between()
        details, unit, variant = served.details, _unit(served), _variant(served, experiment)
        if details is None or unit is None or variant is None:
            continue
        if tally.admits(unit, variant, served.timestamp):
            _add(tally, unit, variant, served, details, outcomes_of(served.item_ids, followers)[0])
    removed_until = store.outcomes.removed_until()
    moments = {} if experiment.version > 1 and experiment.salt else tally.first_lists
    events = store.outcomes.events_before(moments, covariate_days * SECONDS_PER_DAY)
    return Observed(
        days=[
            UnitDay(unit, variant, day, *(getattr(sums, name) for name in UnitDay._fields[3:]))
            for (unit, day, variant), sums in sorted(tally.sums.items(), key=lambda pair: pair[0])
        ],
        before={unit: float(count) for unit, count in events.items()},
        lists=tally.lists,
        crossovers=len(tally.crossed),
        left_out=tally.left_out,
        removed_until=removed_until,
        reaches_back=removed_until is None or removed_until < since,
    )


def _unit(served: Served) -> str | None:
    """Whom a list counts for: the person to whom it belongs now, whatever id was assigned."""
    if served.user_id is None and served.details is not None:
        return served.details.unit
    return served.user_id


def _variant(served: Served, experiment: Experiment) -> str | None:
    """The variant of the experiment's version that a list was made for; empty where teams made it, None: of none."""
    for assigned in served.details.variants if served.details is not None else ():
        if assigned.experiment == experiment.key and assigned.version == experiment.version:
            return assigned.variant
    return None


def _add(tally: _Tally, unit: str, variant: str, served: Served, details: ListDetails, outcomes: list[Outcome]) -> None:
    experiment = tally.experiment
    interleaved = experiment.mode == "interleaved"
    names = [each.name for each in experiment.variants] if interleaved else [variant]
    for name in names:
        sums = tally.at(unit, served.timestamp, name)
        sums.lists += 1
        sums.undelivered += experiment.key in details.undelivered
        sums.fallbacks += details.fallback is not None
        sums.milliseconds += details.milliseconds
        sums.brand_variety += details.brands / len(served.item_ids) if served.item_ids else 0.0
    for outcome in outcomes:
        for name in _credited(outcome, names, details.teams) if interleaved else names:
            _count(tally.at(unit, outcome.timestamp, name), outcome)


def _credited(outcome: Outcome, names: list[str], teams: tuple[str, ...]) -> Iterator[str]:
    """The teams to which an outcome of an interleaved list counts: what is seen to both, the others to one."""
    if outcome.kind == "impression":
        yield from names
    elif outcome.place < len(teams) and teams[outcome.place] in names:
        yield teams[outcome.place]


def _count(sums: _Sums, outcome: Outcome) -> None:
    name = _FIELDS.get(outcome.kind)
    if name is not None:
        setattr(sums, name, getattr(sums, name) + 1)
    if outcome.amount is not None and outcome.kind in ("purchase", "refund"):
        sums.revenue += outcome.amount if outcome.kind == "purchase" else -outcome.amount
