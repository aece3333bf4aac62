"""The figures of a drift: what people did, then and now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from recsys.core.events import SECONDS_PER_DAY
from recsys.core.types import Int64Array
from recsys.measure.drift.behaviour import Behaviour
from recsys.measure.drift.distances import equal_bins, histogram, stability_index
from recsys.measure.drift.report import Measure
from recsys.retraining_config import DriftConfig

TOP = 100
BINS = 10
LENGTHS = np.array([2, 3, 5, 8, 13, 21, 34])  # inner edges of the bins of history lengths


@dataclass(frozen=True)
class Compared:
    """What people did in two times.

    Attributes:
        all_before: all that the bundle holds.
        then: of it, what falls into the time before.
        earlier: what falls into the time before that one; None: the bundle does not go back so far.
        now: since the bundle's last interaction.
        seconds: length of the time before, and of that of now.
        n_users, n_items: rows of the bundle.
        weights: of its types of events.
    """

    all_before: Behaviour
    then: Behaviour
    earlier: Behaviour | None
    now: Behaviour
    seconds: tuple[float, float]
    n_users: int
    n_items: int
    weights: Mapping[str, float]

    def measures(self, settings: DriftConfig) -> Iterator[Measure]:
        """All figures."""
        yield self._volume((settings.volume_watch, settings.volume_alert))
        yield self._new_users((settings.new_users_watch, settings.new_users_alert))
        yield self._unknown_items((settings.unknown_items_watch, settings.unknown_items_alert))
        yield self._top_items((settings.top_items_watch, settings.top_items_alert))
        index = settings.psi_watch, settings.psi_alert
        yield self._popularity(index)
        yield self._types(index)
        yield self._lengths(index)

    def _volume(self, bands: tuple[float, float]) -> Measure:
        then, now = (len(did) / did.share for did in (self.then, self.now))
        before, now = (SECONDS_PER_DAY * n / length for n, length in zip((then, now), self.seconds, strict=True))
        return Measure.of(
            "volume",
            now,
            max(now, before) / max(min(now, before), 1e-9),
            bands,
            lambda value: f"{value:,.1f} interactions a day, {before:,.1f} before",
            before,
        )

    def _new_users(self, bands: tuple[float, float]) -> Measure:
        users = np.unique(self.now.users)
        share = float((users >= self.n_users).mean())
        start = self.then.times.min()
        known = np.unique(self.all_before.users[self.all_before.times < start])
        before = float((~np.isin(np.unique(self.then.users), known)).mean()) if len(known) else None
        return Measure.of(
            "new users",
            share,
            share - (before or 0.0),
            bands,
            lambda value: f"{value:.1%} of the users are new{_before(before)}",
            before,
        )

    def _unknown_items(self, bands: tuple[float, float]) -> Measure:
        share = float((self.now.items >= self.n_items).mean())
        items = np.unique(self.now.items)
        of_items = float((items >= self.n_items).mean())
        return Measure.of(
            "unknown items",
            share,
            share,
            bands,
            lambda value: (
                f"{value:.1%} of the interactions are with items that the bundle does not know, "
                f"which are {of_items:.1%} of the items"
            ),
        )

    def _top_items(self, bands: tuple[float, float]) -> Measure:
        share = _common(self.then.items, self.now.items)
        before = None if self.earlier is None or not len(self.earlier) else _common(self.earlier.items, self.then.items)
        return Measure.of(
            "top items",
            share,
            (1.0 if before is None else before) - share,
            bands,
            lambda value: f"{value:.1%} of the {TOP} most popular items are those of before{_before(before)}",
            before,
        )

    def _popularity(self, bands: tuple[float, float]) -> Measure:
        """Interactions by how popular their item was: by tenths of the interactions of before, and unknown items."""
        counts = np.bincount(self.then.items, minlength=self.n_items).astype(np.float64)
        edges = equal_bins(counts[self.then.items], BINS)

        def places(items: Int64Array) -> Int64Array:
            known = items < self.n_items
            return np.append(histogram(counts[items[known]], edges), np.sum(~known))

        index = stability_index(places(self.then.items), places(self.now.items))
        return Measure.of(
            "popularity", index, index, bands, lambda value: f"How popular the items were has an index of {value:.3f}"
        )

    def _types(self, bands: tuple[float, float]) -> Measure:
        then, now = (Counter(one.types(self.weights)) for one in (self.then, self.now))
        names = sorted({*then, *now})
        index = stability_index(np.array([then[name] for name in names]), np.array([now[name] for name in names]))
        shares = ", ".join(
            f"{name} {now[name] / len(self.now):.1%} (before {then[name] / len(self.then):.1%})" for name in names
        )
        return Measure.of(
            "event mix",
            index,
            index,
            bands,
            lambda value: f"The types of events have an index of {value:.3f}: {shares}",
        )

    def _lengths(self, bands: tuple[float, float]) -> Measure:
        n_users = max(self.n_users, int(self.now.users.max(initial=0)) + 1)
        before_then = self.all_before.where(self.all_before.times <= self.then.times.max())
        lengths_then = np.bincount(before_then.users, minlength=n_users)
        lengths_now = np.bincount(self.all_before.users, minlength=n_users) + np.bincount(
            self.now.users, minlength=n_users
        )
        then, now = lengths_then[np.unique(self.then.users)], lengths_now[np.unique(self.now.users)]
        index = stability_index(histogram(then, LENGTHS), histogram(now, LENGTHS))
        return Measure.of(
            "history lengths",
            index,
            index,
            bands,
            lambda value: (
                f"The lengths of histories have an index of {value:.3f}: median {np.median(now):g} "
                f"(before {np.median(then):g})"
            ),
        )


def _common(then: Int64Array, now: Int64Array) -> float:
    """Share of the most popular items of now that were so then."""
    top_then, top_now = _top(then), _top(now)
    return len(top_then & top_now) / max(min(len(top_then), len(top_now)), 1)


def _top(items: Int64Array) -> set[int]:
    numbers, counts = np.unique(items, return_counts=True)
    order = np.lexsort((numbers, -counts))[:TOP]
    return set(numbers[order].tolist())


def _before(share: float | None) -> str:
    return "" if share is None else f", {share:.1%} the time before"
