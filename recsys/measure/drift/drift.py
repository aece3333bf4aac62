"""Measure how far what people do now has moved from what a bundle was trained on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from recsys.bundle import Bundle
from recsys.core.events import SECONDS_PER_DAY
from recsys.histories.event_types import EventTypes
from recsys.measure.drift.behaviour import Behaviour
from recsys.measure.drift.figures import Compared
from recsys.measure.drift.report import DriftReport, Measure
from recsys.measure.drift.scores import NAME as SCORES
from recsys.measure.drift.scores import measure_scores
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.retraining_config import DriftConfig
from recsys.store import Store, StoreError, StoreUnavailable

LOG_SECONDS = 60.0  # that reading the served log may take


def drift(
    old: Bundle,
    now: PreparedDataset | None,
    store: Store | None,
    settings: DriftConfig,
    *,
    seed: int,
    until: float,
) -> DriftReport:
    """Compare the time since a bundle's last interaction with one of the same length before it.

    Args:
        old: the bundle in use, open.
        now: a dataset that may hold what came since; None: there is none.
        store: which is read first; None: there is none.
        settings: how long a time, and what is to be watched.
        seed: of samples.
        until: end of the time, in seconds since 1970.

    Returns:
        The report; a store that does not answer, and too few interactions, are said in it.
    """
    everything = Behaviour.of_bundle(old)
    last = float(everything.times.max(initial=0.0))
    notes: list[str] = []
    read = _Recent(old, last, settings, notes)
    recent = read.of_store(store, until) if store is not None else None
    if recent is None and now is not None:
        recent = read.of_dataset(now)
    if recent is None:
        recent = _Found("nothing", everything.where(np.zeros(len(everything), np.bool_)), max(last, until - 1), until)
    seconds = recent.until - recent.since
    start = _start(everything, last - seconds, settings.least_interactions)
    then = everything.between(start, last)
    named = f"{old.name}, version {old.version}"
    measures: list[Measure] = []
    says = _what_is_compared(named, recent, len(then), last - start)
    if min(len(recent.behaviour), len(then)) >= settings.least_interactions:
        earlier = everything.between(2 * start - last, start)
        far_enough = len(earlier) >= settings.least_interactions
        weights = EventTypes.of(old).weights
        compared = Compared(
            everything,
            then,
            earlier if far_enough else None,
            recent.behaviour,
            (last - start, seconds),
            old.catalogue.n_users,
            old.n_items,
            weights,
        )
        measures += compared.measures(settings)
    measures.append(_scores(old, store, settings, seed, recent))
    return DriftReport(
        bundle=named,
        read=recent.read,
        says=" ".join([says, *notes, *_too_few(recent, len(then), settings)]),
        since=recent.since,
        until=recent.until,
        before_since=start,
        interactions=len(recent.behaviour),
        before_interactions=len(then),
        measures=tuple(measures),
        refusals=tuple(_refusals(measures, settings)),
    )


def _start(behaviour: Behaviour, since: float, least: int) -> float:
    """A time, or an earlier one from which on there are enough interactions."""
    if len(behaviour) < least:
        return since
    enough = float(np.partition(behaviour.times, len(behaviour) - least)[len(behaviour) - least])
    return min(since, enough - 1)


def _what_is_compared(bundle: str, recent: _Found, before: int, seconds: float) -> str:
    if recent.read == "nothing":
        return f"Nothing is known of the time since the last interaction of {bundle}."
    days = (recent.until - recent.since) / SECONDS_PER_DAY
    return (
        f"{len(recent.behaviour):,} interactions of {days:.1f} days since the last of {bundle}, beside {before:,} of "
        f"{seconds / SECONDS_PER_DAY:.1f} days before."
    )


def _too_few(recent: _Found, before: int, settings: DriftConfig) -> Iterator[str]:
    if recent.read != "nothing" and min(len(recent.behaviour), before) < settings.least_interactions:
        yield f"Too few to compare: fewer than {settings.least_interactions:,}."


class _Found(NamedTuple):
    """What was found of the time since a bundle's last interaction, and where."""

    read: Literal["store", "dataset", "nothing"]
    behaviour: Behaviour
    since: float
    until: float


@dataclass(frozen=True)
class _Recent:
    """Looks for what people did since a bundle's last interaction, and notes what it does not find."""

    bundle: Bundle
    last: float
    settings: DriftConfig
    notes: list[str]

    def of_store(self, store: Store, until: float) -> _Found | None:
        """In a store; None: it does not answer, or has too little."""
        since = self._since(until)
        if since >= until:
            return None
        try:
            found = Behaviour.of_store(store, self.bundle, since, until)
        except (StoreError, StoreUnavailable) as error:
            self.notes.append(f"The store does not answer ({error.got}).")
            return None
        if len(found) < self.settings.least_interactions:
            self.notes.append(f"The store has {len(found):,} interactions since.")
            return None
        return _Found("store", found, since, until)

    def of_dataset(self, dataset: PreparedDataset) -> _Found | None:
        """In a dataset, up to its own last interaction; None: it has none since."""
        until = float(dataset.interactions[c.TIMESTAMP].max())
        since = self._since(until)
        if since >= until:
            self.notes.append("The dataset has no interactions since.")
            return None
        return _Found("dataset", Behaviour.of_dataset(dataset, self.bundle, since, until), since, until)

    def _since(self, until: float) -> float:
        return max(self.last, until - self.settings.days * SECONDS_PER_DAY)


def _scores(old: Bundle, store: Store | None, settings: DriftConfig, seed: int, recent: _Found) -> Measure:
    bands = settings.psi_watch, settings.psi_alert
    if store is None or not settings.scored_lists:
        return Measure.unknown(SCORES, bands, "Scores are not compared: there is no served log to read.")
    try:
        served = store.served(recent.since, recent.until)
        return measure_scores(old, served, settings.scored_lists, seed, time.monotonic() + LOG_SECONDS, bands)
    except (StoreError, StoreUnavailable) as error:
        return Measure.unknown(SCORES, bands, f"Scores are not compared: the store does not answer ({error.got}).")


def _refusals(measures: Sequence[Measure], settings: DriftConfig) -> Iterator[str]:
    if settings.refuse == "alert":
        yield from (one.says for one in measures if one.band == "alert")
