"""Prometheus metrics of variants of lists, and of orders that chance drew; part of `serve.metrics`."""

from __future__ import annotations

from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

MOST_NAMES: Final = 200
OTHERS: Final = "others"
"""In the place of experiments and variants beyond so many: a name that is counted takes memory for good."""


class VariantMetrics:
    """What is counted of experiments, of the bundles that their variants are made from, and of drawn orders."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._changes = Counter(
            "recsys_experiment_changes", "Changes of experiments over HTTP.", ["action"], registry=registry
        )
        self._lists = Counter(
            "recsys_experiment_lists",
            "Lists of users in experiments, by variant, delivered or not; teams: drafted from two of them.",
            ["experiment", "variant"],
            registry=registry,
        )
        self._undelivered = Counter(
            "recsys_experiment_undelivered",
            "Lists of an experiment that were made as without it, and why.",
            ["experiment", "reason"],
            registry=registry,
        )
        self._drawn = Counter(
            "recsys_orders_drawn",
            "Lists that were to be put in an order drawn by chance; drawn, or why not.",
            ["outcome"],
            registry=registry,
        )
        self._held = Gauge(
            "recsys_held_bundle_workers",
            "Workers that hold a version of the bundle for variants of lists, the served one among them.",
            ["version"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._held_refusals = Counter(
            "recsys_held_bundle_refused",
            "Times that a version which variants of lists name could not be held.",
            registry=registry,
        )
        self._known: set[tuple[str, str]] = set()
        self._list_of = cache(self._lists.labels)
        self._undelivered_of = cache(self._undelivered.labels)

    def changed(self, action: str) -> None:
        self._changes.labels(action).inc()

    def listed(self, experiment: str, variant: str) -> None:
        """A list was made for a variant; an empty name: for two teams."""
        self._list_of(*self._name(experiment, variant or "teams")).inc()

    def undelivered(self, experiment: str, reason: str) -> None:
        """A list was made as without an experiment."""
        self._undelivered_of(self._name(experiment, "")[0], reason).inc()

    def drawn(self, outcome: str) -> None:
        """An order was drawn, or why not."""
        self._drawn.labels(outcome).inc()

    def holding(self, version: str, *, yes: bool) -> None:
        """This worker holds that version, or no longer."""
        self._held.labels(version).set(int(yes))

    def held_bundle_refused(self) -> None:
        self._held_refusals.inc()

    def _name(self, experiment: str, variant: str) -> tuple[str, str]:
        """The names to count under."""
        names = experiment, variant
        if names not in self._known:
            if len(self._known) >= MOST_NAMES:
                return OTHERS, OTHERS
            self._known.add(names)
        return names
