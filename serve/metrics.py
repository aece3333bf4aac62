"""Prometheus metrics of the server, stage by stage.

With several workers, prometheus-client's multiprocess mode adds them up: the folder named by `PROMETHEUS_MULTIPROC_DIR`
must be set before this module is imported (`python -m serve` does).
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from serve.event_metrics import EventMetrics
from serve.variant_metrics import VariantMetrics

CONTENT_TYPE = CONTENT_TYPE_LATEST
MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
_SECONDS_OF_STAGES = (0.00002, 0.00005, 0.0001, 0.0002, *_SECONDS)  # small catalogues are searched in no time
_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_CANDIDATES = (10, 25, 50, 100, 150, 200, 300, 500, 1000)


class AllWorkers(MultiProcessCollector):
    """What all workers have counted, without the file that one of them has just begun: it is empty for a moment."""

    def collect(self) -> Iterable[Metric]:
        """The sums."""
        files = [str(file) for file in Path(self._path).glob("*.db") if file.is_file() and file.stat().st_size]
        merged: Iterable[Metric] = self.merge(files)  # type: ignore[no-untyped-call]
        return merged


class Metrics:
    """All metrics, with a method for each event that is counted.

    Attributes:
        variants: those of variants of lists.
        events: those of events, and of what is told of lists.
    """

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.variants, self.events = VariantMetrics(registry), EventMetrics(registry)
        self._requests = Counter(
            "recsys_http_requests", "Requests answered.", ["route", "method", "status"], registry=registry
        )
        self._request_seconds = Histogram(
            "recsys_http_request_seconds", "Time to answer.", ["route"], buckets=_SECONDS, registry=registry
        )
        self._answered: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}  # few: labels() takes its time
        self.in_flight = Gauge(
            "recsys_http_in_flight", "Requests being answered.", registry=registry, multiprocess_mode="livesum"
        )
        self._refused = Counter(
            "recsys_refused", "Requests refused before they were read.", ["cause"], registry=registry
        )
        self._stage_seconds = Histogram(
            "recsys_stage_seconds",
            "Time of a stage, of a batch.",
            ["stage"],
            buckets=_SECONDS_OF_STAGES,
            registry=registry,
        )
        self._of_stage = cache(self._stage_seconds.labels)
        self.batch_users = Histogram("recsys_batch_users", "Users scored together.", buckets=_COUNTS, registry=registry)
        self.waiting_users = Gauge(
            "recsys_waiting_users",
            "Users waiting for their list when the latest batch began.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._candidates = Histogram(
            "recsys_candidates", "Mean candidates of a user.", ["source"], buckets=_CANDIDATES, registry=registry
        )
        self._of_source = cache(self._candidates.labels)
        self._fallbacks = Counter(
            "recsys_fallbacks", "Lists filled up with popular items.", ["reason"], registry=registry
        )
        self._reasons = Counter("recsys_reasons", "Reasons in lists, by kind.", ["kind"], registry=registry)
        self._shortfalls = Counter("recsys_shortfalls", "Lists shorter than asked for.", registry=registry)
        self._explanations = Counter(
            "recsys_explanations",
            "Explanations, by depth and by how far the item came.",
            ["depth", "stage"],
            registry=registry,
        )
        self._explanation_seconds = Histogram(
            "recsys_explanation_seconds",
            "Time to compute an explanation, without its text.",
            ["depth"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._language_model_calls = Counter(
            "recsys_language_model_calls",
            "Calls of the language model, answered or why not.",
            ["outcome"],
            registry=registry,
        )
        self._language_model_seconds = Histogram(
            "recsys_language_model_seconds", "Time to an answer.", buckets=_SECONDS, registry=registry
        )
        self._language_model_refused = Counter(
            "recsys_language_model_refused", "Answers that the guard refused.", ["reason"], registry=registry
        )
        self._explanation_texts = Counter(
            "recsys_explanation_texts",
            "Texts of explanations and blurbs, by who wrote them.",
            ["text_source"],
            registry=registry,
        )
        self.store_up = Gauge(
            "recsys_store_up",
            "1: the store answers. NaN: there is none.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self._store_failures = Counter(
            "recsys_store_failures", "Calls that the store failed.", ["call"], registry=registry
        )
        self.retention_held = Gauge(
            "recsys_retention_held",
            "1: nothing is removed from the store, since the clock is not to be believed.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._bundle = Gauge(
            "recsys_bundle_workers",
            "Workers that serve a version of the bundle.",
            ["name", "version"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._refusals = Counter("recsys_bundle_refused", "Bundles that were refused.", registry=registry)
        self._watch_errors = Counter(
            "recsys_bundle_watch_errors", "Looks for another bundle that met an error.", registry=registry
        )
        self.api_keys_stale = Gauge(
            "recsys_api_keys_stale",
            "1: the file of API keys cannot be used, and those from before are in force.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.rules_version = Gauge(
            "recsys_rules_version",
            "Changes of the store's rules that the worker furthest behind has followed.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.rules_in_force = Gauge(
            "recsys_rules_in_force",
            "Rules that may act on lists.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.rule_faults = Gauge(
            "recsys_rule_faults",
            "Rules that are off, since the bundle that is served cannot follow them.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.persons_stale = Gauge(
            "recsys_persons_stale",
            "1: the store does not tell who is forgotten, and what was known last holds.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.rules_stale = Gauge(
            "recsys_rules_stale",
            "1: the store does not tell its rules, and those last known are in force.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._experiments_running = Gauge(
            "recsys_experiments_running",
            "Experiments that lists are made for.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self._experiments_version = Gauge(
            "recsys_experiments_version",
            "Changes of experiments and their units that the worker furthest behind has followed.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.experiments_stale = Gauge(
            "recsys_experiments_stale",
            "1: the store does not tell its experiments, and those last known go on.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._rule_changes = Counter(
            "recsys_rule_changes", "Changes of rules over HTTP.", ["action"], registry=registry
        )
        self._rules_refresh_failures = Counter(
            "recsys_rules_refresh_failures", "Looks for changed rules that the store failed.", registry=registry
        )
        self.live_items = Gauge(
            "recsys_live_items",
            "Items of which the store says something beside the bundle.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.live_items_version = Gauge(
            "recsys_live_items_version",
            "Last change of items that is known, of the worker furthest behind.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.items_stale = Gauge(
            "recsys_live_items_stale",
            "1: the store does not tell its live items, and what was last known is in force.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._overlay_seconds = Histogram(
            "recsys_overlay_seconds", "Time to make an overlay of live items.", buckets=_SECONDS, registry=registry
        )
        self._overlay_failures = Counter(
            "recsys_overlay_failures", "Overlays of live items that could not be made.", registry=registry
        )
        self._item_changes = Counter("recsys_item_changes", "Changes of items over HTTP.", ["done"], registry=registry)
        self._items_refresh_failures = Counter(
            "recsys_live_items_refresh_failures", "Looks for changed items that the store failed.", registry=registry
        )
        self._previews = Counter("recsys_rule_previews", "Previews of rules.", registry=registry)
        self._served_dropped = Counter(
            "recsys_served_dropped", "Answers missing from the served log.", registry=registry
        )

    def render(self) -> bytes:
        """Everything in Prometheus' text format, of all workers."""
        return generate_latest(self._of_all_workers())

    def collected(self) -> list[Metric]:
        """The same as numbers."""
        return list(self._of_all_workers().collect())

    def _of_all_workers(self) -> CollectorRegistry:
        if MULTIPROCESS_FOLDER not in os.environ:
            return self._registry
        registry = CollectorRegistry()
        AllWorkers(registry)  # type: ignore[no-untyped-call]
        return registry

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        try:
            requests, durations = self._answered[route, method, status]
        except KeyError:
            requests, durations = self._requests.labels(route, method, status), self._request_seconds.labels(route)
            self._answered[route, method, status] = requests, durations
        requests.inc()
        durations.observe(seconds)

    def refused(self, cause: str) -> None:
        self._refused.labels(cause).inc()

    def scored(self, users: int, seconds: Mapping[str, float], candidates: Mapping[str, float]) -> None:
        """One batch: seconds by stage, candidates of a user by source."""
        self.batch_users.observe(users)
        for stage, spent in seconds.items():
            self._of_stage(stage).observe(spent)
        for source, count in candidates.items():
            self._of_source(source).observe(count)

    def fell_back(self, reason: str) -> None:
        self._fallbacks.labels(reason).inc()

    def reasoned(self, kind: str, items: int) -> None:
        """So many listed items were given a reason of that kind."""
        self._reasons.labels(kind).inc(items)

    def fell_short(self) -> None:
        self._shortfalls.inc()

    def explained(self, depth: str, stage: str, seconds: float) -> None:
        self._explanations.labels(depth, stage).inc()
        self._explanation_seconds.labels(depth).observe(seconds)

    def told(self, text_source: str) -> None:
        """A text was written, by rules or a language model."""
        self._explanation_texts.labels(text_source).inc()

    def language_model_answered(self, seconds: float) -> None:
        """The language model answered, whatever that is worth."""
        self._language_model_calls.labels("answered").inc()
        self._language_model_seconds.observe(seconds)

    def language_model_failed(self, failure: str) -> None:
        """It did not, or was not asked."""
        self._language_model_calls.labels(failure).inc()

    def language_model_refused(self, reason: str) -> None:
        """The guard refused what it said."""
        self._language_model_refused.labels(reason).inc()

    def no_store(self) -> None:
        """There is no store: neither up nor down, so that nobody is woken for one that was not asked for."""
        self.store_up.set(math.nan)

    def store_failed(self, call: str) -> None:
        self._store_failures.labels(call).inc()

    def serving(self, name: str, version: str, *, yes: bool) -> None:
        """This worker serves that version, or no longer."""
        self._bundle.labels(name, version).set(int(yes))

    def bundle_refused(self) -> None:
        self._refusals.inc()

    def bundle_watch_failed(self) -> None:
        self._watch_errors.inc()

    def served_dropped(self, count: int) -> None:
        self._served_dropped.inc(count)

    def experiments_known(self, running: int, version: int) -> None:
        """Experiments that are running, and the number of the last change of any."""
        self._experiments_running.set(running)
        self._experiments_version.set(version)

    def experiment_changed(self, action: str) -> None:
        self.variants.changed(action)

    def rule_changed(self, action: str) -> None:
        self._rule_changes.labels(action).inc()

    def rules_refresh_failed(self) -> None:
        self._rules_refresh_failures.inc()

    def items_known(self, items: int, version: int) -> None:
        """Live items, and the number of the last change of them."""
        self.live_items.set(items)
        self.live_items_version.set(version)

    def items_changed(self, done: str, items: int) -> None:
        self._item_changes.labels(done).inc(items)

    def items_refresh_failed(self) -> None:
        self._items_refresh_failures.inc()

    def overlaid(self, seconds: float) -> None:
        """An overlay was made, and is ready to be served."""
        self._overlay_seconds.observe(seconds)

    def overlay_failed(self) -> None:
        self._overlay_failures.inc()

    def rules_previewed(self) -> None:
        self._previews.inc()
