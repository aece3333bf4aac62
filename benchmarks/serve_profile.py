"""Where the CPU of a recommendation goes, stage by stage; `benchmarks/serve.py --profile` prints it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from threadpoolctl import threadpool_limits

from recsys.histories.live_histories import LiveHistories
from recsys.pipeline import recommender as recommender_stages
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.ranker import Ranker
from recsys.pipeline.ratings.predictor import RatingPredictor
from recsys.pipeline.recommender import Recommender
from recsys.sources.two_tower.source import TwoTowerSource
from serve.bundles.options import Options
from serve.http.routing import encoder
from serve.recommendations import maker
from serve.recommendations.service import RecommendationRequest
from serve.server import Server
from serve.settings import load_settings
from serve.store.link import StoreLink

BATCHES, SECONDS = (1, 32), 8.0

# What is timed: an owner, one of its functions, and what the table calls it. What runs inside another one is shown
# below it.
SPANS: list[tuple[Any, str, str]] = [
    (LiveHistories, "of", "histories"),
    (StoreLink, "events_of", "store"),
    (maker, "lists", "lists"),
    (Recommender, "recommend", "recommender"),
    (TwoTowerSource, "encode", "query tower"),
    (TwoTowerSource, "search", "ANN search"),
    (recommender_stages, "propose", "proposers"),
    (CandidateScorer, "score", "scores of all"),
    (Ranker, "describe", "features"),
    (Ranker, "score", "ranker"),
    (RatingPredictor, "estimate", "ratings"),
]
Spent = dict[tuple[str, ...], float]


class Profiler:
    """Seconds of the process's CPU by span, along the path of spans around it."""

    def __init__(self) -> None:
        self.seconds: Spent = defaultdict(float)
        self._path: tuple[str, ...] = ()

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Count the block."""
        outer = self._path
        path = self._path = (*outer, name)
        self.seconds[path] += 0  # in the order of starting
        started = time.process_time()
        try:
            yield
        finally:
            self.seconds[path] += time.process_time() - started
            self._path = outer

    def timed(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The function, counted."""

        @wraps(function)
        def counted(*arguments: Any, **named: Any) -> Any:
            with self.span(name):
                return function(*arguments, **named)

        return counted


def profile(bundle: Path, store: str, batch: int, seconds: float) -> Spent:
    """Milliseconds of CPU a query, by span, in batches of that size.

    Without HTTP and the served log: the CPU of the server in the other table holds those too.
    """
    profiler, random = Profiler(), np.random.default_rng(0)
    settings = {"served_log": False, "index_items": False, "scoring_threads": 1, "log_level": "warning"}
    server = Server(load_settings(bundle=bundle, store=store, **settings))
    with ExitStack() as stack:
        stack.enter_context(threadpool_limits(1))  # as a server of its own has
        server.start()
        server.parts.bundles.first.result()
        stack.callback(server.close)
        catalogue = server.parts.bundles.loaded.bundle.catalogue
        users = catalogue.user_ids(np.arange(catalogue.n_users))

        def ask() -> None:
            subjects = [(users[row],) for row in random.integers(len(users), size=batch)]
            requests = [RecommendationRequest(Options(), subject) for subject in subjects]
            with profiler.span("all"):
                answers = server.recommendations.service.recommend(requests)
                with profiler.span("JSON"):
                    for made in answers:
                        if isinstance(made, Exception):
                            raise made
                        encoder.encode(made[0].answer)

        def measured(limit: float) -> Spent:
            profiler.seconds.clear()
            queries, end = 0, time.process_time() + limit
            while time.process_time() < end:
                ask()
                queries += batch
            return {path: 1000 * value / queries for path, value in profiler.seconds.items()}

        measured(seconds / 8)  # warm up
        plain = measured(seconds / 2)["all",]
        for owner, name, label in SPANS:
            stack.enter_context(mock.patch.object(owner, name, profiler.timed(getattr(owner, name), label)))
        return {("all, spans not timed",): plain, **measured(seconds)}


def profile_table(bundle: Path, store: str) -> tuple[list[str], list[list[str]], dict[str, Any]]:
    """Columns and rows of the table, and the figures by size of the batch."""
    spent = {batch: profile(bundle, store, batch, SECONDS) for batch in BATCHES}
    order = {path: n for n, path in enumerate(path for spans in spent.values() for path in spans)}
    # A span that first ran later belongs below the one around it all the same.
    paths = sorted(order, key=lambda path: [order[path[: n + 1]] for n in range(len(path))])
    rows = [
        ["  " * (len(path) - 1) + path[-1], *(f"{spent[batch].get(path, 0):.3f}" for batch in BATCHES)]
        for path in paths
    ]
    figures = {str(batch): {" / ".join(path): value for path, value in spans.items()} for batch, spans in spent.items()}
    return ["", *(f"batch of {batch}" for batch in BATCHES)], rows, {"cpu_ms_a_query": figures}
